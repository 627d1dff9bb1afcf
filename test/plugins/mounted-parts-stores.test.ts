// What a chosen part leaves in MongoDB and Redis: what it needs, and nothing of those that are left out; and which keys a host
// that only guards has to hold (MISSION row 35).
import Fastify from 'fastify'
import { generateKeyPairSync } from 'node:crypto'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import latchkey, { type LatchkeyOptions, type Part } from '../../src/index.ts'
import { openClient } from '../helper/client-of.ts'
import { createTestClock } from '../helper/clock.ts'
import { mongodbUri, realEngines, redisUrl } from '../helper/engines.ts'
import { cookiesOf } from '../helper/people.ts'
import { createDeployment, testSecret, until, type Deployment } from '../helper/service.ts'
import { startHost, type Host } from './mounted-host.ts'

const collections = ['users', 'usersession', 'avatars', 'visits', 'visitlog', 'leases']

type Kept = Record<string, number>

/** How many documents there are, and keys of each family. */
async function kept ({ db, deployment: { prefix } }: Pick<Host, 'db' | 'deployment'>): Promise<Kept> {
  const counts: Kept = {}
  for (const name of collections) counts[name] = (await db.collection(name).find().toArray()).length
  if (redisUrl === undefined) return counts
  const redis = new Redis(redisUrl)
  for (const key of await redis.keys(`${prefix}*`)) {
    const family = `redis ${/^(user:profile|user:tokens|[a-z]+)/.exec(key.slice(prefix.length))?.[0] ?? key}`
    counts[family] = (counts[family] ?? 0) + 1
  }
  redis.disconnect()
  return counts
}

const leaseNames = async ({ db }: Host): Promise<string[]> => (await db.collection<{ _id: string }>('leases').find().toArray()).map(({ _id }) => _id)

/** @returns what is there more than before */
function added (before: Kept, after: Kept): Kept {
  return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const).filter(([, more]) => more !== 0))
}

const beside = async (t: Test, deployment: Deployment) => ({ deployment, client: await openClient(t, deployment), clock: createTestClock() })

/** A host of the parts, on the stores of a service that has signed somebody in and ended. */
async function startBeside (t: Test, parts: Part[]): Promise<{ host: Host, token: string, userId: string, startWhole: () => Promise<Host> }> {
  const place = await beside(t, createDeployment(t))
  const startWhole = () => startHost(t, { beside: place })
  const whole = await startWhole()
  const { accessToken: token, userId } = await whole.newcomer()
  await whole.app.close()
  t.teardown(async () => { if (mongodbUri !== undefined) await whole.db.dropDatabase() })
  const host = await startHost(t, {
    beside: place,
    options: { parts, prefix: '/auth' },
    env: { VISIT_ARCHIVE_INTERVAL_SECONDS: '1' },
    open (app) { app.get('/mine', { onRequest: app.authenticate }, async ({ user }) => ({ id: user.id })) }
  })
  return { host, token, userId, startWhole }
}

await t.test('the guard alone reads, and writes nothing', async (t) => {
  const { host, token, userId, startWhole } = await startBeside(t, [])
  const before = await kept(host)
  t.strictSame((await host.call('/mine', { token })).json, { id: userId })
  t.equal((await host.call('/mine', { token: 'rubbish' })).status, 401)
  for (const path of ['/auth/readyz', '/auth/api/auth/health', '/auth/metrics']) t.equal((await host.call(path)).status, 200, path)
  t.strictSame(added(before, await kept(host)), {})
  const whole = await startWhole()
  t.equal((await whole.call('/api/auth/logout', { method: 'POST', token })).status, 200)
  if (!realEngines) whole.clock.advance(60_000 * 1.2 + 1) // nobody tells another service in the same process
  await until(async () => (await host.call('/mine', { token })).status === 401, 'what was ended elsewhere is ended here', 1000)
})

await t.test('preferences alone keep no visit, no lease and no count of sessions', async (t) => {
  const { host, token } = await startBeside(t, ['preferences'])
  const before = await kept(host)
  t.equal((await host.call('/auth/api/preferences', { method: 'POST', token, body: { theme: 'dark' } })).json.theme, 'dark')
  t.equal((await host.call('/auth/api/preferences', { token })).json.theme, 'dark')
  t.equal((await host.call('/auth/api/preferences', { method: 'POST', body: { theme: 'dark' } })).status, 200)
  const more = added(before, await kept(host))
  for (const name of Object.keys(more)) t.ok(['redis user:profile', 'redis profiles'].includes(name), `${name}: ${String(more[name])}`)
})

