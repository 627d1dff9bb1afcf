// `npm test [-- files and tap's options]`: runs the suite on the engines that the environment names, then, one by one, what
// judges times: hashing has the lowest priority, so that whatever runs beside it is measured as well; then looks through
// everything that the suite left behind: for secrets, and for answers that the OpenAPI document does not declare. Says which
// engines it used and what it therefore left out. The floor of coverage counts where everything can run, on real engines.
// Closes with `N passed, N failed`. On real engines it also keeps what became of the rows of the requirements, file by file, for
// `npm run docs:security`.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const { REDIS_URL, MONGODB_URI, REAL_ENGINES, NODE_OPTIONS = '' } = process.env
const real = Boolean(REDIS_URL && MONGODB_URI)
const chosen = process.argv.slice(2)
const whole = chosen.length === 0
const scratch = mkdtempSync(join(tmpdir(), 'latchkey-test-'))
const tap = join(createRequire(import.meta.url).resolve('tap/package.json'), '../dist/esm/run.mjs')

const totals = { passed: 0, failed: 0, skipped: 0 }
const rowsOfFiles = {}
const quickLoader = new URL('quick-loader.mjs', import.meta.url).href
const answerRecorder = new URL('answer-recorder.mjs', import.meta.url).href
const coverageOnce = new URL('coverage-once.mjs', import.meta.url).href
const timed = ['test/flows/login-flood.test.ts', 'test/routes/equal-times.test.ts', 'test/routes/register-passwords.test.ts']
const lastGuards = ['test/guard/leaks.test.ts', 'test/guard/answers.test.ts']

/** @returns the exit code of one run of tap, its counts added to the totals */
function run (files, { coverage = false } = {}) {
  const counts = join(scratch, 'counts.json')
  rmSync(counts, { force: true })
  const { status } = spawnSync(process.execPath, [...(coverage ? ['--import', coverageOnce] : []), tap, 'run', ...(coverage ? [] : ['--disable-coverage']), ...files], {
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_OPTIONS: `${NODE_OPTIONS} --import ${answerRecorder} --import ${quickLoader}`,
      LATCHKEY_EVIDENCE: join(scratch, 'evidence'),
      LATCHKEY_WHOLE: whole ? '1' : '',
      LATCHKEY_COUNTS: counts
    }
  })
  const { passed, failed, skipped, rows = {} } = existsSync(counts) ? JSON.parse(readFileSync(counts, 'utf8')) : { passed: 0, failed: 1, skipped: 0 }
  Object.assign(rowsOfFiles, rows)
  totals.passed += passed
  totals.failed += failed
  totals.skipped += skipped
  return status ?? 1
}

/** A whole run begins the record anew, as other engines do; a run of some files brings theirs up to date. */
async function keepRows () {
  const record = new URL('../.tap/rows.json', import.meta.url)
  const engines = await versions()
  const kept = !whole && existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : { files: {} }
  const files = { ...(kept.engines === engines && kept.files), ...rowsOfFiles }
  mkdirSync(new URL('.', record), { recursive: true })
  writeFileSync(record, JSON.stringify({ engines, files }, null, 1))
}

async function versions () {
  const [{ MongoClient }, { Redis }] = [await import('mongodb'), await import('ioredis')]
  const mongo = new MongoClient(MONGODB_URI, { serverSelectionTimeoutMS: 5000 })
  const redis = new Redis(REDIS_URL)
  const { version } = await mongo.db('admin').command({ buildInfo: 1 })
  const [, redisVersion] = /redis_version:(\S+)/.exec(await redis.info('server'))
  await mongo.close()
  redis.disconnect()
  return `MongoDB ${version}, Redis ${redisVersion}`
}

console.log(`engines: ${MONGODB_URI ? 'MongoDB' : 'embedded store'}, ${REDIS_URL ? 'Redis' : 'in-process copies'}`)
const codes = [run(chosen, { coverage: whole && real })]
if (whole) codes.push(run(['--jobs=1', ...timed]), run(lastGuards))
rmSync(scratch, { recursive: true, force: true })
if (real && REAL_ENGINES) await keepRows()

const leftOut = [
  ...(real ? [] : ['what needs two instances or a Redis, and the floor of coverage (set REDIS_URL and MONGODB_URI)']),
  ...(REAL_ENGINES ? [] : ['the stories that start and kill engines (run inside .ci/real-engines/engines.sh)'])
]
for (const line of leftOut) console.log(`left out: ${line}`)
if (totals.skipped > 0) console.log(`${totals.skipped} skipped`)
if (totals.failed === 0 && codes.some((code) => code !== 0)) totals.failed++ // a run that failed for another reason is a failure
console.log(`${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed > 0 ? 1 : 0
