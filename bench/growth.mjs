// What grows with the number of live sessions: 1,000 to a million in the stores, the built service beside them. Start-up, doors
// and memory at each size, as curves; and what a session costs in this process's memory, whose bound it never passes.
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import { tsImport } from 'tsx/esm/api'
import { median, progress, startServer } from './measure.mjs'
import { startService, timed } from './service.mjs'
import { takeTurns } from './turns.mjs'

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

/** What all that is kept of a token may take in this process, bytes of heap. */
const mostBytes = 700

/** Tokens whose memory is measured; making more of them takes longer than it tells. */
const heldTokens = [10_000, 100_000]

/** Bytes of heap that a token costs which this process answers for: what a server holds that was asked for all of them, above one that keeps nothing. */
async function measureMemory (tokenCount, { connections }) {
  const heapWith = async (entries) => {
    progress(`growth: memory of ${tokenCount} tokens`)
    const env = { REDIS_URL: process.env.REDIS_URL, MEMORY_TIER_ENTRIES: String(entries), TOKEN_MEMO_ENTRIES: String(entries) }
    const server = await startServer(env, { tokenCount })
    try {
      await takeTurns(server, `growth: memory of ${tokenCount} tokens`, { guarded: server.tokens.map((token) => ({ path: '/api/protected', headers: { authorization: `Bearer ${token}` } })) }, { turns: 1, connections })
      return await server.heap()
    } finally {
      await server.stop()
    }
  }
  return (await heapWith(tokenCount * 3) - await heapWith(0)) / tokenCount
}

export async function measureGrowth ({ most = 1_000_000, connections }) {
  const fill = await tsImport('../test/scale/fill.ts', import.meta.url)
  const rows = []
  console.log('\n## Growth: medians in milliseconds\n\n| live sessions | start-up | /livez | health | check | list of devices | refresh |\n|---|---|---|---|---|---|---|')
  for (const size of sizes.filter((one) => one <= most)) {
    const row = await measureSize(size, fill)
    rows.push(row)
    console.log(`| ${[size.toLocaleString('en'), Math.round(row.startMs), ...['livez', 'health', 'check', 'list', 'refresh'].map((name) => row[name].toFixed(2))].join(' | ')} |`)
  }
  console.log(`\n| tokens that are answered for from memory | bytes of heap for each (asked: at most ${mostBytes}) |\n|---|---|`)
  const memory = []
  for (const tokens of heldTokens.filter((one) => one <= most)) {
    const bytes = await measureMemory(tokens, { connections })
    memory.push({ tokens, bytes })
    if (bytes > mostBytes) process.exitCode = 1
    console.log(`| ${tokens.toLocaleString('en')} | ${Math.round(bytes)}${bytes > mostBytes ? ' NOT MET' : ''} |`)
  }
  return { rows, memory }
}
