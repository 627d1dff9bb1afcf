// Stories: what an engine that dies does to visits. A user's acknowledged pages are there afterwards; a guest's are, or are
// gone, and nobody gets somebody else's. What cannot be decided is 503 within a second, and no cookie is touched by it.
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { Answer } from '../helper/http.ts'
import { mongodbUri, redisUrl } from '../helper/engines.ts'
import { startOwnEngine, withoutOwnEngines, type OwnEngine } from '../helper/own-engines.ts'
import { login, register } from '../helper/people.ts'
import { createDeployment, startPair, startService, until, type Service } from '../helper/service.ts'
import { archivedIn, visitorAt, type Visitor } from '../helper/visitors.ts'

const skip = withoutOwnEngines

async function startOnOwnRedis (t: Test, env: Record<string, string> = {}): Promise<{ redis: OwnEngine, service: Service }> {
  const redis = await startOwnEngine(t, 'redis')
  return { redis, service: await startService(t, { env, deployment: createDeployment(t, { mongodbUri, redisUrl: redis.url }) }) }
}

const redisIs = async (service: Service, state: string): Promise<void> =>
  await until(async () => (await service.get('/readyz')).json.redis === state, `Redis is ${state}`, 5000)

/** A refusal that costs nobody anything: put off, soon, and no cookie touched. */
function isPutOff (t: Test, answer: Answer, what: string): void {
  t.equal(answer.status, 503, what)
  t.equal(answer.json.code, 'unavailable')
  t.ok(answer.headers['retry-after'])
  t.notOk(answer.headers['set-cookie'], `${what}: no cookie`)
  t.ok(answer.ms < 1000, `${what}: after ${Math.round(answer.ms)} ms`)
}

const doors: [string, (visitor: Visitor) => Promise<Answer>][] = [
  ['begin', (one) => one.call('POST', '/api/session')],
  ['page', (one) => one.page('/late')],
  ['action', (one) => one.action('late')],
  ['show', (one) => one.show()],
  ['pages', (one) => one.call('GET', '/api/session/page')],
  ['end', (one) => one.end()]
]

await t.test('20 acknowledged pages of a user survive a Redis that is killed and starts empty; a guest\'s are gone, and nobody else\'s come', { skip }, async (t) => {
  const { redis, service } = await startOnOwnRedis(t)
  const user = visitorAt(service, { token: (await register(service)).accessToken })
  const guests = Array.from({ length: 5 }, () => visitorAt(service))
  for (let n = 0; n < 20; n++) t.equal((await user.page(`/${n}`)).status, 201)
  const ids = await Promise.all(guests.map(async (guest, i) => {
    await guest.page(`/guest-${i}`)
    return (await guest.show()).json.id
  }))
  await redis.kill()
  await redisIs(service, 'disconnected')
  await redis.start()
  await redisIs(service, 'connected')
  t.strictSame((await user.show()).json.pagesVisited, Array.from({ length: 20 }, (_, n) => `/${n}`))
  t.equal((await user.page('/20')).json.pageCount, 21)
  for (const [i, guest] of guests.entries()) {
    t.equal((await guest.show()).status, 404)
    const next = await guest.page(`/again-${i}`)
    t.equal(next.status, 201)
    t.equal(next.json.pageCount, 1)
    const shown = (await guest.show()).json
    t.strictSame(shown.pagesVisited, [`/again-${i}`])
    t.notOk(ids.includes(shown.id), 'a lost id is given to nobody')
  }
})

