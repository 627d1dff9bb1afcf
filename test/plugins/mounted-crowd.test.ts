// A host that has all of it already: the same libraries with options of its own, a guard, a user, and fields by the names that
// are used here (REQUIREMENTS K6). Nothing that it answers changes, and nothing that the service answers.
import fastifyCookie from '@fastify/cookie'
import fastifyCors from '@fastify/cors'
import fastifyJwt from '@fastify/jwt'
import fastifyMongodb from '@fastify/mongodb'
import fastifyRateLimit from '@fastify/rate-limit'
import fastifyRedis from '@fastify/redis'
import fastifySwagger from '@fastify/swagger'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import latchkey, { type Authenticate, type PublicUser } from '../../src/index.ts'
import { redisUrl } from '../helper/engines.ts'
import { callHttp, type Call } from '../helper/http.ts'
import { cookiesOf } from '../helper/people.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { startHost } from './mounted-host.ts'

const itsOwn = { client: { itIs: 'the host\'s' }, db: 'its own database' }

/** Everything that a host may have before it mounts anything. */
async function crowd (app: FastifyInstance): Promise<void> {
  await app.register(fastifyCookie, { secret: 'a secret of the host, which signs its cookies', parseOptions: { signed: true, domain: 'host.example', path: '/host' } })
  await app.register(fastifyJwt, { secret: 'a secret of the host, which signs its tokens' })
  await app.register(fastifyJwt, { secret: 'another one of the host', namespace: 'partner', decoratorName: 'partner' })
  await app.register(fastifySwagger, { openapi: { info: { title: 'The host', version: '1.0.0' } }, exposeHeadRoutes: true })
  await app.register(fastifyCors, { origin: 'https://host.example' })
  await app.register(fastifyRateLimit, { max: 2, global: false })
  await app.register(fastifyMongodb, { client: { db: () => itsOwn.db } as never, database: 'x' })
  if (redisUrl !== undefined) {
    const client = new Redis(redisUrl)
    await app.register(fastifyRedis, { client })
    app.addHook('onClose', async () => { client.disconnect() })
  }
  app.decorate('authenticate', (async (request: FastifyRequest) => { await request.jwtVerify() }) as unknown as Authenticate)
  app.decorateRequest('member', 'the host\'s member')
  app.decorate('users', 'the host\'s users' as never)
  app.addSchema({ $id: 'Order', type: 'object', properties: { id: { type: 'string' } } })
  app.setErrorHandler((error, _request, reply) => { void reply.code((error as { statusCode?: number }).statusCode ?? 500).send({ oops: (error as Error).message }) })
  app.setNotFoundHandler((_request, reply) => { void reply.code(404).send({ oops: 'nothing here' }) })
  app.addHook('onSend', async (_request, reply) => { reply.header('x-host', 'yes') })
}

/** Its doors. */
function open (app: FastifyInstance): void {
  app.get('/order', { schema: { response: { 200: { $ref: 'Order#' } } } }, async () => ({ id: '1', secret: 'x' }))
  app.post('/sign-in', async (_request, reply: FastifyReply) => { void reply.setCookie('own', 'value').send({ token: app.jwt.sign({ sub: 'somebody', iat: 1 }) }) })
  app.get('/who', { onRequest: app.authenticate }, async (request) => ({ user: request.user, member: (request as unknown as { member: string }).member, cookies: request.cookies }))
  app.get('/limited', { config: { rateLimit: { max: 2, timeWindow: 60_000 } } }, async () => 'in')
  app.get('/broken', async () => { throw new Error('the host broke') })
  app.get('/document', { schema: { hide: true } }, async () => app.swagger())
  app.get('/things', { schema: { hide: true } }, async () => ({ jwt: Object.keys(app.jwt), mongo: app.mongo.db, users: app.users, plugins: ['partner' in app.jwt, app.hasDecorator('rateLimit')] }))
}

/** @returns what the host answers to all of it, without what each answer has of its own time */
async function answersOf (app: FastifyInstance): Promise<unknown[]> {
  const call = async (path: string, what: Call = {}): Promise<unknown> => {
    const { status, text, headers: { date: _date, 'x-ratelimit-reset': _reset, 'retry-after': _retry, ...headers } } = await callHttp(app.listeningOrigin, path, what)
    return { path, status, text, headers }
  }
  const signIn = await callHttp(app.listeningOrigin, '/sign-in', { method: 'POST' })
  const { token } = signIn.json as { token: string }
  const cookie = `own=${String(cookiesOf(signIn)['own']?.['value'])}`
  return [
    signIn.text, signIn.headers['set-cookie'],
    await call('/order'), await call('/who'), await call('/who', { token, headers: { cookie } }), await call('/who', { token: 'rubbish' }),
    await call('/limited'), await call('/limited'), await call('/limited'),
    await call('/order', { headers: { origin: 'https://host.example' } }), await call('/order', { method: 'OPTIONS', headers: { origin: 'https://host.example', 'access-control-request-method': 'GET' } }),
    await call('/broken'), await call('/nothing'), await call('/order', { method: 'DELETE' }), await call('/document'), await call('/things')
  ]
}

