// What the measurements share: servers of their own on the real engines, rounds of load, medians, and a file of results.
import autocannon from 'autocannon'
import { fork, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'

export { addedMicros, figuresOf, isNoisy, median, shareOf } from './figures.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** Where there are several cores, a measured server has one for itself, and the load comes from another. */
export const serverCore = '0'
const loadCore = '1'

/** Moves a process, such as this one, which makes the load, away from the server's core. */
export function leaveTheServersCore (pid = process.pid) {
  spawnSync('taskset', ['-apc', loadCore, String(pid)])
}

/** Moves the stores away from the server's core, too: what they do for logins is not to be taken out of its share. */
export async function moveStores () {
  const redisClient = new Redis(process.env.REDIS_URL)
  const client = await new MongoClient(process.env.MONGODB_URI).connect()
  const { pid } = await client.db('admin').command({ serverStatus: 1 })
  for (const one of [Number(pid), Number(/process_id:(\d+)/.exec(await redisClient.info('server'))[1])]) leaveTheServersCore(one)
  redisClient.disconnect()
  await client.close()
}

export const progress = (text) => { if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`) }

/** @param env beside what every server has. @param settings as of `forkServer` */
export const startServer = (env, settings) => forkServer('./server.mjs', env, settings)

/**
 * @param file a server that talks as server.mjs does, with a database and a prefix of its own
 * @param settings.core the only one that it may use; `extraFlags` for Node
 */
export async function forkServer (file, env, { tokenCount, extraFlags = [], core }) {
  const secret = () => randomBytes(32).toString('base64url')
  const database = `latchkey_bench_${randomBytes(4).toString('hex')}`
  const child = fork(here(file), {
    ...(core !== undefined && { execPath: 'taskset' }),
    execArgv: [...(core === undefined ? [] : ['-c', core, process.execPath]), '--no-memory-reducer', '--expose-gc', ...extraFlags],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'], // the audit stream is written, and read by nobody
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      PORT: '0',
      BENCH_TOKENS: String(tokenCount),
      MONGODB_URI: process.env.MONGODB_URI.replace(/^(mongodb:\/\/[^/?]+)\/?/, `$1/${database}`),
      REDIS_KEY_PREFIX: `${database}:`,
      VERDICT_TTL_SECONDS: '3600',
      SESSIONS_PER_USER: '1000',
      ACCESS_TOKEN_EXPIRY: '1h',
      ACCESS_TOKEN_SECRET: secret(),
      REFRESH_TOKEN_SECRET: secret(),
      SESSION_SECRET: secret(),
      ...env
    }
  })
  const ended = once(child, 'exit').then(([code]) => { throw new Error(`${file} ended with ${code}`) })
  const hear = async () => (await Promise.race([once(child, 'message'), ended]))[0]
  const ready = await hear()
  const tell = (what) => {
    child.send(what)
    return hear()
  }
  const usage = () => tell('cpu')
  /** Bytes of the heap that are in use, after a collection. */
  const heap = async () => (await tell('memory')).bytes
  /** What the stores were asked since the last time, if the server counts that. */
  const operations = async () => (await tell('operations')).operations
  /** What V8 saw while `work` was done: a profile as of the inspector's `Profiler.stop`. */
  const profile = async (work) => {
    await tell('profile')
    await work()
    return (await tell('profiled')).profile
  }
  const stop = async () => {
    child.send('stop')
    await once(child, 'exit')
  }
  return { ...ready, usage, heap, operations, profile, stop }
}

/** Requests that each connection goes through at most, unless all connections together would leave some out. */
const mostRequests = 1000

/**
 * One round of load on one route.
 * @param requests what autocannon sends, over and over
 */
export async function ask (server, name, requests, { connections, duration }) {
  const before = await server.usage()
  let clients = 0
  // each connection begins with another request: in step they would ask for the same session and share one load of it
  // and where there are very many, each has its own share of them: a client makes every request that it may send beforehand
  const setupClient = (client) => {
    const first = Math.floor((clients++ / connections) * requests.length)
    const share = Math.max(mostRequests, requests.length / connections)
    client.setRequests([...requests.slice(first), ...requests.slice(0, first)].slice(0, share))
  }
  const result = await autocannon({ url: server.origin, connections, duration, setupClient })
  const after = await server.usage()
  const count = result['2xx']
  if (result.non2xx + result.errors + result.timeouts > 0) throw new Error(`${name}: ${result.non2xx} non-2xx, ${result.errors} errors`)
  const cpu = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system
  const counts = Object.fromEntries(Object.keys(after.counts).map((tier) => [tier, after.counts[tier] - before.counts[tier]]))
  return { perSecond: count / result.duration, cpuMicros: cpu / count, p50: result.latency.p50, p99: result.latency.p99, counts }
}

/**
 * Interleaved rounds of several routes, another one first each time.
 * @param routes requests by name; `{ server, requests }` for a route of another server
 * @returns samples by route
 */
export async function interleave (server, title, routes, { rounds, seconds, connections, warmUp = 2 }) {
  const askRoute = (name, duration) => {
    const { server: other = server, requests = routes[name] } = routes[name]
    return ask(other, name, requests, { connections, duration })
  }
  const names = Object.keys(routes)
  for (const name of names) await askRoute(name, warmUp)
  const samples = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length]
      progress(`${title}: round ${round + 1} of ${rounds}, ${name}`)
      samples[name].push(await askRoute(name, seconds))
    }
  }
  progress('')
  return samples
}
