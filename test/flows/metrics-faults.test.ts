// Stories: metrics while stores are away or hang. A scrape answers within a second and says what is wrong.
import t from 'tap'
import { mongodbUri, redisUrl } from '../helper/engines.ts'
import { readMetrics, type Metrics } from '../helper/metrics.ts'
import { startOwnEngine, withoutOwnEngines } from '../helper/own-engines.ts'
import { register } from '../helper/people.ts'
import { createDeployment, startService, testSecret, until, untilHearing, type Service } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const skip = withoutOwnEngines

async function scrape (service: Service, token?: string): Promise<Metrics> {
  const metrics = await readMetrics(service, token === undefined ? {} : { token })
  if (metrics.answer.ms >= 1000) throw new Error(`a scrape took ${Math.round(metrics.answer.ms)} ms`)
  return metrics
}

await t.test('Redis killed: its breakers are open, nothing is heard, what it was not told is counted', { skip }, async (t) => {
  const redis = await startOwnEngine(t, 'redis')
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri, redisUrl: redis.url }) })
  await untilHearing(service)
  const people = await Promise.all(Array.from({ length: 8 }, () => register(service)))
  const before = await scrape(service)
  t.equal(before.value('latchkey_store_connected', { store: 'redis' }), 1)
  t.equal(before.value('latchkey_revocation_channel_hearing'), 1)

  await redis.kill()
  await until(async () => (await scrape(service)).value('latchkey_store_connected', { store: 'redis' }) === 0, 'the loss is seen')
  service.clock.advance(61_000) // every copy has run out
  for (const { accessToken } of people) {
    t.equal((await service.get('/api/protected', { token: accessToken })).status, 200)
    await service.get('/api/auth/profile', { token: accessToken })
  }
  await service.post('/api/auth/logout', undefined, { token: people[0]?.accessToken as string })

  const { by, value } = await scrape(service)
  t.match(by('latchkey_breaker_open', 'breaker'), { sessions_redis: 1, profiles: 1 })
  t.equal(value('latchkey_breaker_open', { breaker: 'sessions_mongo' }), 0)
  t.equal(value('latchkey_revocation_channel_hearing'), 0)
  t.equal(value('latchkey_revocations_unsent_total'), 1)
  t.equal(value('latchkey_checks_total', { tier: 'mongo', result: 'ok' }), 8)
  const failures = by('latchkey_store_failures_total', 'operation')
  t.ok((failures['session_copies.get'] ?? 0) + (failures['session_copies.put'] ?? 0) >= 5, 'five failures opened the breaker')
  t.equal(value('latchkey_store_connected', { store: 'mongo' }), 1)

  await redis.start()
  await untilHearing(service)
  service.clock.advance(1000) // the breakers try again
  for (const { accessToken } of people.slice(1)) await service.get('/api/auth/profile', { token: accessToken })
  await until(async () => Object.keys((await scrape(service)).by('latchkey_breaker_open', 'breaker')).length === 0, 'every breaker closes again')
  t.equal((await scrape(service)).value('latchkey_revocation_channel_hearing'), 1)
})

await t.test('stores that hang: METRICS_TOKEN still opens the door within a second, an admin is put off', { skip }, async (t) => {
  const [redis, mongo] = [await startOwnEngine(t, 'redis'), await startOwnEngine(t, 'mongo')]
  const token = testSecret()
  const deployment = createDeployment(t, { mongodbUri: mongo.url, redisUrl: redis.url })
  const service = await startService(t, { deployment, env: { METRICS_TOKEN: token, MEMORY_TIER_ENTRIES: '0' } })
  await untilHearing(service)
  const { accessToken } = await register(service)
  t.equal((await scrape(service, token)).value('latchkey_store_connected', { store: 'mongo' }), 1)

  redis.freeze()
  mongo.freeze()
  const { value } = await scrape(service, token)
  t.equal(value('latchkey_store_connected', { store: 'mongo' }), 0)
  t.ok((await Promise.all(Array.from({ length: 20 }, () => scrape(service, token)))).length === 20, 'however many scrape')
  const refused = await service.get('/metrics', { token: accessToken })
  expectProblem(t, refused, 503, 'unavailable', { what: 'nobody can say whose token it is' })
  t.ok(refused.ms < 1000, `in ${Math.round(refused.ms)} ms`)
  expectProblem(t, await service.get('/metrics', { token: 'rubbish' }), 401, 'token_invalid')
  redis.thaw()
  mongo.thaw()
  await until(async () => (await service.get('/metrics', { token: accessToken })).status === 403, 'a user is told so again')
})

await t.test('MongoDB killed: its breaker opens, and checks that nobody can decide are counted', { skip: skip || (redisUrl === undefined && 'needs a Redis') }, async (t) => {
  const mongo = await startOwnEngine(t, 'mongo')
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri: mongo.url, redisUrl }) })
  await untilHearing(service)
  const { accessToken } = await register(service)
  await mongo.kill()
  service.clock.advance(61_000)
  for (let i = 0; i < 6; i++) t.equal((await service.get('/api/protected', { token: accessToken })).status, 503)
  const { value, by } = await scrape(service)
  t.equal(value('latchkey_checks_total', { tier: 'none', result: 'unavailable' }), 6)
  t.strictSame(by('latchkey_breaker_open', 'breaker'), { sessions_mongo: 1 })
  t.equal(value('latchkey_store_connected', { store: 'mongo' }), 0)
  t.ok((value('latchkey_store_failures_total', { store: 'mongo', operation: 'sessions.findWithUser' }) ?? 0) >= 5)
})
