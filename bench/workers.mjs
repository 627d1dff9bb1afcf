// What a second process on the same port is worth: checks that memory answers, from one worker and from one a core, on a machine
// that makes the load, too. A logout is felt by every worker.
import autocannon from 'autocannon'
import { randomBytes } from 'node:crypto'
import os from 'node:os'
import { MongoClient } from 'mongodb'
import { median, progress } from './measure.mjs'
import { startService, timed } from './service.mjs'

const people = 20

/** Throughput of checks over 50 connections, each with one person's token. */
async function load ({ origin, tokens }, seconds) {
  const requests = tokens.map((token) => ({ path: '/api/protected', headers: { authorization: `Bearer ${token}` } }))
  const { '2xx': count, duration, non2xx, errors, latency } = await autocannon({ url: origin, connections: 50, duration: seconds, requests })
  if (non2xx + errors > 0) throw new Error(`${non2xx} non-2xx, ${errors} errors`)
  return { perSecond: count / duration, p99: latency.p99 }
}

async function prepare (workers, name) {
  const service = await startService(name, { WORKERS: String(workers), ACCESS_TOKEN_EXPIRY: '1h', VERDICT_TTL_SECONDS: '3600' })
  const tokens = []
  for (let n = 0; n < people; n++) {
    const id = randomBytes(6).toString('hex')
    tokens.push((await timed(service.origin, '/api/auth/register', { body: { email: `${id}@example.com`, username: id, password: 'the same for everybody, twice' } })).json.accessToken)
  }
  return { ...service, tokens }
}

/** Milliseconds after a logout was answered until none of 40 new connections lets the token in. */
async function logoutEverywhere ({ origin }) {
  const id = randomBytes(6).toString('hex')
  const { json: { accessToken: token } } = await timed(origin, '/api/auth/register', { body: { email: `${id}@example.com`, username: id, password: 'the same for everybody, twice' } })
  const ask = async () => (await fetch(`${origin}/api/protected`, { headers: { authorization: `Bearer ${token}`, connection: 'close' } })).status
  await Promise.all(Array.from({ length: 40 }, ask))
  await fetch(`${origin}/api/auth/logout`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  const begin = performance.now()
  for (;;) {
    const asked = performance.now() - begin
    if ((await Promise.all(Array.from({ length: 40 }, ask))).every((status) => status === 401)) return asked
    if (asked > 5000) throw new Error('a worker still lets a token in, 5 s after its logout')
  }
}

export async function measureWorkers ({ rounds, seconds }) {
  const name = `latchkey_workers_${randomBytes(3).toString('hex')}`
  const counts = [1, os.cpus().length]
  const rows = []
  for (const workers of counts) {
    progress(`workers: ${workers}`)
    const service = await prepare(workers, name)
    try {
      await load(service, 2)
      const samples = []
      for (let round = 0; round < rounds; round++) samples.push(await load(service, seconds))
      rows.push({ workers, perSecond: median(samples.map(({ perSecond }) => perSecond)), p99: median(samples.map(({ p99 }) => p99)), logoutMs: await logoutEverywhere(service) })
    } finally {
      await service.stop()
    }
  }
  const client = await new MongoClient(process.env.MONGODB_URI).connect()
  await client.db(name).dropDatabase()
  await client.close()
  progress('')
  console.log('\n## Workers: checks that memory answers\n\n| WORKERS | checks a second | of one worker | p99 ms | after a logout, no worker lets the token in (asked after ms) |\n|---|---|---|---|---|')
  for (const { workers, perSecond, p99, logoutMs } of rows) console.log(`| ${[workers, Math.round(perSecond), (perSecond / rows[0].perSecond).toFixed(2), p99, logoutMs.toFixed(1)].join(' | ')} |`)
  return rows
}
