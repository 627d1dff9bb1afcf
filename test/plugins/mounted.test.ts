// The package in somebody else's app (MISSION row 35, REQUIREMENTS K6): the host gets two guards and `request.user`, and
// nothing else of it changes: its errors, headers, hooks, bodies and unknown addresses stay its own.
import Fastify from 'fastify'
import t from 'tap'
import latchkey from '../../src/index.ts'
import { startHost } from './mounted-host.ts'
import { expectProblem } from './expect-problem.ts'

let seen: unknown
const host = await startHost(t, {
  open (app) {
    app.get('/open', async () => ({ open: true }))
    app.post('/echo', async (request) => ({ body: request.body }))
    app.get('/mine', { onRequest: app.authenticate }, async (request) => {
      seen = request.user
      return { id: request.user.id, role: request.user.role }
    })
    app.post('/pay', { onRequest: app.authenticate }, async ({ user }) => ({ paidBy: user.id }))
    app.get('/admin', { onRequest: [app.authenticate, app.requireRole('admin')] }, async () => ({ admin: true }))
    app.get('/role-alone', { onRequest: app.requireRole('user') }, async () => ({ in: true }))
    app.get('/broken', async () => { throw new Error('the host broke') })
    app.get('/guarded-late', { preHandler: app.authenticate }, async ({ user }) => ({ id: user.id }))
  }
})
const { accessToken, refreshToken, userId } = await host.newcomer()

await t.test('a host guards its own doors, in any phase', async (t) => {
  t.strictSame((await host.call('/mine', { token: accessToken })).json, { id: userId, role: 'user' })
  t.strictSame((await host.call('/guarded-late', { headers: { 'x-access-token': accessToken } })).json, { id: userId })
  t.strictSame((await host.call('/mine', { headers: { cookie: `accessToken=${accessToken}` } })).json, { id: userId, role: 'user' })
  t.strictSame((await host.call('/pay', { method: 'POST', token: accessToken })).json, { paidBy: userId })
})

await t.test('`request.user` is frozen: a handler cannot change the user of the next request', async (t) => {
  await host.call('/mine', { token: accessToken })
  t.ok(Object.isFrozen(seen))
  t.throws(() => { (seen as { role: string }).role = 'admin' }, TypeError)
  t.strictSame((await host.call('/mine', { token: accessToken })).json, { id: userId, role: 'user' })
})

await t.test('a refusal has the host\'s own shape of errors, and the challenge that a 401 owes', async (t) => {
  const refusals: [string, string, string][] = [['', 'token_missing', 'Bearer realm="latchkey"'], ['rubbish', 'token_invalid', 'Bearer realm="latchkey", error="invalid_token"']]
  for (const [token, code, challenge] of refusals) {
    const refused = await host.call('/mine', token === '' ? {} : { token })
    t.equal(refused.status, 401)
    t.equal(refused.headers['content-type'], 'application/json; charset=utf-8')
    t.strictSame(Object.keys(refused.json).sort(), ['code', 'error', 'message', 'statusCode'])
    t.match(refused.json, { statusCode: 401, error: 'Unauthorized', code })
    t.equal(refused.headers['www-authenticate'], challenge)
  }
})

await t.test('a role is required by name, and whoever is nobody has none', async (t) => {
  t.match((await host.call('/admin')).json, { statusCode: 401, code: 'token_missing' })
  t.match((await host.call('/admin', { token: accessToken })).json, { statusCode: 403, code: 'forbidden' })
  t.match((await host.call('/role-alone', { token: accessToken })).json, { statusCode: 403, code: 'forbidden' }, 'without `authenticate` before it nobody has a role')

  const admin = await host.newcomer()
  await host.db.collection<{ _id: string }>('users').updateOne({ _id: admin.userId }, { $set: { role: 'admin' } })
  host.clock.advance(60_000 * 1.2 + 1) // nothing told the tiers
  t.strictSame((await host.call('/admin', { token: admin.accessToken })).json, { admin: true })
  t.equal((await host.call('/role-alone', { token: admin.accessToken })).status, 403)
})

await t.test('a cookie counts at a host\'s unsafe door only if no other site caused the request', async (t) => {
  const cookie = `accessToken=${accessToken}`
  const pay = async (headers: Record<string, string>) => await host.call('/pay', { method: 'POST', headers })
  for (const elsewhere of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example' }, { origin: 'null' }]) {
    const refused = await pay({ cookie, ...elsewhere } as Record<string, string>)
    t.match(refused.json, { statusCode: 403, code: 'csrf_rejected' }, JSON.stringify(elsewhere))
    t.strictSame((await pay({ authorization: `Bearer ${accessToken}`, ...elsewhere } as Record<string, string>)).json, { paidBy: userId }, 'a header proves that a script of the client sent it')
    t.strictSame((await pay({ 'x-access-token': accessToken, ...elsewhere } as Record<string, string>)).json, { paidBy: userId })
    t.equal((await host.call('/mine', { headers: { cookie, ...elsewhere } as Record<string, string> })).status, 200, 'reading is not refused')
  }
  for (const here of [{ 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }, { origin: host.app.listeningOrigin }, {}]) {
    t.strictSame((await pay({ cookie, ...here } as Record<string, string>)).json, { paidBy: userId }, JSON.stringify(here))
  }
})

