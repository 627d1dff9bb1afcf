// `npm run bench [-- --rounds N --seconds N --connections N]`: what the check costs. For each tier, autocannon asks GET
// /protected with 1,000 different tokens, beside the same app's unguarded twin and once more the twin as a control, in
// interleaved rounds. Prints the share of the twin's throughput and the server's CPU time per request, medians of the
// rounds; a run whose control strays from 0.90-1.10 is void. Starts the real engines itself if none are named.
import autocannon from 'autocannon'
import { fork, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { buildIfNewer } from '../scripts/build.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

if (!process.env.REDIS_URL || !process.env.MONGODB_URI) {
  const { status } = spawnSync(here('../.ci/real-engines/engines.sh'), ['run', process.execPath, ...process.argv.slice(1)], { stdio: 'inherit' })
  process.exit(status ?? 1)
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '3' }, connections: { type: 'string', default: '50' }, tokens: { type: 'string', default: '1000' } } })
const [rounds, seconds, connections, tokenCount] = [values.rounds, values.seconds, values.connections, values.tokens].map(Number)

const tiers = [
  { name: 'memory', what: 'copy in this process', env: { REDIS_URL: process.env.REDIS_URL } },
  { name: 'redis', what: 'copy in Redis, memory tier off', env: { REDIS_URL: process.env.REDIS_URL, MEMORY_TIER_ENTRIES: '0' } },
  { name: 'mongo', what: 'MongoDB alone, no copy anywhere', env: { MEMORY_TIER_ENTRIES: '0' } }
]

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
const progress = (text) => { if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`) }

async function startServer (env) {
  const secret = () => randomBytes(32).toString('base64url')
  const database = `latchkey_bench_${randomBytes(4).toString('hex')}`
  const child = fork(here('./server.mjs'), {
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
  const usage = async () => {
    child.send('cpu')
    const [answer] = await once(child, 'message')
    return answer
  }
  const stop = async () => {
    child.send('stop')
    await once(child, 'exit')
  }
  return { ...ready, usage, stop }
}

/** One round of load on one route. */
async function ask (server, path, duration) {
  const before = await server.usage()
  const requests = server.tokens.map((token) => ({ path, headers: { authorization: `Bearer ${token}` } }))
  let clients = 0
  // each connection begins with another token: in step they would ask for the same session and share one load of it
  const setupClient = (client) => {
    const first = Math.floor((clients++ / connections) * requests.length)
    client.setRequests([...requests.slice(first), ...requests.slice(0, first)])
  }
  const result = await autocannon({ url: server.origin, connections, duration, setupClient })
  const after = await server.usage()
  const count = result['2xx']
  if (result.non2xx + result.errors + result.timeouts > 0) throw new Error(`${path}: ${result.non2xx} non-2xx, ${result.errors} errors`)
  const cpu = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system
  const counts = Object.fromEntries(Object.keys(after.counts).map((tier) => [tier, after.counts[tier] - before.counts[tier]]))
  return { perSecond: count / result.duration, cpuMicros: cpu / count, p50: result.latency.p50, p99: result.latency.p99, counts }
}

async function measure ({ name, what, env }) {
  progress(`${name}: starting, ${tokenCount} sessions`)
  const server = await startServer(env)
  try {
    return await measureOn(server, name, what)
  } finally {
    await server.stop()
    progress('')
  }
}

async function measureOn (server, name, what) {
  const routes = { guarded: '/protected', unguarded: '/bench/unguarded', control: '/bench/unguarded' }
  for (const path of new Set(Object.values(routes))) await ask(server, path, 2) // warm up
  const samples = { guarded: [], unguarded: [], control: [] }
  for (let round = 0; round < rounds; round++) {
    const order = Object.keys(routes)
    for (let i = 0; i < order.length; i++) { // another one begins each round
      const route = order[(i + round) % order.length]
      progress(`${name}: round ${round + 1} of ${rounds}, ${route}`)
      samples[route].push(await ask(server, routes[route], seconds))
    }
  }
  const of = (route, field) => samples[route].map((sample) => sample[field])
  const ratios = (a, b) => samples[a].map((sample, round) => sample.perSecond / samples[b][round].perSecond)
  const answeredBy = samples.guarded.reduce((sum, { counts }) => sum + counts[name], 0) / samples.guarded.reduce((sum, { counts }) => sum + counts.memory + counts.redis + counts.mongo, 0)
  return {
    tier: name,
    what,
    answeredByThisTier: answeredBy,
    share: median(ratios('guarded', 'unguarded')),
    spread: [Math.min(...ratios('guarded', 'unguarded')), Math.max(...ratios('guarded', 'unguarded'))],
    control: median(ratios('control', 'unguarded')),
    perSecond: { guarded: median(of('guarded', 'perSecond')), unguarded: median(of('unguarded', 'perSecond')) },
    cpuMicros: { guarded: median(of('guarded', 'cpuMicros')), unguarded: median(of('unguarded', 'cpuMicros')) },
    p99: { guarded: median(of('guarded', 'p99')), unguarded: median(of('unguarded', 'p99')) },
    samples
  }
}

buildIfNewer()
console.log(`${tokenCount} tokens, ${connections} connections, ${rounds} rounds of ${seconds} s, Node ${process.version}, ${os.cpus().length} x ${os.cpus()[0].model}`)
console.log('| answered by | share of the unguarded route | spread | control | requests/s | unguarded/s | CPU µs/request | unguarded | the check | p99 ms |')
console.log('|---|---|---|---|---|---|---|---|---|---|')
const results = []
for (const tier of tiers) {
  const result = await measure(tier)
  results.push(result)
  const { share, spread, control, perSecond, cpuMicros, p99, answeredByThisTier } = result
  const faults = [...(control < 0.9 || control > 1.1 ? ['the machine was too noisy'] : []), ...(answeredByThisTier < 0.99 ? [`only ${(answeredByThisTier * 100).toFixed(1)} % answered by this tier`] : [])]
  if (faults.length > 0) process.exitCode = 1
  const cells = [
    `${tier.name} (${tier.what})`, share.toFixed(2), spread.map((ratio) => ratio.toFixed(2)).join('-'), control.toFixed(2) + (faults.length > 0 ? ` VOID: ${faults.join(', ')}` : ''),
    Math.round(perSecond.guarded), Math.round(perSecond.unguarded), cpuMicros.guarded.toFixed(1), cpuMicros.unguarded.toFixed(1), `+${(cpuMicros.guarded - cpuMicros.unguarded).toFixed(1)}`, p99.guarded
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
mkdirSync(here('./results'), { recursive: true })
const file = here(`./results/${new Date().toISOString().replace(/[:.]/g, '-')}.json`)
writeFileSync(file, JSON.stringify({ node: process.version, cpu: os.cpus()[0].model, cores: os.cpus().length, tokenCount, connections, rounds, seconds, results }, null, 2))
console.log(`written to ${file.slice(here('..').length)}`)
