// Stories: what MongoDB does to us. Copies answer until their `validUntil`, everything else is put off with 503 and
// Retry-After; never a 401, a 500 or a hang. What was acknowledged is there when it is back.
import t, { type Test } from 'tap'
import { keepAsking } from '../helper/load.ts'
import { redisUrl } from '../helper/engines.ts'
import { startOwnEngine, withoutOwnEngines, type OwnEngine } from '../helper/own-engines.ts'
import { login, loginOf, newPerson, register } from '../helper/people.ts'
import { createDeployment, startPair, startService, until, type Service } from '../helper/service.ts'
import type { Answer } from '../helper/http.ts'

const skip = withoutOwnEngines

async function startOnOwnMongo (t: Test): Promise<{ mongo: OwnEngine, pair: [Service, Service] }> {
  const mongo = await startOwnEngine(t, 'mongo')
  return { mongo, pair: await startPair(t, { deployment: createDeployment(t, { mongodbUri: mongo.url, redisUrl }) }) }
}

function isPutOff (t: Test, answer: Answer, what: string, withinMs = 5000): void {
  t.equal(answer.status, 503, what)
  t.equal(answer.json.code, 'unavailable')
  t.ok(Number(answer.headers['retry-after']) >= 1, 'Retry-After is there')
  t.notOk(answer.headers['set-cookie'], 'no cookie is touched')
  t.ok(answer.ms < withinMs, `${what} was answered in ${Math.round(answer.ms)} ms`)
}

await t.test('B10 D9 MongoDB killed under load: copies answer until they run out, then 503; nothing is lost', { skip }, async (t) => {
  const { mongo, pair } = await startOnOwnMongo(t)
  const [a, b] = pair
  const { person, ...first } = await register(a)
  const live = [first, await login(b, person), await login(a, person)]
  const dead = await login(a, person)
  await a.post('/api/auth/logout', undefined, { token: dead.accessToken })
  for (const { accessToken } of live) for (const service of pair) await service.get('/api/protected', { token: accessToken })

  const load = keepAsking(pair, { live: live.map(({ accessToken }) => accessToken), dead: [dead.accessToken] })
  await until(() => load.asked() > 200, 'the load runs')
  await mongo.kill()
  for (const service of pair) {
    const cached = await service.get('/api/protected', { token: first.accessToken })
    t.equal(cached.status, 200, 'a copy answers')
    t.equal((await service.get('/api/protected', { token: dead.accessToken })).status, 401, 'a tombstone answers')
  }
  const seen = await load.stop()
  t.strictSame(seen.wrong, [], `${seen.count} answers`)
  t.equal(seen.unavailable, 0, 'nothing had to be put off while copies stood')

  isPutOff(t, await a.post('/api/auth/login', { email: person.email, password: person.password }), 'login', 3000)
  isPutOff(t, await a.post('/api/auth/register', newPerson()), 'register')
  isPutOff(t, await b.post('/api/auth/refresh', { refreshToken: first.refreshToken }), 'refresh')
  isPutOff(t, await b.post('/api/auth/logout', undefined, { token: first.accessToken }), 'logout')
  isPutOff(t, await b.post('/api/auth/logout-all', undefined, { token: first.accessToken }), 'logout-all')
  isPutOff(t, await a.get('/readyz'), 'readiness')
  t.equal((await a.get('/livez')).status, 200, 'the process is alive')

  for (const service of pair) service.clock.advance(61_000)
  isPutOff(t, await a.get('/api/protected', { token: first.accessToken }), 'a check whose copies have run out')
  isPutOff(t, await b.get('/api/auth/profile', { token: first.accessToken }), 'a profile')

  await mongo.start()
  await until(async () => (await Promise.all(pair.map((service) => service.get('/readyz')))).every(({ status }) => status === 200), 'both are ready', 10_000)
  for (const service of pair) {
    await until(async () => (await service.get('/api/protected', { token: first.accessToken })).status === 200, 'live sessions live', 3000)
    t.equal((await service.get('/api/protected', { token: dead.accessToken })).json.code, 'session_revoked')
  }
  const refreshed = await a.post('/api/auth/refresh', { refreshToken: first.refreshToken })
  t.equal(refreshed.status, 200, 'the refresh token that met the outage still works')
  t.equal((await b.get('/api/protected', { token: loginOf(refreshed).accessToken })).status, 200)
  t.equal((await login(b, person)).answer.status, 200)
})