for (const [how, strike, mend] of [
  ['is down', (redis: OwnEngine) => redis.kill(), (redis: OwnEngine) => redis.start()],
  ['hangs', async (redis: OwnEngine) => { redis.freeze() }, async (redis: OwnEngine) => { redis.thaw() }]
] as const) {
  await t.test(`while Redis ${how}, guests are put off, users go on, and nobody loses a cookie`, { skip }, async (t) => {
    const { redis, service } = await startOnOwnRedis(t)
    const { accessToken: token, person } = await register(service)
    const user = visitorAt(service, { token })
    const guest = visitorAt(service)
    await guest.page('/before')
    await guest.call('POST', '/api/preferences', { theme: 'dark' })
    const jar = new Map(guest.jar)
    await strike(redis)
    for (const [name, door] of doors) {
      isPutOff(t, await door(guest), `a guest with a visit: ${name}`)
      const stranger = await door(visitorAt(service))
      if (['show', 'pages', 'end'].includes(name)) t.equal(stranger.status, 404, `a guest without one: ${name}`) // nothing has to be asked
      else isPutOff(t, stranger, `a guest without one: ${name}`)
    }
    t.strictSame(guest.jar, jar)
    const answers: Answer[] = []
    for (const [, door] of doors) answers.push(await door(user))
    t.ok(answers.every(({ status, ms }) => status < 300 && ms < 1000), answers.map(({ status, ms }) => `${status} ${Math.round(ms)} ms`).join(', '))
    t.equal((await guest.call('GET', '/api/preferences')).json.theme, 'dark')
    t.equal((await guest.call('POST', '/api/preferences', { theme: 'light' })).status, 200)
    t.equal((await user.call('POST', '/api/preferences', { theme: 'dark' })).status, 200)
    t.equal((await user.call('GET', '/api/preferences')).json.theme, 'dark')
    await user.page('/during')
    const signedIn = await guest.call('POST', '/api/auth/login', { email: person.email, password: person.password })
    t.equal(signedIn.status, 200, 'a login does not depend on visits')
    t.equal((await visitorAt(service, { token: signedIn.json.accessToken }).call('POST', '/api/auth/logout')).json.revoked, 1, 'nor does a logout')
    await mend(redis)
    await redisIs(service, 'connected')
    await until(async () => (await guest.page('/after')).status === 201, 'guests go on', 5000)
    t.strictSame((await user.show()).json.pagesVisited, ['/during'], 'what was acknowledged is there')
    t.equal((await user.call('GET', '/api/preferences')).json.theme, 'dark')
    t.equal((await service.get('/api/auth/profile', { token })).json.preferences.theme, 'dark')
  })
}

await t.test('a profile that was changed while Redis could not be told is not answered from its old copy', { skip }, async (t) => {
  const { redis, service } = await startOnOwnRedis(t)
  const { accessToken: token } = await register(service)
  await service.post('/api/preferences', { theme: 'light' }, { token })
  service.clock.advance(11_000)
  t.equal((await service.get('/api/preferences', { token })).json.theme, 'light') // a copy of it is in Redis now
  redis.freeze()
  t.equal((await service.post('/api/preferences', { theme: 'dark' }, { token })).status, 200)
  redis.thaw()
  await redisIs(service, 'connected')
  for (let n = 0; n < 20; n++) t.equal((await service.get('/api/preferences', { token })).json.theme, 'dark')
})

await t.test('a profile that was changed while Redis refused to write is fresh on every instance', { skip }, async (t) => {
  const redis = await startOwnEngine(t, 'redis')
  const admin = new Redis(redis.url)
  t.teardown(() => { admin.disconnect() })
  const [a, b] = await startPair(t, { deployment: createDeployment(t, { mongodbUri, redisUrl: redis.url }) })
  const { accessToken: token } = await register(a)
  for (const service of [a, b]) await service.get('/api/preferences', { token }) // a copy is in Redis
  await admin.config('SET', 'min-replicas-to-write', '1')
  for (const theme of ['light', 'dark', 'light']) {
    t.equal((await a.post('/api/preferences', { theme }, { token })).status, 200)
    await until(async () => (await b.get('/api/preferences', { token })).json.theme === theme, 'the other instance is told by message', 1000)
    for (const service of [a, b]) t.equal((await service.get('/api/auth/profile', { token })).json.preferences.theme, theme)
  }
  await admin.config('SET', 'min-replicas-to-write', '0')
  for (const service of [a, b]) t.equal((await service.get('/api/preferences', { token })).json.theme, 'light')
})

