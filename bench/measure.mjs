// What the measurements share: servers of their own on the real engines, rounds of load, medians, and a file of results.
import autocannon from 'autocannon'
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

export function median (numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export const progress = (text) => { if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`) }

/** @param env beside what every server has. @param settings.core the only one that it may use; extraFlags for Node */
export async function startServer (env, { tokenCount, extraFlags = [], core }) {
  const secret = () => randomBytes(32).toString('base64url')
  const database = `latchkey_bench_${randomBytes(4).toString('hex')}`
  const child = fork(here('./server.mjs'), {
    ...(core !== undefined && { execPath: 'taskset' }),
    execArgv: [...(core === undefined ? [] : ['-c', core, process.execPath]), '--expose-gc', ...extraFlags],
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
  const [ready] = await once(child, 'message')
  const tell = async (what) => {
    child.send(what)
    const [answer] = await once(child, 'message')
    return answer
  }
  const usage = () => tell('cpu')
  /** Bytes of the heap that are in use, after a collection. */
  const heap = async () => (await tell('memory')).bytes
  /** What the stores were asked since the last time, if the server counts that. */
  const operations = async () => (await tell('operations')).operations
  const stop = async () => {
    child.send('stop')
    await once(child, 'exit')
  }
  return { ...ready, usage, heap, operations, stop }
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

/** Interleaved rounds of several routes, another one first each time. @returns samples by route */
export async function interleave (server, title, routes, { rounds, seconds, connections }) {
  for (const [name, requests] of Object.entries(routes)) await ask(server, name, requests, { connections, duration: 2 }) // warm up
  const names = Object.keys(routes)
  const samples = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length]
      progress(`${title}: round ${round + 1} of ${rounds}, ${name}`)
      samples[name].push(await ask(server, name, routes[name], { connections, duration: seconds }))
    }
  }
  progress('')
  return samples
}

/** Figures of one route: medians of its rounds. */
export const figuresOf = (samples) => Object.fromEntries(['perSecond', 'cpuMicros', 'p50', 'p99'].map((field) => [field, median(samples.map((sample) => sample[field]))]))

/** Throughput of one route as a share of another's, round by round. */
export function shareOf (samples, of) {
  const ratios = samples.map((sample, round) => sample.perSecond / of[round].perSecond)
  return { share: median(ratios), spread: [Math.min(...ratios), Math.max(...ratios)] }
}

/** A control that strays from its twin by more than a tenth makes a run void. */
export const isNoisy = (control) => control < 0.9 || control > 1.1
