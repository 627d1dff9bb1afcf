// Door `GET /api/auth/health`: what seed 002 shows, from counters, and the detail for operators (MISSION row 14, REQUIREMENTS J5).
import t from 'tap'
import { startOwnEngine, withoutOwnEngines } from '../helper/own-engines.ts'
import { login, register } from '../helper/people.ts'
import { createDeployment, startService, until, untilHearing } from '../helper/service.ts'

const path = '/api/auth/health'

await t.test('it says how the stores are, how many sessions there are, and what the checks cost', async (t) => {
  const service = await startService(t)
  if (service.config.redis !== undefined) await untilHearing(service)
  const { person, accessToken: token } = await register(service)
  const second = await login(service, person)
  await service.get('/api/protected', { token })
  await service.get('/api/auth/profile', { token })
  await service.post('/api/auth/logout', undefined, { token: second.accessToken })
  service.clock.advance(5000)
  const isShared = service.config.redis !== undefined
  const stats = { activeSessions: 1, cachedProfiles: isShared ? 1 : 0, blacklistedTokens: 1 }
  await until(async () => JSON.stringify((await service.get(path)).json.sessionStats) === JSON.stringify(stats), 'counted')
  const answer = await service.get(path)
  t.equal(answer.status, 200)
  t.match(answer.json, {
    status: 'OK',
    redis: isShared ? 'connected' : 'embedded',
    mongo: service.config.store.kind === 'mongodb' ? 'connected' : 'embedded',
    sessionStats: stats
  })
  t.ok(answer.json.uptime >= 5 && answer.json.uptime < 60)
  const { memory, redis, mongo, hitRatio } = answer.json.cache
  t.equal(memory + redis + mongo, 2, 'two guarded requests')
  t.equal(hitRatio, Math.round((memory + redis) / 2 * 10_000) / 10_000)
})

await t.test('sessions are no longer counted once they have run out, nor endings once no token of theirs is left', async (t) => {
  const service = await startService(t)
  const { accessToken } = await register(service)
  await register(service)
  await service.post('/api/auth/logout', undefined, { token: accessToken })
  const counted = async () => (await service.get(path)).json.sessionStats
  await until(async () => (await counted()).blacklistedTokens === 1, 'counted')
  t.match(await counted(), { activeSessions: 1, blacklistedTokens: 1 })
  service.clock.advance(900_000)
  t.match(await counted(), { activeSessions: 1, blacklistedTokens: 0 })
  service.clock.advance(7 * 86_400_000)
  t.match(await counted(), { activeSessions: 0, cachedProfiles: 0, blacklistedTokens: 0 })
})

await t.test('J5 where METRICS_TOKEN is set, whoever has it not sees the state and the counts alone', async (t) => {
  const service = await startService(t, { env: { METRICS_TOKEN: 'a-token-of-more-than-sixteen' } })
  const { accessToken: token, userId } = await register(service)
  const members = async (call = {}) => Object.keys((await service.get(path, call)).json).sort()
  const shown = ['mongo', 'redis', 'sessionStats', 'status']
  t.strictSame(await members(), shown)
  t.strictSame(await members({ token }), shown, 'a user is no operator')
  t.strictSame(await members({ token: 'rubbish' }), shown, 'and a bad token is not refused')
  t.strictSame(await members({ token: 'a-token-of-more-than-sixteen' }), ['cache', ...shown, 'uptime'])
  await service.db.collection<{ _id: string }>('users').updateOne({ _id: userId }, { $set: { role: 'admin' } })
  service.clock.advance(61_000) // past every copy of the session
  t.strictSame(await members({ token }), ['cache', ...shown, 'uptime'], 'an admin is')
  t.notOk((await service.get(path)).text.includes('127.0.0.1'), 'no address')
})

await t.test('J5 while MongoDB is away it is a problem that tells the same, within a second; while Redis is away it is degraded', { skip: withoutOwnEngines }, async (t) => {
  const [mongo, redis] = [await startOwnEngine(t, 'mongo'), await startOwnEngine(t, 'redis')]
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri: mongo.url, redisUrl: redis.url }) })
  await register(service)
  await until(async () => (await service.get(path)).json.sessionStats.activeSessions === 1, 'counted')
  for (const [fail, mend] of [[async () => { redis.freeze() }, async () => { redis.thaw() }], [redis.kill, redis.start]] as const) {
    await fail()
    const degraded = await service.get(path)
    t.match(degraded.json, { status: 'DEGRADED', redis: 'disconnected', mongo: 'connected', sessionStats: { activeSessions: 1 } })
    t.equal(degraded.status, 200)
    t.ok(degraded.ms < 1000, `${degraded.ms} ms`)
    await mend()
    await until(async () => (await service.get(path)).json.status === 'OK', 'Redis is back')
  }
  for (const fail of [async () => { mongo.freeze() }, mongo.kill]) {
    await fail()
    const away = await service.get(path)
    t.equal(away.status, 503)
    t.match(away.json, { status: 503, code: 'unavailable', redis: 'connected', mongo: 'disconnected', sessionStats: { activeSessions: Number }, cache: {}, uptime: Number })
    t.equal(away.headers['retry-after'], '1')
    t.ok(away.ms < 1000, `${away.ms} ms`)
    mongo.thaw()
  }
  await mongo.start()
  await until(async () => (await service.get(path)).json.status === 'OK', 'MongoDB is back')
  for (const engine of [redis, mongo]) engine.freeze()
  for (let n = 0; n < 5; n++) {
    const both = await service.get(path)
    t.match([both.status, both.json.redis, both.json.mongo], [503, 'disconnected', 'disconnected'])
    t.ok(both.ms < 1000, `both: ${both.ms} ms`)
    t.notMatch(both.text, /127\.0\.0\.1|mongodb:|redis:\/\/|ECONN|\d+\.\d+\.\d+/, 'no address and no version')
  }
  const { ms } = await service.get('/livez')
  t.ok(ms < 1000)
})
