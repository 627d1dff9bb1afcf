// Story: the three numbers of the health answer, right after logins, refreshes, every way in which sessions end, and time;
// with a Redis that was away, that came back empty, and with counters that somebody has bent (MISSION row 14).
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { mongodbUri, realEngines, redisUrl } from '../helper/engines.ts'
import { startOwnEngine, withoutOwnEngines } from '../helper/own-engines.ts'
import { login, loginOf, newPerson, register } from '../helper/people.ts'
import { createDeployment, startPair, startService, until, type Service } from '../helper/service.ts'

const skip = !realEngines && 'counts in Redis'

type Counts = [active: number, profiles: number, blacklist: number]

/** Looks at a deployment's counters as the health answer does. */
function openCounters (t: Test, { config, clock }: Service, url = redisUrl as string) {
  const redis = new Redis(url, { retryStrategy: () => 50 })
  redis.on('error', () => { /* it is being mistreated */ })
  t.teardown(() => { redis.disconnect() })
  const count = (name: string): Promise<number> => redis.zcount(`${config.redisKeyPrefix}${name}`, `(${clock.wall()}`, '+inf')
  const read = async (): Promise<Counts> => await Promise.all([count('active'), count('profiles'), count('blacklist')])
  const are = async (t: Test, expected: Counts, what: string): Promise<void> => {
    let seen: Counts = [-1, -1, -1]
    await until(async () => (seen = await read()).join() === expected.join(), what, 3000).catch(() => { /* shown below */ })
    t.strictSame(seen, expected, what)
  }
  return { redis, read, are }
}

await t.test('logins, refreshes and every kind of end are counted once, whichever instance has them', { skip }, async (t) => {
  const [a, b] = await startPair(t, { env: { SESSIONS_PER_USER: '4', LOGIN_LIMIT_PER_ADDRESS: '1000' } })
  const { are } = openCounters(t, a)
  await are(t, [0, 0, 0], 'nobody')
  const { person, ...first } = await register(a)
  const [second, third, fourth] = [await login(b, person), await login(a, person), await login(b, person)]
  await are(t, [4, 0, 0], 'four logins')
  const refreshed = loginOf(await b.post('/api/auth/refresh', { refreshToken: second.refreshToken }))
  await b.post('/api/auth/refresh', { refreshToken: second.refreshToken }) // a retry inside the grace
  await a.post('/api/auth/refresh', undefined, { token: first.accessToken })
  for (const service of [a, b]) await service.get('/api/auth/profile', { token: first.accessToken })
  await are(t, [4, 1, 0], 'a refresh opens nothing; one profile has a copy')
  const fifth = await login(a, person)
  await are(t, [4, 1, 1], 'the oldest ended')
  await a.post('/api/auth/logout', undefined, { token: third.accessToken })
  await b.post('/api/auth/logout', undefined, { token: third.accessToken })
  await are(t, [3, 1, 2], 'logout, asked twice')
  await b.call(`/api/auth/sessions/${fourth.sid}`, { method: 'DELETE', token: refreshed.accessToken })
  await are(t, [2, 1, 3], 'one device')
  await a.call('/api/auth/sessions', { method: 'DELETE', token: refreshed.accessToken })
  await are(t, [1, 1, 4], 'all others')
  const changed = loginOf(await b.call('/api/auth/profile/password', { method: 'PUT', token: refreshed.accessToken, body: { currentPassword: person.password, newPassword: newPerson().password } }))
  await are(t, [1, 1, 5], 'a change of the password: one ended, one opened')
  await a.post('/api/auth/logout-all', undefined, { token: changed.accessToken })
  await are(t, [0, 1, 6], 'logout-all')
  const other = await register(b)
  for (let i = 0; i < 2; i++) await a.post('/api/auth/refresh', { refreshToken: other.refreshToken })
  for (const { clock } of [a, b]) clock.advance(1) // the grace is MongoDB's
  await a.db.collection('usersession').updateOne({ _id: other.sid as never }, { $set: { rotatedAt: new Date(0) } })
  t.equal((await a.post('/api/auth/refresh', { refreshToken: other.refreshToken })).json.code, 'refresh_token_reused')
  await are(t, [0, 1, 7], 'a reuse')
  t.notOk(fifth.sid === first.sid)
})