await t.test('while MongoDB hangs, users are put off in time and logouts and logins wait for no visit', { skip }, async (t) => {
  const mongo = await startOwnEngine(t, 'mongo')
  const service = await startService(t, { env: { VERDICT_TTL_SECONDS: '3600' }, deployment: createDeployment(t, { mongodbUri: mongo.url, redisUrl }) })
  const user = visitorAt(service, { token: (await register(service)).accessToken })
  t.equal((await user.page('/a')).status, 201)
  mongo.freeze()
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => user.page(`/hang-${n}`)))
  mongo.thaw()
  t.ok(answers.every(({ status, json }) => status === 503 && json.code === 'unavailable'), answers.map(({ status }) => status).join(' '))
  t.ok(answers.every(({ ms }) => ms < 5000), `the slowest after ${Math.round(Math.max(...answers.map(({ ms }) => ms)))} ms`)
  await until(async () => (await user.page('/b')).status === 201, 'it goes on', 10_000)
  const pages = (await user.show('?limit=200')).json.pagesVisited as string[]
  t.equal(new Set(pages).size, pages.length, 'none twice')
  t.equal(pages[0], '/a')
})

await t.test('users\' visits are archived while Redis is away', { skip }, async (t) => {
  const redis = await startOwnEngine(t, 'redis')
  const service = await startService(t, { env: { VISIT_ARCHIVE_INTERVAL_SECONDS: '1' }, deployment: createDeployment(t, { mongodbUri, redisUrl: redis.url }) })
  const user = visitorAt(service, { token: (await register(service)).accessToken })
  await user.page('/a')
  await redis.kill()
  service.clock.advance(1_800_000)
  await until(async () => (await archivedIn(service)).length === 1, 'it is archived')
  const failures = () => service.logs.filter(({ job, level }) => job === 'visit-archive' && Number(level) >= 40)
  await until(() => failures().length > 0, 'the run is over, whose archive was there before its end')
  t.equal(failures().length, 1, 'the outage is one line')
})

await t.test('while MongoDB is down, guests go on and users are put off; afterwards everything that was acknowledged is there', { skip }, async (t) => {
  const mongo = await startOwnEngine(t, 'mongo')
  const service = await startService(t, { env: { VISIT_ARCHIVE_INTERVAL_SECONDS: '1', VERDICT_TTL_SECONDS: '3600' }, deployment: createDeployment(t, { mongodbUri: mongo.url, redisUrl }) })
  const { accessToken: token, person } = await register(service)
  const user = visitorAt(service, { token })
  const [guest, leaving] = [visitorAt(service), visitorAt(service)]
  await leaving.page('/leaving')
  const leavingId = (await leaving.show()).json.id
  const acknowledged: string[] = []
  const load = (async () => {
    for (let n = 0; n < 400; n++) {
      if ((await user.page(`/${n}`)).status === 201) acknowledged.push(`/${n}`)
      else break
    }
  })()
  await until(() => acknowledged.length > 20, 'pages are noted')
  await mongo.kill()
  await load
  const refused = await user.page('/down')
  t.equal(refused.status, 503)
  t.equal(refused.json.code, 'unavailable')
  t.ok(refused.ms < 5000)
  t.equal((await guest.page('/down')).status, 201)
  t.equal((await guest.show()).json.pageCount, 1)
  const left = await leaving.end()
  t.equal(left.status, 503, 'an end is not acknowledged before it is archived')
  t.notOk(left.headers['set-cookie'])
  await mongo.start()
  await until(async () => (await user.page('/after')).status === 201, 'users go on', 10_000)
  const pages = (await user.show('?limit=200')).json.pagesVisited.filter((pageId: string) => /^\/\d/.test(pageId)) as string[]
  t.equal(new Set(pages).size, pages.length, 'none twice')
  t.strictSame(acknowledged.slice(0, 150).filter((pageId) => !pages.includes(pageId)), [], 'none lost')
  await until(async () => (await archivedIn(service, { _id: leavingId })).length === 1, 'the job archives what was ended', 45_000) // a lease that it held when MongoDB died lasts 30 s
  t.match(await archivedIn(service, { _id: leavingId }), [{ pages: [{ pageId: '/leaving' }] }])
  t.equal((await login(service, person)).answer.status, 200)
})
