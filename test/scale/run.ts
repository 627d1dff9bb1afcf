// `npm run test:scale [-- --sessions N --users N --out FILE]`: what a million sessions cost. Starts engines of its own and two
// instances of the built service, fills the stores, measures the doors, has all sessions come to their end, and watches the
// clean-up empty the stores. Prints what was asked for and what was found; exit code 1 if a row fails.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import { buildIfNewer } from '../../scripts/build.mjs'
import { measureCleanUp } from './clean-up.ts'
import { measureCrowd } from './crowd.ts'
import { endAll, fillStores, sizesOf, type Stores } from './fill.ts'
import { startInstances } from './instances.ts'
import type { Note } from './measure.ts'

if (process.env['SCALE_ENGINES'] !== 'own') {
  // whatever the environment names: what is here is filled, counted and emptied
  const { REAL_ENGINES_STATE, ...env } = process.env
  const script = fileURLToPath(new URL('../../.ci/real-engines/engines.sh', import.meta.url))
  const { status } = spawnSync(script, ['run', process.execPath, ...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit', env: { ...env, SCALE_ENGINES: 'own' } })
  process.exit(status ?? 1)
}

const { values } = parseArgs({ options: { sessions: { type: 'string', default: '1000000' }, users: { type: 'string' }, out: { type: 'string' } } })
const sessions = Number(values.sessions)
const users = Number(values.users ?? Math.ceil(sessions / 5))
const [mongodbUri, redisUrl] = [process.env['MONGODB_URI'] as string, process.env['REDIS_URL'] as string]

const begin = performance.now()
const say = (text: string): void => { console.error(`${((performance.now() - begin) / 1000).toFixed(0).padStart(5)} s  ${text}`) }
const loads = (): string => os.loadavg().map((load) => load.toFixed(1)).join(' ')

const rows: { what: string, found: string, bound: string, isMet?: boolean }[] = []
const note: Note = (what, found, bound) => {
  rows.push({ what, found, bound: bound?.text ?? '', ...(bound && { isMet: bound.isMet }) })
  say(`${bound === undefined ? '' : bound.isMet ? 'pass: ' : 'FAIL: '}${what}: ${found}`)
}

buildIfNewer()
say(`${sessions} sessions of ${users} users, Node ${process.version}, ${os.cpus().length} x ${os.cpus()[0]?.model}, load ${loads()}`)
const client = new MongoClient(mongodbUri)
const redis = new Redis(redisUrl)
const stores: Stores = { db: client.db('latchkey_scale'), redis, prefix: 'lk:' }
const engines = { mongodbUri, redisUrl, database: 'latchkey_scale' }
try {
  const full = await fillStores(stores, { sessions, users, say })
  const crowded = await startInstances(engines, { cleanUpSeconds: 3600 })
  await measureCrowd(crowded, stores, { sessions, users, note, say }).finally(crowded.stop)
  const beside = (await sizesOf(stores)).keys - full.keys // what the doors have written, such as guests' visits, is not over
  await endAll(stores, { copiesMs: 30_000 })
  say('every session has ended')
  const cleaning = await startInstances(engines, { cleanUpSeconds: 10 })
  await measureCleanUp(cleaning, stores, { full, beside: Math.max(0, beside), note, say }).finally(cleaning.stop)
} finally {
  await client.close()
  redis.disconnect()
}

console.log('\n| what | found | asked for | |\n|---|---|---|---|')
for (const { what, found, bound, isMet } of rows) console.log(`| ${[what, found, bound, isMet === undefined ? '' : isMet ? 'pass' : 'FAIL'].join(' | ')} |`)
const failed = rows.filter(({ isMet }) => isMet === false).length
console.log(`\n${rows.filter(({ isMet }) => isMet).length} passed, ${failed} failed; load ${loads()}`)
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify({ node: process.version, cpu: os.cpus()[0]?.model, cores: os.cpus().length, load: loads(), sessions, users, rows }, null, 2)}\n`)
process.exitCode = failed > 0 ? 1 : 0
