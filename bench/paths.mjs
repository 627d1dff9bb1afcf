// What each path asks of the stores, counted at the clients, and how fast people go round it: login, check, refresh, logout.
// Jobs and beats are not of a request; they are told apart by asking nothing for as long as a request takes.
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { leaveTheServersCore, median, moveStores, progress, serverCore, startServer } from './measure.mjs'

const redis = { REDIS_URL: process.env.REDIS_URL }
const ofJobs = /leases|redis publish|redis (?:subscribe|ping|info|defineCommand|script)/

const agent = new Agent({ keepAlive: true })

async function call (server, method, path, { token, body } = {}) {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(text && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }) }
  const request = httpRequest(server.origin + path, { method, headers, agent }).end(text)
  const [response] = await once(request, 'response')
  const chunks = []
  for await (const chunk of response) chunks.push(chunk)
  const answer = Buffer.concat(chunks).toString()
  if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${answer.slice(0, 200)}`)
  return answer === '' ? {} : JSON.parse(answer)
}

const signIn = (server, n) => call(server, 'POST', '/api/auth/login', { body: { email: server.emails[n % server.emails.length], password: server.password } })

/** Each path once, in the state that it usually meets. */
async function countOperations (settings) {
  const server = await startServer({ ...redis, BENCH_OPERATIONS: '1', BENCH_PEOPLE: '2', BCRYPT_COST: '10' }, { ...settings, tokenCount: 50 })
  const rows = []
  const count = async (what, work) => {
    await sleep(300) // what the last one began in the background is over
    await server.operations()
    const answer = await work()
    await sleep(300)
    const asked = (await server.operations()).filter((name) => !ofJobs.test(name))
    const of = (store) => asked.filter((name) => name.startsWith(store)).map((name) => name.slice(store.length + 1))
    rows.push({ what, mongo: of('mongo'), redis: of('redis') })
    return answer
  }
  try {
    await signIn(server, 0)
    const { accessToken, refreshToken } = await count('login', () => signIn(server, 0))
    await count('check, held in memory', () => call(server, 'GET', '/api/protected', { token: accessToken }))
    const renewed = await count('refresh', () => call(server, 'POST', '/api/auth/refresh', { body: { refreshToken } }))
    await count('profile', () => call(server, 'GET', '/api/auth/profile', { token: renewed.accessToken }))
    await count('list of devices', () => call(server, 'GET', '/api/auth/sessions', { token: renewed.accessToken }))
    await count('logout', () => call(server, 'POST', '/api/auth/logout', { token: renewed.accessToken }))
  } finally {
    await server.stop()
  }
  return rows
}

/** So many people go round a path one request after the other for some seconds. */
async function rush (server, people, seconds, go) {
  const taken = []
  const before = await server.usage()
  const end = performance.now() + seconds * 1000
  await Promise.all(people.map(async (person) => {
    while (performance.now() < end) {
      const begin = performance.now()
      await go(person)
      taken.push(performance.now() - begin)
    }
  }))
  const { cpu } = await server.usage()
  taken.sort((a, b) => a - b)
  const at = (share) => taken[Math.min(taken.length - 1, Math.floor(taken.length * share))]
  return { perSecond: taken.length / seconds, cpuMicros: (cpu.user + cpu.system - before.cpu.user - before.cpu.system) / taken.length, p50: at(0.5), p99: at(0.99) }
}

async function rushAll ({ rounds, seconds, tokenCount, connections }) {
  leaveTheServersCore()
  await moveStores()
  const server = await startServer({ ...redis, BENCH_PEOPLE: '50', BCRYPT_COST: '10', LOGIN_LIMIT_PER_ADDRESS: '1000000' }, { tokenCount, core: serverCore })
  const samples = { refresh: [], 'one bare findAndModify': [], login: [] }
  try {
    const people = []
    for (let n = 0; n < connections; n++) people.push(await signIn(server, n))
    const refresh = async (person) => { Object.assign(person, await call(server, 'POST', '/api/auth/refresh', { body: { refreshToken: person.refreshToken } })) }
    const write = (token) => call(server, 'POST', '/bench/one-find-and-modify', { token })
    await rush(server, people, seconds, refresh) // cold code is not what is measured
    for (let round = 0; round < rounds; round++) {
      progress(`paths: round ${round + 1} of ${rounds}`)
      samples.refresh.push(await rush(server, people, seconds, refresh))
      samples['one bare findAndModify'].push(await rush(server, server.tokens.slice(0, connections), seconds, write))
      samples.login.push(await rush(server, [0, 1, 2, 3], seconds, (n) => signIn(server, n)))
    }
  } finally {
    await server.stop()
    progress('')
  }
  return Object.fromEntries(Object.entries(samples).map(([name, list]) => [name, Object.fromEntries(Object.keys(list[0]).map((field) => [field, median(list.map((sample) => sample[field]))]))]))
}

const told = (names) => names.length === 0 ? 'none' : `${names.length}: ${[...new Set(names)].map((name) => { const times = names.filter((one) => one === name).length; return times > 1 ? `${times} x ${name}` : name }).join(', ')}`

export async function measurePaths (settings) {
  progress('paths: counting')
  const operations = await countOperations(settings)
  console.log('\n## What a request asks of the stores\n\n| path | MongoDB | Redis |\n|---|---|---|')
  for (const { what, mongo, redis } of operations) console.log(`| ${what} | ${told(mongo)} | ${told(redis)} |`)
  const speeds = await rushAll(settings)
  console.log('\n| path | a second | CPU µs/request | p50 ms | p99 ms |\n|---|---|---|---|---|')
  for (const [what, { perSecond, cpuMicros, p50, p99 }] of Object.entries(speeds)) console.log(`| ${[what, Math.round(perSecond), cpuMicros.toFixed(0), p50.toFixed(1), p99.toFixed(1)].join(' | ')} |`)
  return { operations, speeds }
}
