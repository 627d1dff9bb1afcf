// Stories: what Redis does to us. Each starts a Redis of its own and mistreats it. A live session is never logged out,
// a dead one is never let in, and nobody waits.
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { tombstone } from '../../src/cache/shared-tier.ts'
import { mongodbUri } from '../helper/engines.ts'
import { startOwnEngine, withoutOwnEngines, type OwnEngine } from '../helper/own-engines.ts'
import { login, register, tierOf } from '../helper/people.ts'
import { createDeployment, startPair, startService, until, untilHearing, type Deployment, type Service } from '../helper/service.ts'
import { keepAsking } from '../helper/load.ts'

const skip = withoutOwnEngines

async function startOnOwnRedis (t: Test): Promise<{ redis: OwnEngine, admin: Redis, deployment: Deployment, pair: [Service, Service] }> {
  const redis = await startOwnEngine(t, 'redis')
  const admin = new Redis(redis.url, { retryStrategy: () => 100 })
  admin.on('error', () => { /* it is being mistreated */ })
  t.teardown(() => { admin.disconnect() })
  const deployment = createDeployment(t, { mongodbUri, redisUrl: redis.url })
  return { redis, admin, deployment, pair: await startPair(t, { deployment }) }
}

/** Whether Redis holds the tombstone of a session. */
async function isBuried (url: string, { config }: Service, sid: string): Promise<boolean> {
  const looking = new Redis(url)
  try {
    return await looking.get(`${config.redisKeyPrefix}session:${sid}`) === tombstone
  } finally {
    looking.disconnect()
  }
}

const isConnected = async (service: Service): Promise<boolean> => (await service.get('/readyz')).json.redis === 'connected'

await t.test('E1 with the channel cut, a logout is felt by the other instance within 3 s', { skip }, async (t) => {
  const { admin, pair: [a, b] } = await startOnOwnRedis(t)
  const { accessToken } = await register(a)
  await b.get('/api/protected', { token: accessToken })
  t.equal(tierOf(await b.get('/api/protected', { token: accessToken })), 'memory')

  await admin.call('ACL', ['SETUSER', 'default', '-subscribe'])
  await admin.call('CLIENT', ['KILL', 'TYPE', 'pubsub'])
  const begin = performance.now()
  await a.post('/api/auth/logout', undefined, { token: accessToken })
  await until(async () => (await b.get('/api/protected', { token: accessToken })).status === 401, 'the other instance refuses')
  const lag = performance.now() - begin
  t.comment(`measured: revocation lag with the channel cut: ${Math.round(lag)} ms`)
  t.ok(lag < 3000, `after ${Math.round(lag)} ms`)

  await admin.call('ACL', ['SETUSER', 'default', '+subscribe'])
  await untilHearing(b)
})

await t.test('FLUSHALL logs nobody out and lets nobody in', { skip }, async (t) => {
  const { admin, pair: [a, b] } = await startOnOwnRedis(t)
  const { person, ...live } = await register(a)
  const dead = await login(a, person)
  await a.post('/api/auth/logout', undefined, { token: dead.accessToken })
  await admin.flushall()
  for (const service of [a, b]) {
    t.equal((await service.get('/api/protected', { token: live.accessToken })).status, 200)
    t.equal((await service.get('/api/protected', { token: dead.accessToken })).json.code, 'session_revoked')
  }
})

await t.test('Redis killed under load: no 401 for a live session, no 2xx for a dead one, no answer above 1 s', { skip }, async (t) => {
  const { redis, pair } = await startOnOwnRedis(t)
  const [a, b] = pair
  const { person, ...first } = await register(a)
  const live = [first, ...await Promise.all(Array.from({ length: 9 }, () => login(a, person)))]
  const dead = await login(a, person)
  await a.post('/api/auth/logout', undefined, { token: dead.accessToken })
  const load = keepAsking(pair, { live: live.map(({ accessToken }) => accessToken), dead: [dead.accessToken] })

  await until(() => load.asked() > 200, 'the load runs')
  await redis.kill()
  await until(async () => (await a.get('/readyz')).json.redis === 'disconnected', 'the loss is noticed')
  const late = await login(b, person)
  t.equal((await a.post('/api/auth/logout', undefined, { token: late.accessToken })).json.revoked, 1, 'a session is opened and ended without Redis')
  t.equal((await b.get('/api/protected', { token: late.accessToken })).status, 200, 'the other instance may still remember it') // at most a second, checked below
  await until(async () => (await b.get('/api/protected', { token: late.accessToken })).status === 401, 'the other instance refuses it', 3000)
  await redis.start()
  await until(async () => (await Promise.all(pair.map(isConnected))).every(Boolean), 'both are back', 5000)
  await Promise.all(pair.map(untilHearing))
  for (const service of pair) t.equal((await service.get('/api/protected', { token: late.accessToken })).json.code, 'session_revoked', 'and stays dead when Redis is back')

  const seen = await load.stop()
  t.strictSame(seen.wrong, [], `${seen.count} answers, slowest ${Math.round(seen.slowestMs)} ms, ${seen.unavailable} unavailable`)
  t.ok(seen.slowestMs < 1000, `the slowest answer took ${Math.round(seen.slowestMs)} ms`)
  t.ok(seen.unavailable / seen.count <= 0.01, 'at most one in a hundred was put off')
})

