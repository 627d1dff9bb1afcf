// What a storm of logins does to everybody else: checks at a fixed rate (open loop, 5,000 a second) on a server that has one
// core, first alone, then while 200 people sign in at bcrypt cost 12 at the same time, over and over; whoever is put off
// comes back when Retry-After says (people.mjs). Beside it what raw bcrypt gives on that core at the same priority and load of checks.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { leaveTheServersCore, median, moveStores, progress, serverCore, startServer } from './measure.mjs'
import { askAtRate } from './open-loop.mjs'

const people = 200
const rate = 5000

const percentiles = ['p50', 'p90', 'p99', 'p99_9']

/** Checks at the fixed rate for so many seconds. */
const checks = (server, seconds) =>
  askAtRate(server.origin, server.tokens.map((token) => ({ path: '/protected', headers: { authorization: `Bearer ${token}` } })), { rate, seconds, connections: 50 })

/** People sign in from a process of their own: what they do is not to delay who measures. */
async function storm (server, seconds) {
  const child = fork(fileURLToPath(new URL('./people.mjs', import.meta.url)))
  child.send({ origin: server.origin, emails: server.emails, password: server.password, seconds })
  await once(child, 'message') // they begin
  const over = once(child, 'message')
  const wave = await checks(server, 2) // all of them ask at once
  const from = performance.timeOrigin + performance.now()
  const during = await checks(server, seconds - 4)
  const until = performance.timeOrigin + performance.now()
  const [answers] = await over
  const done = answers.filter(({ status }) => status === 200)
  const shed = answers.filter(({ status }) => status === 503)
  const beside = done.map(({ at }) => at).filter((at) => at > from && at < until).sort((one, other) => one - other)
  return {
    wave,
    during,
    loginsPerSecond: (beside.length - 1) / (beside.at(-1) - beside[0]) * 1000, // while the checks were asked for, too
    loginMostMs: Math.max(...done.map(({ ms }) => ms)),
    shed: shed.length,
    shedMostMs: Math.max(0, ...shed.map(({ ms }) => ms)),
    strange: answers.length - done.length - shed.filter(({ hasRetryAfter }) => hasRetryAfter).length
  }
}

/** Hashes a second that one thread of the same priority gets out of the server's core while it answers the same checks. */
async function rawBcrypt (server, seconds) {
  const child = fork(fileURLToPath(new URL('./raw-bcrypt.mjs', import.meta.url)), { execPath: 'taskset', execArgv: ['-c', serverCore, process.execPath] })
  const [hashing] = await Promise.all([once(child, 'message'), checks(server, seconds)])
  child.send('stop')
  const [{ perSecond }] = await once(child, 'message')
  await once(child, 'exit')
  return hashing[0] === 'hashing' ? perSecond : 0
}

export async function measureStorm ({ rounds, tokenCount }) {
  progress('storm: starting')
  leaveTheServersCore()
  await moveStores()
  const server = await startServer({ REDIS_URL: process.env.REDIS_URL, BENCH_PEOPLE: String(people), BCRYPT_COST: '12', LOGIN_LIMIT_PER_ADDRESS: '1000000' }, { tokenCount, core: serverCore })
  try {
    os.setPriority(-10) // who measures is not to wait for the stores and the people, with whom it shares a core; the server has its own priority
  } catch { /* only root may */ }
  const samples = { calm: [], raw: [], storm: [] }
  try {
    await checks(server, 3)
    for (let round = 0; round < rounds; round++) {
      progress(`storm: round ${round + 1} of ${rounds}, alone`)
      samples.calm.push(await checks(server, 8))
      progress(`storm: round ${round + 1} of ${rounds}, raw bcrypt`)
      samples.raw.push(await rawBcrypt(server, 15))
      progress(`storm: round ${round + 1} of ${rounds}, ${people} people sign in`)
      samples.storm.push(await storm(server, 24))
    }
  } finally {
    await server.stop()
    progress('')
  }
  const of = (list, field) => median(list.map((sample) => sample[field]))
  const latencies = (list) => Object.fromEntries(['perSecond', ...percentiles, 'max'].map((field) => [field, of(list, field)]))
  const result = {
    calm: latencies(samples.calm),
    wave: latencies(samples.storm.map(({ wave }) => wave)),
    during: latencies(samples.storm.map(({ during }) => during)),
    rawPerSecond: median(samples.raw),
    loginsPerSecond: of(samples.storm, 'loginsPerSecond'),
    loginMostMs: Math.max(...samples.storm.map(({ loginMostMs }) => loginMostMs)),
    shed: of(samples.storm, 'shed'),
    shedMostMs: Math.max(...samples.storm.map(({ shedMostMs }) => shedMostMs)),
    strange: samples.storm.reduce((sum, { strange }) => sum + strange, 0),
    samples
  }
  console.log(`\n## A storm of logins: ${people} at a time, cost 12, beside ${rate} checks a second, one core\n`)
  console.log('| checks | a second | p50 ms | p90 ms | p99 ms | p99.9 ms | longest ms |\n|---|---|---|---|---|---|---|')
  for (const [what, row] of [['alone', result.calm], ['while all of them come at once (2 s)', result.wave], ['during the storm', result.during]]) console.log(`| ${[what, Math.round(row.perSecond), ...[...percentiles, 'max'].map((name) => row[name].toFixed(2))].join(' | ')} |`)
  const share = result.loginsPerSecond / result.rawPerSecond
  console.log(`\nlogins: ${result.loginsPerSecond.toFixed(2)} a second, raw bcrypt ${result.rawPerSecond.toFixed(2)} (share ${share.toFixed(2)}); the longest ${Math.round(result.loginMostMs)} ms; put off: ${result.shed}, after ${Math.round(result.shedMostMs)} ms at most; answers of any other kind: ${result.strange}`)
  const faults = [
    ...(result.during.p99 >= 5 ? ['p99 of checks not under 5 ms'] : []),
    ...(share < 0.9 ? ['logins below 0.9 of raw bcrypt'] : []),
    ...(result.loginMostMs > 10_000 || result.shedMostMs > 10_000 ? ['somebody waited above 10 s'] : []),
    ...(result.strange > 0 ? ['answers of another kind'] : [])
  ]
  if (faults.length > 0) process.exitCode = 1
  console.log(faults.length > 0 ? `FAILED: ${faults.join('; ')}` : 'every bound is met')
  return result
}