await t.test('a logout that was put off has revived nothing and can be repeated', { skip }, async (t) => {
  const { mongo, pair: [a, b] } = await startOnOwnMongo(t)
  const { accessToken } = await register(a)
  await mongo.kill()
  t.equal((await a.post('/api/auth/logout', undefined, { token: accessToken })).status, 503)
  await mongo.start()
  await until(async () => (await a.post('/api/auth/logout', undefined, { token: accessToken })).status === 200, 'it is done', 10_000)
  await until(async () => (await b.get('/api/protected', { token: accessToken })).status === 401, 'felt by the other', 3000)
})

await t.test('K2 a service whose MongoDB is not there yet starts, says so, and finds it later', { skip }, async (t) => {
  const mongo = await startOwnEngine(t, 'mongo')
  await mongo.kill()
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri: mongo.url, redisUrl }) })
  t.equal((await service.get('/livez')).status, 200)
  isPutOff(t, await service.get('/readyz'), 'readiness')
  isPutOff(t, await service.post('/api/auth/register', newPerson()), 'register without unique indexes')
  await mongo.start()
  await until(async () => (await service.get('/readyz')).status === 200, 'it is ready', 10_000)
  t.ok((await register(service)).accessToken)
})

await t.test('B10 a MongoDB that hangs is put off within the time that a client waits, and is used again afterwards', { skip }, async (t) => {
  const { mongo, pair: [a] } = await startOnOwnMongo(t)
  const { person, accessToken } = await register(a)
  mongo.freeze()
  t.equal((await a.get('/api/protected', { token: accessToken })).status, 200, 'a copy answers')
  isPutOff(t, await a.post('/api/auth/login', { email: person.email, password: person.password }), 'login', 3000)
  a.clock.advance(61_000)
  const answers = await Promise.all(Array.from({ length: 50 }, () => a.get('/api/protected', { token: accessToken })))
  for (const answer of answers) isPutOff(t, answer, 'a check')
  mongo.thaw()
  await until(async () => (await a.get('/api/protected', { token: accessToken })).status === 200, 'it is used again', 10_000)
})

await t.test('D9 refreshes that MongoDB answers too late are no reuse: the client asks again and goes on', { skip }, async (t) => {
  const { mongo, pair } = await startOnOwnMongo(t)
  const [a, b] = pair
  const { refreshToken } = await register(a)
  mongo.freeze()
  const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => (pair[i % 2] as Service).post('/api/auth/refresh', { refreshToken })))
  for (const answer of answers) isPutOff(t, answer, 'a refresh')
  mongo.thaw() // what was sent may be done now, though nobody waits for it
  let next = await a.post('/api/auth/refresh', { refreshToken })
  await until(async () => (next = await b.post('/api/auth/refresh', { refreshToken })).status !== 503, 'it is answered again', 10_000)
  t.equal(next.status, 200, next.text)
  const again = await a.post('/api/auth/refresh', { refreshToken })
  t.equal(loginOf(again).refreshToken, loginOf(next).refreshToken, 'one successor')
  for (const service of pair) {
    t.equal((await service.get('/api/protected', { token: loginOf(next).accessToken })).status, 200)
    t.notOk(service.logs.some(({ event }) => event === 'refresh_token_reused'))
  }
  t.equal((await b.post('/api/auth/refresh', { refreshToken: loginOf(next).refreshToken })).status, 200)
})

await t.test('a MongoDB that comes back empty has its unique indexes before anybody registers: an address has one account', { skip }, async (t) => {
  const { mongo, pair } = await startOnOwnMongo(t)
  await register(pair[0])
  await mongo.kill()
  mongo.empty()
  await mongo.start()
  const person = newPerson()
  let accepted = 0
  await until(async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => (pair[n % 2] as Service).post('/api/auth/register', { ...person, username: `${person.username}${n}` })))
    accepted += answers.filter(({ status }) => status === 201).length
    for (const { status, text } of answers) t.ok([201, 409, 503].includes(status), text)
    return accepted > 0
  }, 'somebody is registered', 10_000)
  t.equal(accepted, 1)
})
