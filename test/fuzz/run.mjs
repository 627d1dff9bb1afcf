// `npm run test:fuzz [-- files]`: the properties of test/fuzz with many more runs than the suite gives them. `FUZZ_RUNS` says
// how many each gets, `FUZZ_SEED` repeats a run. Uses the engines that the environment names, as `npm test` does.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const chosen = process.argv.slice(2)
const files = chosen.length > 0 ? chosen : readdirSync(import.meta.dirname).filter((file) => file.endsWith('.test.ts')).map((file) => `test/fuzz/${file}`)
const tap = join(createRequire(import.meta.url).resolve('tap/package.json'), '../dist/esm/run.mjs')
const secondsPerFile = 7200

const { status } = spawnSync(process.execPath, [tap, 'run', '--disable-coverage', '--jobs=1', `--timeout=${secondsPerFile}`, ...files], {
  stdio: 'inherit',
  env: { ...process.env, FUZZ_RUNS: process.env.FUZZ_RUNS || '500' }
})
process.exitCode = status ?? 1