await t.test('Redis that hangs costs the first requests its timeout and then nothing', { skip }, async (t) => {
  const { redis, pair: [a] } = await startOnOwnRedis(t)
  const { person, ...first } = await register(a)
  const all = [first]
  while (all.length < 20) all.push({ ...first, ...await login(a, person) })
  redis.freeze()
  a.clock.advance(61_000) // every copy has run out: each session asks once
  const times: number[] = []
  for (const { accessToken } of all) {
    const answer = await a.get('/api/protected', { token: accessToken })
    t.equal(answer.status, 200)
    times.push(answer.ms)
  }
  const shown = times.map(Math.round).join(' ')
  t.ok(Math.max(...times) < 500, `the first ones wait for two commands: ${shown}`)
  const later = times.slice(5).sort((one, other) => one - other)
  t.ok(later[Math.floor(later.length / 2)] as number < 100, `the later ones for none: ${shown}`)
  redis.thaw()
  await until(() => isConnected(a), 'Redis is used again', 10_000)
})

await t.test('K2 a service whose Redis is not there yet starts, works, and finds it later', { skip }, async (t) => {
  const redis = await startOwnEngine(t, 'redis')
  await redis.kill()
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri, redisUrl: redis.url }) })
  const ready = await service.get('/readyz')
  t.equal(ready.status, 200)
  t.match(ready.json, { status: 'degraded', redis: 'disconnected', channel: 'deaf' })
  const { person, accessToken, refreshToken } = await register(service)
  t.equal((await service.get('/api/protected', { token: accessToken })).status, 200)
  t.equal((await service.post('/api/auth/refresh', { refreshToken })).status, 200)
  const early = await login(service, person)
  await service.post('/api/auth/logout', undefined, { token: early.accessToken })
  await redis.start()
  await untilHearing(service)
  t.match((await service.get('/readyz')).json, { status: 'ready', redis: 'connected', channel: 'hearing' })
  await until(async () => await isBuried(redis.url, service, early.sid), 'what was revoked before Redis was there is told to it')
  t.equal((await service.post('/api/auth/logout', undefined, { token: accessToken })).json.revoked, 1)
  t.equal((await service.get('/api/protected', { token: accessToken })).json.code, 'session_revoked')
})

await t.test('Redis that refuses to write keeps no session alive and fails no login', { skip }, async (t) => {
  const { redis, admin, deployment, pair: [a, b] } = await startOnOwnRedis(t)
  const { person, ...first } = await register(a)
  await b.get('/api/protected', { token: first.accessToken })
  await admin.config('SET', 'min-replicas-to-write', '1') // NOREPLICAS for every write, reads go on
  const second = await login(a, person)
  t.equal((await b.get('/api/protected', { token: second.accessToken })).status, 200)
  await a.post('/api/auth/logout', undefined, { token: first.accessToken })
  await until(async () => (await b.get('/api/protected', { token: first.accessToken })).status === 401, 'told by message alone', 1000)
  t.notOk(await isBuried(redis.url, a, first.sid), 'Redis still holds the copy')
  await admin.config('SET', 'min-replicas-to-write', '0')
  await until(async () => await isBuried(redis.url, a, first.sid), 'it is told as soon as it takes writes')
  const fresh = await startService(t, { deployment })
  t.equal((await fresh.get('/api/protected', { token: first.accessToken })).status, 401, 'an instance that heard nothing lets nobody in')
})
