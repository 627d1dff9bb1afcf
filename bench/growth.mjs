// What grows with the number of live sessions: 1,000 to a million in the stores, the built service beside them. Start-up, doors
// and memory at each size, as curves; and what a session costs in this process's memory, whose bound it never passes.
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import { tsImport } from 'tsx/esm/api'
import { median, progress } from './measure.mjs'
import { startService, timed } from './service.mjs'

const sizes = [1000, 10_000, 100_000, 1_000_000]
const times = 200

async function measureSize (sessions, { fillStores, emailOf, password }) {
  const name = `latchkey_growth_${sessions}_${randomBytes(3).toString('hex')}`
  const client = new MongoClient(process.env.MONGODB_URI)
  const redis = new Redis(process.env.REDIS_URL)
  const users = Math.ceil(sessions / 5)
  try {
    await fillStores({ db: client.db(name), redis, prefix: `${name}:` }, { sessions, users, say: (text) => { progress(`growth: ${sessions} sessions: ${text}`) } })
    const service = await startService(name)
    try {
      progress(`growth: ${sessions} sessions: the doors`)
      const people = []
      for (let n = 0; n < 50; n++) people.push((await timed(service.origin, '/api/auth/login', { body: { email: emailOf(Math.floor(n * users / 50)), password } })).json)
      const each = async (path) => {
        const taken = []
        for (let n = 0; n < times; n++) taken.push((await timed(service.origin, path, { token: people[n % people.length].accessToken })).ms)
        return median(taken)
      }
      const [livez, health, check, list] = [await each('/livez'), await each('/api/auth/health'), await each('/api/protected'), await each('/api/auth/sessions')]
      const refreshed = []
      for (const { refreshToken } of people) refreshed.push((await timed(service.origin, '/api/auth/refresh', { body: { refreshToken } })).ms)
      return { sessions, startMs: service.startMs, livez, health, check, list, refresh: median(refreshed) }
    } finally {
      await service.stop()
    }
  } finally {
    await client.db(name).dropDatabase()
    await client.close()
    redis.disconnect()
    progress('')
  }
}

export async function measureGrowth ({ most = 1_000_000 }) {
  const fill = await tsImport('../test/scale/fill.ts', import.meta.url)
  const rows = []
  console.log('\n## Growth: medians in milliseconds\n\n| live sessions | start-up | /livez | health | check | list of devices | refresh |\n|---|---|---|---|---|---|---|')
  for (const size of sizes.filter((one) => one <= most)) {
    const row = await measureSize(size, fill)
    rows.push(row)
    console.log(`| ${[size.toLocaleString('en'), Math.round(row.startMs), ...['livez', 'health', 'check', 'list', 'refresh'].map((name) => row[name].toFixed(2))].join(' | ')} |`)
  }
  return rows
}