await t.test('K6 nothing else of the host changes', async (t) => {
  const opened = await host.call('/open')
  t.strictSame(opened.json, { open: true })
  t.strictSame(Object.keys(opened.headers).sort(), ['connection', 'content-length', 'content-type', 'date', 'keep-alive'], 'no header of the package')
  t.strictSame((await host.call('/echo', { method: 'POST', raw: 'plain', headers: { 'content-type': 'text/plain' } })).json, { body: 'plain' }, 'no parser')
  t.equal((await host.call('/echo', { method: 'POST', body: { big: 'x'.repeat(200_000) } })).status, 200, 'no body limit')
  t.equal((await host.call('/echo', { method: 'POST', body: {}, headers: { origin: 'https://evil.example' } })).status, 200, 'no defence that it did not ask for')
  t.strictSame((await host.call('/broken')).json, { statusCode: 500, error: 'Internal Server Error', message: 'the host broke' }, 'no error handler')
  t.match((await host.call('/nothing')).json, { statusCode: 404, error: 'Not Found', message: 'Route GET:/nothing not found' }, 'no handler of unknown addresses')
  t.equal((await host.call('/open', { method: 'DELETE' })).status, 404, 'no handler of other methods')
  t.equal((await host.call('/open', { token: 'rubbish' })).status, 200, 'no guard')
  for (const name of ['redis', 'mongo', 'jwt', 'users', 'sessions', 'tokens', 'setCookie', 'parseCookie', 'swagger', 'signOut']) t.notOk(host.app.hasDecorator(name), name)
})

await t.test('K6 the mounted doors keep their own shape, and their tokens are good at the host\'s', async (t) => {
  expectProblem(t, await host.call('/api/auth/login', { method: 'POST', body: {} }), 400, 'validation_failed')
  expectProblem(t, await host.call('/api/auth/login'), 405, 'method_not_allowed')
  const refreshed = await host.call('/api/auth/refresh', { method: 'POST', body: { refreshToken } })
  t.equal((await host.call('/mine', { token: refreshed.json.accessToken })).json.id, userId)
  t.equal((await host.call('/api/auth/logout', { method: 'POST', token: accessToken })).json.revoked, 1)
  t.match((await host.call('/mine', { token: accessToken })).json, { statusCode: 401, code: 'session_revoked' })
})

await t.test('K6 under a prefix everything is under the prefix: doors, problems, document', async (t) => {
  const host = await startHost(t, { options: { prefix: '/auth' }, open (app) { app.get('/mine', { onRequest: app.authenticate }, async ({ user }) => ({ id: user.id })) } })
  const { accessToken, userId } = await host.newcomer()
  t.strictSame((await host.call('/mine', { token: accessToken })).json, { id: userId })
  t.equal((await host.call('/auth/profile', { token: accessToken })).json.id, userId)
  const missing = await host.call('/auth/api/auth/profile')
  expectProblem(t, missing, 401, 'token_missing', { base: '/auth' })
  t.equal((await host.call(missing.json.type)).json.code, 'token_missing', 'the type leads to its page')
  expectProblem(t, await host.call('/auth/nothing'), 404, 'not_found', { base: '/auth' })
  expectProblem(t, await host.call('/auth/livez', { method: 'POST' }), 405, 'method_not_allowed', { base: '/auth' })
  t.match((await host.call('/nothing')).json, { statusCode: 404, message: 'Route GET:/nothing not found' }, 'outside it is the host\'s')
  t.equal((await host.call('/api/auth/profile')).status, 404)
  const document = (await host.call('/auth/openapi.json')).json
  t.strictSame(document.servers.map(({ url }: { url: string }) => url), ['/auth'])
  t.ok('/api/auth/login' in document.paths, 'paths are told from there')
  const { examples } = document.paths['/api/auth/login'].post.responses[401].content['application/problem+json']
  t.match(examples.invalid_credentials.value, { type: '/auth/problems/invalid_credentials', instance: '/auth/api/auth/login' }, 'problems are shown as they come from there')
})

await t.test('a host that says nothing of nodeEnv is in production', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await t.rejects(async () => { await app.register(latchkey, { dataDir: t.testdir({}) }) }, { name: 'ConfigError', message: /mongodbUri is required in production(.|\n)*accessTokenSecret is required/ })
})

await t.test('what belongs to the app that listens is refused, not passed over', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const options = { dataDir: t.testdir({}), nodeEnv: 'test', trustProxy: 'loopback', port: 1 }
  await t.rejects(async () => { await app.register(latchkey, options) }, { name: 'ConfigError', message: /port belongs to the app(.|\n)*trustProxy belongs to the app/ })
})
