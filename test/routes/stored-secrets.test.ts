// No credential that was ever issued or typed can be read out of what the service keeps or writes: not the documents, not
// Redis, not the files, not the log; and what happened to accounts is in the log (REQUIREMENTS D7, E10).
import { Redis } from 'ioredis'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { redisUrl } from '../helper/engines.ts'
import { cookiesOf, login, loginOf, register } from '../helper/people.ts'
import { startService, valueOf } from '../helper/service.ts'

const service = await startService(t, { env: { LOG_LEVEL: 'trace', REFRESH_GRACE_SECONDS: '0' } })
const { person, userId, ...first } = await register(service)
const secrets = new Set([person.password, first.accessToken, first.refreshToken])
const note = (...texts: unknown[]): void => { for (const text of texts) secrets.add(text as string) }

/** Parts that would be enough: a signature or a mac proves the rest. */
const telling = (secret: string): string[] => [secret, ...secret.split('.').filter((part) => part.length > 40 && !part.startsWith('eyJ'))]

async function storedTexts (): Promise<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const name of ['users', 'usersession']) texts[name] = JSON.stringify(await service.db.collection(name).find().toArray())
  if (service.config.store.kind === 'embedded') {
    const { dir } = service.config.store
    for (const name of readdirSync(dir, { recursive: true }) as string[]) {
      const file = join(dir, name)
      if (statSync(file).isFile()) texts[`file ${name}`] = readFileSync(file, 'latin1')
    }
  }
  if (redisUrl !== undefined) {
    const redis = new Redis(redisUrl)
    for (const key of await redis.keys(`${service.config.redisKeyPrefix}*`)) texts[`redis ${key}`] = `${key} ${await valueOf(redis, key)}`
    redis.disconnect()
  }
  return texts
}

await t.test('D7 after logins, refreshes, a reuse and logouts, by body and by cookie', async (t) => {
  for (let i = 0; i < 10; i++) {
    const one = await login(service, person)
    const next = loginOf(await service.post('/api/auth/refresh', { refreshToken: one.refreshToken }))
    await service.get('/api/auth/profile', { token: next.accessToken })
    note(one.accessToken, one.refreshToken, next.accessToken, next.refreshToken)
    if (i === 0) t.equal((await service.post('/api/auth/refresh', { refreshToken: one.refreshToken })).json.code, 'refresh_token_reused')
    if (i === 1) t.equal((await service.post('/api/auth/logout', undefined, { token: next.accessToken })).status, 200)
  }
  const byCookie = await service.post('/api/auth/login', { email: person.email, password: person.password, transport: 'cookie' })
  note(...Object.values(cookiesOf(byCookie)).map(({ value }) => value))
  for (const path of ['/livez', '/api/auth/profile', '/nothing']) await service.get(`${path}?access_token=${first.accessToken}&refresh_token=${first.refreshToken}`) // by mistake
  note('Pw7mark-wrong-guess')
  t.equal((await service.post('/api/auth/login', { email: person.email, password: 'Pw7mark-wrong-guess' })).status, 401)
  t.equal((await service.post('/api/auth/logout-all', undefined, { token: first.accessToken })).json.revoked, 10)
  t.equal(secrets.size, 46, 'of twenty logins and refreshes, and a few more')
})

await t.test('D7 no credential is in a store, and no key of a store is personal', async (t) => {
  const texts = await storedTexts()
  t.ok(texts['usersession']?.includes(first.sid), 'the stores were looked into')
  for (const [where, text] of Object.entries(texts)) {
    t.notOk([...secrets].flatMap(telling).some((secret) => text.includes(secret)), where)
    if (!where.startsWith('redis ')) continue
    t.notMatch(where, person.email, 'no address in a key')
    t.notMatch(text, /\$2[aby]\$/, 'no hash in Redis')
  }
})

await t.test('E10 no credential is in the log, however much is logged', async (t) => {
  const log = JSON.stringify(service.logs)
  t.ok(service.logs.length > 20, 'something was logged')
  t.notOk([...secrets].flatMap(telling).some((secret) => log.includes(secret)))
  t.notOk(log.includes(person.email), 'nor who it was, but for the id')
})

await t.test('E10 what happened to the account is in the log: what, whose, from where, when', async (t) => {
  const events = service.logs.filter((line) => line['stream'] === 'audit')
  t.strictSame([...new Set(events.map((line) => line['event']))].sort(), ['login', 'login_failed', 'logout', 'logout_all', 'refresh_token_reused', 'registered'])
  for (const event of events) {
    t.match(event, { userId, address: '127.0.0.1' }, String(event['event']))
    t.ok(Math.abs(Number(event['time']) - Date.now()) < 120_000, `${String(event['event'])}: in milliseconds of UTC`)
  }
})
