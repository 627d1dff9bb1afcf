// Story: whatever ended a session and was acknowledged has ended it for good: then Redis, which keeps nothing on a disk, and
// both instances are killed, and when all of them are back no token of it works (REQUIREMENTS E4).
import t from 'tap'
import { openClient } from '../helper/client-of.ts'
import { mongodbUri } from '../helper/engines.ts'
import { startOwnEngine, withoutOwnEngines } from '../helper/own-engines.ts'
import { login, newPerson, register, type Login, type Person } from '../helper/people.ts'
import { startProcess, type ServerProcess } from '../helper/process.ts'
import { createDeployment, until, type Caller } from '../helper/service.ts'

const callerOf = ({ call }: ServerProcess): Caller => ({ call, get: call, post: (path, body, more) => call(path, { method: 'POST', ...(body !== undefined && { body }), ...more }) })

/** What ends sessions; the second login of each person is ended. */
const ends: Record<string, (at: Caller, first: Login, second: Login, person: Person) => Promise<{ status: number }>> = {
  logout: (at, _first, { accessToken: token }) => at.post('/api/auth/logout', undefined, { token }),
  'logout by refresh token': (at, _first, { refreshToken }) => at.post('/api/auth/logout', { refreshToken }),
  'logout-all': (at, { accessToken: token }) => at.post('/api/auth/logout-all', undefined, { token }),
  'the end of a device': (at, { accessToken: token }, { sid }) => at.call(`/api/auth/sessions/${sid}`, { method: 'DELETE', token }),
  'the end of all others': (at, { accessToken: token }) => at.call('/api/auth/sessions', { method: 'DELETE', token }),
  'a new password': (at, { accessToken: token }, _second, { password }) => at.call('/api/auth/profile/password', { method: 'PUT', token, body: { currentPassword: password, newPassword: newPerson().password } })
}

await t.test('E4 a session whose end was acknowledged stays dead, though Redis and every instance are killed at once', { skip: withoutOwnEngines, timeout: 120_000 }, async (t) => {
  const redis = await startOwnEngine(t, 'redis')
  const deployment = createDeployment(t, { mongodbUri, redisUrl: redis.url })
  const client = await openClient(t, deployment)
  t.teardown(async () => { await client.db(deployment.database).dropDatabase() })
  const env = { ...deployment.env, VERDICT_TTL_SECONDS: '3600', LOGIN_LIMIT_PER_ADDRESS: '1000' }
  const start = async (): Promise<ServerProcess[]> => {
    const pair = [startProcess(t, env), startProcess(t, env)]
    for (const { origin } of pair) await origin
    return pair
  }

  const before = await start()
  const [a, b] = before.map(callerOf) as [Caller, Caller]
  const stories: { what: string, first: Login, second: Login, person: Person }[] = []
  for (const what of Object.keys(ends)) {
    const { person, ...first } = await register(a)
    const second = await login(b, person)
    for (const at of [a, b]) t.equal((await at.get('/api/protected', { token: second.accessToken })).status, 200)
    stories.push({ what, first, second, person })
  }
  const lives = await register(a)
  for (const { what, first, second, person } of stories) {
    const { status } = await ends[what]?.(a, first, second, person) as { status: number }
    t.ok(status === 200 || status === 204, `${what}: ${status}`)
  }
  for (const { child } of before) child.kill('SIGKILL')
  await redis.kill()
  await Promise.all(before.map(({ ended }) => ended))

  await redis.start()
  for (const at of (await start()).map(callerOf)) {
    await until(async () => (await at.get('/readyz')).status === 200, 'it is ready')
    for (const { what, second } of stories) {
      t.equal((await at.get('/api/protected', { token: second.accessToken })).json.code, 'session_revoked', what)
      t.equal((await at.post('/api/auth/refresh', { refreshToken: second.refreshToken })).json.code, 'session_revoked', `${what}, to refresh`)
    }
    t.equal((await at.get('/api/protected', { token: lives.accessToken })).status, 200, 'and nobody else is signed out')
  }
})
