// More than one registration in one app (REQUIREMENTS K6): a second one that would see the first is a clear error; those that do
// not see each other are services beside each other.
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import latchkey, { type LatchkeyOptions } from '../../src/index.ts'
import { openClient } from '../helper/client-of.ts'
import { realEngines } from '../helper/engines.ts'
import { callHttp, type Answer, type Call } from '../helper/http.ts'
import { register, type Login } from '../helper/people.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { createDeployment, until } from '../helper/service.ts'

function createApp (t: Test): FastifyInstance {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  return app
}

/** Options of a service with records of its own. */
const alone = (t: Test): LatchkeyOptions => ({ dataDir: scratchFolder(t), nodeEnv: 'test', bcryptCost: 10 })

/** Mounts in a scope of its own, with a door behind its guard. */
async function mountIn (app: FastifyInstance, prefix: string, options: LatchkeyOptions): Promise<void> {
  await app.register(async (scope) => {
    await scope.register(latchkey, { prefix: '/auth', ...options })
    scope.get('/mine', { onRequest: scope.authenticate }, async ({ user }) => ({ id: user.id }))
  }, { prefix })
}

const call = async (app: FastifyInstance, path: string, what?: Call): Promise<Answer> => await callHttp(app.listeningOrigin, path, what)
const newcomer = async (app: FastifyInstance, base: string): Promise<Login> => await register({
  call: (path, what) => call(app, path, what),
  get: (path, what) => call(app, path, what),
  post: (path, body, what) => call(app, `${base}${path}`, { method: 'POST', ...(body !== undefined && { body }), ...what })
})
const mine = async (app: FastifyInstance, prefix: string, token: string): Promise<unknown> => {
  const { status, json } = await call(app, `${prefix}/mine`, { token })
  return status === 200 ? json.id : json.code
}

await t.test('K6 a second registration on one instance, or inside a scope that has one, is a clear error', async (t) => {
  for (const again of [
    async (app: FastifyInstance) => { await app.register(latchkey, { ...alone(t), prefix: '/again' }) },
    async (app: FastifyInstance) => { await app.register(async (scope) => { await scope.register(latchkey, { ...alone(t), prefix: '/again' }) }, { prefix: '/inside' }) }
  ]) {
    const app = createApp(t)
    await app.register(latchkey, alone(t))
    await t.rejects(again(app), { name: 'ConfigError', message: /latchkey is registered already, on this instance or on one around it: register it once/ })
  }
})

await t.test('K6 siblings, and an app around a scope that has its own, are services beside each other: nobody\'s token is good at another', async (t) => {
  const app = createApp(t)
  await mountIn(app, '/a', alone(t))
  await mountIn(app, '/b', alone(t))
  await app.register(latchkey, { ...alone(t), prefix: '/auth' }) // after those inside it, which it therefore does not see
  app.get('/mine', { onRequest: app.authenticate }, async ({ user }) => ({ id: user.id }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const places = ['/a', '/b', '']
  const logins = await Promise.all(places.map((place) => newcomer(app, `${place}/auth`)))
  for (const [i, { accessToken, userId }] of logins.entries()) {
    for (const [j, place] of places.entries()) t.equal(await mine(app, place, accessToken), i === j ? userId : 'token_invalid', `a token of ${places[i] ?? ''} at ${place}`)
  }
  t.equal((await call(app, '/a/auth/api/auth/logout', { method: 'POST', token: logins[0]?.accessToken as string })).json.revoked, 1)
  t.equal(await mine(app, '/a', logins[0]?.accessToken as string), 'session_revoked')
  t.equal(await mine(app, '/b', logins[1]?.accessToken as string), logins[1]?.userId)
})

await t.test('K6 siblings on the same stores are two instances of one service, and tell each other', { skip: !realEngines && 'needs two instances on one MongoDB and Redis: set REDIS_URL and MONGODB_URI' }, async (t) => {
  const { env, prefix: redisKeyPrefix, database } = createDeployment(t)
  const client = await openClient(t, { env, prefix: redisKeyPrefix, database, swept: true })
  const app = createApp(t)
  t.teardown(async () => { await client.db(database).dropDatabase() })
  const shared: LatchkeyOptions = {
    nodeEnv: 'test',
    bcryptCost: 10,
    mongodbUri: env['MONGODB_URI'] as string,
    redisUrl: env['REDIS_URL'] as string,
    redisKeyPrefix,
    accessTokenSecret: env['ACCESS_TOKEN_SECRET'] as string,
    refreshTokenSecret: env['REFRESH_TOKEN_SECRET'] as string,
    sessionSecret: env['SESSION_SECRET'] as string
  }
  await mountIn(app, '/a', shared)
  await mountIn(app, '/b', shared)
  await app.listen({ port: 0, host: '127.0.0.1' })
  for (const place of ['/a', '/b']) await until(async () => (await call(app, `${place}/auth/readyz`)).json.channel === 'hearing', 'it hears')
  const { accessToken, userId } = await newcomer(app, '/a/auth')
  t.equal(await mine(app, '/b', accessToken), userId)
  await call(app, '/b/auth/api/auth/logout', { method: 'POST', token: accessToken })
  await until(async () => await mine(app, '/a', accessToken) === 'session_revoked', 'felt by the other', 1000)
})

await t.test('two that would keep their records in one folder are told so', async (t) => {
  const app = createApp(t)
  const options = alone(t)
  await mountIn(app, '/a', options)
  await t.rejects(mountIn(app, '/b', options), { message: /is already open in this process/ })
})