await t.test('time ends them, too: tokens after their life, sessions at their end, copies of profiles with theirs', { skip }, async (t) => {
  const service = await startService(t, { env: { ACCESS_TOKEN_EXPIRY: '15m', REFRESH_TOKEN_EXPIRY: '1h', PROFILE_TTL_SECONDS: '1800' } })
  const { clock } = service
  const { are } = openCounters(t, service)
  const { person, ...first } = await register(service)
  const second = await login(service, person)
  await service.get('/api/auth/profile', { token: first.accessToken })
  await service.post('/api/auth/logout', undefined, { token: second.accessToken })
  await are(t, [1, 1, 1], 'now')
  clock.advance(15 * 60_000)
  await are(t, [1, 1, 0], 'after 15 min')
  clock.advance(15 * 60_000)
  await are(t, [1, 0, 0], 'after 30 min')
  await service.post('/api/auth/refresh', { refreshToken: first.refreshToken })
  clock.advance(59 * 60_000)
  await are(t, [1, 0, 0], 'refreshed')
  clock.advance(60_000)
  await are(t, [0, 0, 0], 'over')
})

await t.test('what ended long ago is not counted again when the rest ends', { skip }, async (t) => {
  const service = await startService(t)
  const { are } = openCounters(t, service)
  const { person, ...first } = await register(service)
  const second = await login(service, person)
  await service.post('/api/auth/logout', undefined, { token: second.accessToken })
  service.clock.advance(16 * 60_000)
  const fresh = loginOf(await service.post('/api/auth/refresh', { refreshToken: first.refreshToken }))
  await are(t, [1, 0, 0], 'its tokens have run out')
  await service.post('/api/auth/logout', undefined, { token: second.accessToken })
  await are(t, [1, 0, 0], 'and asked again it does not end again')
  await service.post('/api/auth/logout-all', undefined, { token: fresh.accessToken })
  await are(t, [0, 0, 1], 'one ended')
})

await t.test('a profile that changes has no copy until it is asked for, and is never counted twice', { skip }, async (t) => {
  const [a, b] = await startPair(t)
  const { are } = openCounters(t, a)
  const { accessToken: token } = await register(a)
  for (const service of [a, b, a]) await service.get('/api/auth/profile', { token })
  await are(t, [1, 1, 0], 'asked for')
  await b.call('/api/auth/profile', { method: 'PUT', body: { fullName: 'Ada' }, token })
  await are(t, [1, 0, 0], 'changed')
})

await t.test('what a Redis that is away was not told it is told when it is back; one that is back empty is counted anew', { skip: withoutOwnEngines }, async (t) => {
  const redis = await startOwnEngine(t, 'redis')
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri, redisUrl: redis.url }), env: { HEALTHCHECK_INTERVAL_SECONDS: '5' } })
  const { are, read } = openCounters(t, service, redis.url)
  await until(() => service.logs.some(({ job }) => job === 'clean-up'), 'the first clean-up, which counts as well, is over')
  const { person, ...first } = await register(service)
  await are(t, [1, 0, 0], 'before')
  redis.freeze()
  const second = await login(service, person)
  await service.post('/api/auth/logout', undefined, { token: first.accessToken })
  await login(service, person)
  redis.thaw()
  await are(t, [2, 0, 1], 'told again')
  await redis.kill()
  await service.post('/api/auth/logout', undefined, { token: second.accessToken })
  const before = service.logs.length
  await redis.start()
  await until(async () => (await service.get('/readyz')).json.redis === 'connected', 'Redis is back, empty')
  await login(service, person) // under load it is not empty for long, and what it has then is not all
  const hasCounted = (since: number): boolean => service.logs.slice(since).some(({ job, uncounted }) => job === 'statistics' && uncounted !== undefined)
  await until(() => hasCounted(before), 'the job counts anew', 20_000)
  t.equal((await read())[0], 2, 'counted anew') // of those that ended it has what was told again, one or both
  const after = service.logs.length
  await t.rejects(until(() => hasCounted(after), 'it counts without need', 7000), 'what is whole is not counted again')
})

await t.test('counters that were bent are put right by the clean-up, which says so', { skip }, async (t) => {
  const service = await startService(t, { env: { CLEANUP_INTERVAL_SECONDS: '10' } })
  const { redis, are } = openCounters(t, service)
  await until(() => service.logs.some(({ job }) => job === 'clean-up'), 'the first run is over')
  const { person, sid } = await register(service)
  await login(service, person)
  const key = `${service.config.redisKeyPrefix}active`
  await redis.zrem(key, sid)
  await redis.zadd(key, ...Array.from({ length: 5 }, (_, i) => [service.clock.wall() + 1e9, `never-${i}`]).flat())
  await are(t, [6, 0, 0], 'bent')
  await until(() => service.logs.some(({ job, uncounted }) => job === 'statistics' && uncounted === 5), 'the job counts anew', 20_000)
  await are(t, [2, 0, 0], 'put right')
})
