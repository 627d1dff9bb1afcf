// Story: guesses while Redis is away. Each instance counts for itself, so two of them let twice as many through at most, and
// nobody else is kept out (REQUIREMENTS B9).
import { Redis } from 'ioredis'
import t from 'tap'
import { mongodbUri } from '../helper/engines.ts'
import type { Answer } from '../helper/http.ts'
import { startOwnEngine, withoutOwnEngines, type OwnEngine } from '../helper/own-engines.ts'
import { login, patiently, register } from '../helper/people.ts'
import { createDeployment, startPair, startService, until, type Service } from '../helper/service.ts'

const limit = 10

const outages = [
  ['was killed', (redis: OwnEngine) => redis.kill(), (redis: OwnEngine) => redis.start()],
  ['hangs', async (redis: OwnEngine) => { redis.freeze() }, async (redis: OwnEngine) => { redis.thaw() }]
] as const

for (const [how, strike, mend] of outages) {
  await t.test(`B9 while Redis ${how} guesses are limited, one by one and all at once, and others sign in`, { skip: withoutOwnEngines, timeout: 240_000 }, async (t) => {
    const redis = await startOwnEngine(t, 'redis')
    const pair = await startPair(t, { deployment: createDeployment(t, { mongodbUri, redisUrl: redis.url }) })
    const [{ person }, { person: second }, { person: other }] = [await register(pair[0]), await register(pair[0]), await register(pair[0])]
    await strike(redis)
    await until(async () => (await pair[0].get('/readyz')).json.redis === 'disconnected', 'the loss is noticed')
    const ask = async (i: number, email: string): Promise<Answer> => await (pair[i % 2] as Service).post('/api/auth/login', { email, password: 'wrong' })
    const guess = async (i: number, email: string): Promise<number> => (await ask(i, email)).status

    const statuses: number[] = []
    for (let i = 0; i < 200; i++) statuses.push(await guess(i, person.email))
    const tried = statuses.filter((status) => status === 401).length
    t.ok(tried >= limit && tried <= 2 * limit, `${tried} are tried`)
    t.equal(statuses.filter((status) => status === 429).length, 200 - tried, 'the rest is told to wait')
    t.ok(statuses.indexOf(429) <= 2 * limit, `the first after ${statuses.indexOf(429)}`)

    const atOnce = await Promise.all(Array.from({ length: 100 }, async (_, i) => (await patiently(() => ask(i, second.email))).status))
    t.ok(atOnce.filter((status) => status === 401).length <= 2 * limit)
    t.strictSame([...new Set(atOnce)].sort(), [401, 429])
    for (const service of pair) t.equal((await login(service, other)).answer.status, 200, 'another account is not concerned')
    await mend(redis)
  })
}

await t.test('B9 where Redis has room for an attempt and none for taking it back, honest logins do not add up', { skip: withoutOwnEngines, timeout: 120_000 }, async (t) => {
  const redis = await startOwnEngine(t, 'redis')
  const service = await startService(t, { env: { LOGIN_LIMIT_PER_ACCOUNT: '2' }, deployment: createDeployment(t, { mongodbUri, redisUrl: redis.url }) })
  const admin = new Redis(redis.url)
  t.teardown(() => { admin.disconnect() })
  const { person } = await register(service)
  const pair = `${service.config.redisKeyPrefix}limit:login:pair:*`
  const attempts = async (): Promise<number> => {
    const [key] = await admin.keys(pair)
    return key === undefined ? 0 : await admin.llen(key) - 1
  }
  for (let round = 1; round <= 4; round++) {
    const before = await attempts()
    const signedIn = login(service, person)
    await until(async () => await attempts() === before + 1, 'the attempt is counted')
    await admin.config('SET', 'maxmemory', '1mb')
    t.equal((await signedIn).answer.status, 200, `login ${round}`)
    await admin.config('SET', 'maxmemory', '0')
  }
  t.equal(await attempts(), 0, 'what was no guess is not counted')
})
