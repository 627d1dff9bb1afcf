// Who may look behind the service (plugins/operators.ts): whoever has METRICS_TOKEN, and admins; anybody where that token
// is not set and this is not production. Shown at /metrics, and by the answer that other doors ask for.
import Fastify from 'fastify'
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { createConfig } from '../../src/config/config.ts'
import { readEnvironment } from '../../src/config/environment.ts'
import { everyPart } from '../../src/config/parts.ts'
import { openClient } from '../helper/client-of.ts'
import { createTestClock } from '../helper/clock.ts'
import { mongodbUri } from '../helper/engines.ts'
import { callHttp, type Answer, type Call } from '../helper/http.ts'
import { login, register, type Login } from '../helper/people.ts'
import { createDeployment, startService, testSecret, type Service } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const production = { NODE_ENV: 'production', ...(mongodbUri === undefined && { MONGODB_URI: 'embedded' }) }
const metricsToken = testSecret()

/** An account with the role, and a session that was opened under it. */
async function admin (service: Service): Promise<Login> {
  const { person, userId } = await register(service)
  await service.db.collection<{ _id: string }>('users').updateOne({ _id: userId }, { $set: { role: 'admin' } })
  return await login(service, person)
}

function isShown (t: Test, answer: Answer, what: string): void {
  t.equal(answer.status, 200, what)
  t.match(answer.text, /^# TYPE latchkey_checks_total counter$/m, what)
}

for (const [where, env] of Object.entries({ production, 'development with METRICS_TOKEN': { METRICS_TOKEN: metricsToken }, 'production with METRICS_TOKEN': { ...production, METRICS_TOKEN: metricsToken } })) {
  await t.test(`${where}: an admin sees metrics, a user and nobody do not`, async (t) => {
    const service = await startService(t, { env })
    const user = await register(service)
    const { accessToken, refreshToken } = await admin(service)
    isShown(t, await service.get('/metrics', { token: accessToken }), 'an admin')
    isShown(t, await service.get('/metrics', { headers: { 'x-access-token': accessToken } }), 'by the other header')
    expectProblem(t, await service.get('/metrics'), 401, 'token_missing', { what: 'nobody' })
    expectProblem(t, await service.get('/metrics', { token: user.accessToken }), 403, 'forbidden', { what: 'a user' })
    for (const call of [{ token: 'rubbish' }, { token: refreshToken }, { headers: { authorization: `Basic ${metricsToken}` } }]) {
      expectProblem(t, await service.get('/metrics', call), 401, 'token_invalid', { what: JSON.stringify(call).slice(0, 30) })
    }
    await service.post('/api/auth/logout', undefined, { token: accessToken })
    expectProblem(t, await service.get('/metrics', { token: accessToken }), 401, 'session_revoked', { what: 'an admin whose session has ended' })
    service.clock.advance(900_000)
    expectProblem(t, await service.get('/metrics', { token: user.accessToken }), 401, 'token_expired')
  })
}

await t.test('METRICS_TOKEN opens the door as a bearer, whole and nowhere else', async (t) => {
  const service = await startService(t, { env: { ...production, METRICS_TOKEN: metricsToken } })
  isShown(t, await service.get('/metrics', { token: metricsToken }), 'the token')
  for (const text of [metricsToken.slice(1), metricsToken.slice(0, -1), `${metricsToken}x`, metricsToken.toUpperCase(), `x${metricsToken}`]) {
    expectProblem(t, await service.get('/metrics', { token: text }), 401, 'token_invalid')
  }
  const elsewhere: Call[] = [{ headers: { 'x-access-token': metricsToken } }, { headers: { cookie: `__Host-accessToken=${metricsToken}` } }]
  for (const call of elsewhere) expectProblem(t, await service.get('/metrics', call), 401, 'token_invalid')
  expectProblem(t, await service.get(`/metrics?token=${metricsToken}`), 401, 'token_missing')
  expectProblem(t, await service.get('/api/protected', { token: metricsToken }), 401, 'token_invalid', { what: 'it is nobody\'s access token' })
  t.notOk(JSON.stringify(service.logs).includes(metricsToken), 'and it is in no log line')
})

await t.test('development without METRICS_TOKEN: anybody, whatever is sent', async (t) => {
  const service = await startService(t)
  const user = await register(service)
  for (const call of [{}, { token: 'rubbish' }, { token: user.accessToken }, { headers: { authorization: 'Basic x' } }]) isShown(t, await service.get('/metrics', call), JSON.stringify(call).slice(0, 30))
})

await t.test('other doors ask with a question that is always answered', async (t) => {
  const deployment = createDeployment(t)
  const config = createConfig(readEnvironment({ ...deployment.env, METRICS_TOKEN: metricsToken }), { randomBytes })
  const mongoClient = await openClient(t, deployment)
  const app = Fastify()
  t.teardown(async () => {
    if (config.store.kind === 'mongodb') await mongoClient.db(config.store.database).dropDatabase()
    await app.close()
  })
  app.decorateRequest('user', null as never)
  await app.register(async (scope) => {
    await buildApp(scope, { config, clock: createTestClock(), randomBytes, parts: everyPart, base: '', ownsNotFound: true, mongoClient })
    scope.get('/question', { schema: { hide: true } }, async (request) => ({ sees: await scope.isOperator(request) }))
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const ask = async (call: Call): Promise<unknown> => (await callHttp(app.listeningOrigin, '/question', call)).json
  t.strictSame(await ask({ token: metricsToken }), { sees: true })
  for (const call of [{}, { token: 'rubbish' }, { headers: { authorization: 'Basic x' } }, { headers: { cookie: 'accessToken=x' } }]) t.strictSame(await ask(call), { sees: false }, JSON.stringify(call))
})