const names = { authenticate: 'requireLogin', requireRole: 'requireRoleOf', user: 'account' }

type Named = FastifyInstance & { requireLogin: Authenticate, requireRoleOf: FastifyInstance['requireRole'] }
type Held = FastifyRequest & { account: PublicUser | null }

/** Doors that it guards by the service, which are in no document. */
function openGuarded (app: FastifyInstance): void {
  const { requireLogin, requireRoleOf } = app as Named
  const schema = { hide: true }
  app.get('/mine', { schema, onRequest: requireLogin }, async (request) => ({ account: (request as Held).account?.id, user: request.user ?? null }))
  app.get('/both', { schema, onRequest: [app.authenticate, requireLogin] }, async (request) => ({ account: (request as Held).account?.id, user: request.user }))
  app.get('/admin', { schema, onRequest: [requireLogin, requireRoleOf('admin')] }, async () => 'in')
  app.get('/user', { schema, onRequest: [requireLogin, requireRoleOf('user')] }, async () => ({ in: true }))
  app.get('/role-alone', { schema, onRequest: requireRoleOf('user') }, async () => 'in')
}

/** The host without the service. */
async function startAlone (t: Test): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await crowd(app)
  open(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app
}

const host = await startHost(t, {
  options: { prefix: '/auth', names },
  env: { CORS_ORIGINS: 'https://app.example.com', REQUEST_LIMIT_PER_MINUTE: '100' },
  prepare: crowd,
  open (app) {
    open(app)
    openGuarded(app)
  }
})

await t.test('K6 nothing that the host answers is another: errors, headers, cookies, tokens, limits, CORS, its document', async (t) => {
  const alone = await startAlone(t)
  t.strictSame(await answersOf(host.app), await answersOf(alone))
})

await t.test('the service answers as it does anywhere: cookies, tokens, CORS, its own limit, its own document', async (t) => {
  const person = { username: 'crowded', email: 'crowded@leak-mark.example', password: 'Pw7mark-crowded' }
  const registered = await host.call('/auth/api/auth/register', { method: 'POST', body: { ...person, transport: 'cookie' } })
  t.equal(registered.status, 201)
  const cookies = cookiesOf(registered)
  t.match(cookies, { accessToken: { path: '/', httponly: true, samesite: 'Strict' }, refreshToken: { path: '/' } })
  t.notOk('domain' in (cookies['accessToken'] ?? {}))
  const cookie = Object.entries(cookies).map(([name, { value }]) => `${name}=${String(value)}`).join('; ')
  t.equal((await host.call('/auth/profile', { headers: { cookie } })).json.username, 'crowded')
  t.equal((await host.call('/auth/api/auth/refresh', { method: 'POST', headers: { cookie } })).status, 200)
  t.equal((await host.call('/auth/livez', { headers: { origin: 'https://app.example.com' } })).headers['access-control-allow-origin'], 'https://app.example.com')
  t.ok('/api/auth/login' in (await host.call('/auth/openapi.json')).json.paths)
  t.equal((await host.call('/auth/api/session', { method: 'POST' })).status, 201)
  t.match((await host.call('/auth/nothing')).json, { code: 'not_found' })
})

await t.test('by other names the guards use a field of their own, and the host\'s user is the host\'s', async (t) => {
  const { userId, accessToken: token } = await host.newcomer()
  t.strictSame((await host.call('/mine', { token })).json, { account: userId, user: null })
  t.match((await host.call('/mine')).json, { oops: 'This operation needs an access token.' })
  t.strictSame((await host.call('/user', { token })).json, { in: true })
  t.equal((await host.call('/admin', { token })).status, 403)
  t.equal((await host.call('/role-alone', { token })).status, 403, 'without the guard before it nobody has a role')
  const { json: { token: its } } = await host.call('/sign-in', { method: 'POST' })
  t.strictSame((await host.call('/both', { headers: { authorization: `Bearer ${its as string}`, cookie: `accessToken=${token}` } })).status, 401, 'a header that the host reads is read here too')
  t.strictSame((await host.call('/both', { token })).status, 401)
})

await t.test('the limit on requests is the service\'s own', async (t) => {
  let [passed, status] = [0, 200]
  for (; status === 200 && passed < 200; passed++) status = (await host.call('/auth/livez')).status
  t.equal(status, 429)
  t.ok(passed > 50 && passed <= 100, `after its own hundred, and not after the host's two: ${passed}`)
})

await t.test('a guard that the host has is not replaced: it is told to name this one otherwise', async (t) => {
  for (const [prepare, given, said] of [
    [crowd, {}, /a decorator `authenticate` already(.|\n)*requests have a decorator `user` already/],
    [crowd, { ...names, user: 'member' }, /requests have a decorator `member` already/],
    [(app: FastifyInstance) => { app.decorate('requireRole', () => () => { /* it has none */ }) }, {}, /a decorator `requireRole` already/],
    [() => { /* nothing */ }, { guard: 'x' }, /names: there is no guard/]
  ] as const) {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    await prepare(app)
    await t.rejects(async () => { await app.register(latchkey, { dataDir: scratchFolder(t), nodeEnv: 'test', names: given as object }) }, { name: 'ConfigError', message: said })
  }
})
