// Loaded into tap's own process where coverage counts (test/run.mjs). What runs from dist/ is mapped back by the compiler's map, which
// is a column or two beside the source that tests load (`export function`, `})`). Coverage took the two for two functions, of
// which one is never called where only the other runs: 223 of 1,462. What has one name and begins in one line is one function.
import { createRequire } from 'node:module'

const requireOfTap = createRequire(createRequire(import.meta.url).resolve('tap'))
const { Report } = requireOfTap('c8')

/** @param coverage of one file, as istanbul has it: functions by number, and how often each was called */
function joinTwins ({ fnMap, f: calls }) {
  const first = new Map()
  for (const [number, { name, loc }] of Object.entries(fnMap)) {
    const place = `${name} ${loc.start.line}`
    const twin = first.get(place)
    if (twin === undefined) {
      first.set(place, number)
      continue
    }
    calls[twin] += calls[number]
    delete fnMap[number]
    delete calls[number]
  }
}

const prototype = Object.getPrototypeOf(new Report({ reporter: [] }))
const { getCoverageMapFromAllCoverageFiles } = prototype
prototype.getCoverageMapFromAllCoverageFiles = async function () {
  const map = await getCoverageMapFromAllCoverageFiles.call(this)
  for (const file of map.files()) joinTwins(map.fileCoverageFor(file).data)
  return map
}