await t.test('visits alone keep visits and the lease of their job', async (t) => {
  const { host, token } = await startBeside(t, ['visits'])
  const [before, leases] = [await kept(host), await leaseNames(host)]
  t.equal((await host.call('/auth/api/session/page', { method: 'POST', token, body: { pageId: '/a' } })).status, 201)
  t.equal((await host.call('/auth/api/session/page', { method: 'POST', body: { pageId: '/a' } })).status, 201)
  await until(async () => (await leaseNames(host)).includes('visit-archive'), 'its job has run')
  const more = added(before, await kept(host))
  t.equal(more['visits'], 1)
  for (const name of Object.keys(more)) t.ok(['visits', 'visitlog', 'leases', 'redis visit'].includes(name), `${name}: ${String(more[name])}`)
  t.strictSame((await leaseNames(host)).filter((name) => !leases.includes(name)), ['visit-archive'].filter((name) => !leases.includes(name)), 'and no other')
})

await t.test('accounts alone keep no visit, whatever cookies a guest comes with', async (t) => {
  const host = await startHost(t, { options: { parts: ['auth'] } })
  const elsewhere = await startHost(t)
  const cookies = cookiesOf(await elsewhere.call('/api/session', { method: 'POST' }))
  const cookie = `visit=${String(cookies['visit']?.['value'])}`
  const name = 'parted'
  const registered = await host.call('/api/auth/register', { method: 'POST', body: { username: name, email: `${name}@leak-mark.example`, password: `Pw7mark-${name}` }, headers: { cookie } })
  t.equal(registered.status, 201)
  t.strictSame(cookiesOf(registered), {})
  t.equal((await host.call('/api/auth/profile', { token: registered.json.accessToken })).status, 200)
  t.equal((await host.call('/api/auth/logout', { method: 'POST', token: registered.json.accessToken, headers: { cookie } })).status, 200)
  const there = await kept(host)
  t.match(there, { users: 1, usersession: 1, visits: 0, visitlog: 0 })
  t.notOk('redis visit' in there)
  if (mongodbUri !== undefined) t.strictSame((await host.db.listCollections().toArray()).map((one) => one.name).filter((one) => one.startsWith('visit')), [], 'not even an empty collection')
})

await t.test('a host that only guards holds the key that verifies and no other; with key pairs, no key that signs', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const pem = { private: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string, public: publicKey.export({ format: 'pem', type: 'spki' }) as string }
  const place = await beside(t, createDeployment(t))
  const whole = await startHost(t, { beside: place, env: { ACCESS_TOKEN_ALGORITHM: 'EdDSA', ACCESS_TOKEN_KEYS: pem.private } })
  t.teardown(async () => { if (mongodbUri !== undefined) await whole.db.dropDatabase() })
  const { accessToken: token, userId } = await whole.newcomer()
  const mount = async (options: LatchkeyOptions) => {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    await app.register(latchkey, { mongoClient: place.client, clock: place.clock, mongoDatabase: place.deployment.database, ...options })
    app.get('/mine', { onRequest: app.authenticate }, async ({ user }) => ({ id: user.id }))
    return app
  }
  const signs = { accessTokenAlgorithm: 'EdDSA', accessTokenKeys: pem.public } as const
  if (mongodbUri !== undefined) {
    const app = await mount({ parts: [], ...signs })
    t.strictSame((await app.inject({ url: '/mine', headers: { authorization: `Bearer ${token}` } })).json(), { id: userId })
    t.strictSame((await app.inject('/.well-known/jwks.json')).json(), (await whole.call('/.well-known/jwks.json')).json)
  }
  const refused = async (options: LatchkeyOptions, said: RegExp) => {
    await t.rejects(async () => { await Fastify().register(latchkey, { mongodbUri: 'mongodb://127.0.0.1:9', ...options }) }, { name: 'ConfigError', message: said })
  }
  await refused({ parts: [] }, /accessTokenSecret is required/)
  await refused({ parts: ['preferences'], ...signs }, /sessionSecret is required/)
  await refused({ parts: ['auth'], ...signs, refreshTokenSecret: testSecret(), sessionSecret: testSecret() }, /accessTokenKeys needs a private key/)
  await refused({ parts: ['auth'], accessTokenSecret: testSecret() }, /refreshTokenSecret is required(.|\n)*sessionSecret is required/)
})
