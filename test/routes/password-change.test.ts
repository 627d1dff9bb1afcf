// Door `PUT /api/auth/profile/password`: the current password opens it, every session ends, and the device that asked has
// a new one by the transport it uses; its visit goes on, the others' end (MISSION row 13, REQUIREMENTS E7).
import t from 'tap'
import type { Answer, Call } from '../helper/http.ts'
import { cookiesOf, login, loginOf, newPerson, register, type Person } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { archivedIn, visitorAt } from '../helper/visitors.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const service = await startService(t, { env: { ACCESS_TOKEN_EXPIRY: '1h', LOGIN_LIMIT_PER_ADDRESS: '1000' } })
const path = '/api/auth/profile/password'

const change = async (currentPassword: string, newPassword: string, call: Call): Promise<Answer> => await service.call(path, { method: 'PUT', body: { currentPassword, newPassword }, ...call })
const enter = async ({ email }: Person, password: string): Promise<Answer> => await service.post('/api/auth/login', { email, password })

await t.test('E7 every session ends, the new password alone signs in, and the device goes on with a fresh pair', async (t) => {
  const { person, ...first } = await register(service)
  const devices = [first, await login(service, person), loginOf(await service.post('/api/auth/refresh', { refreshToken: (await login(service, person)).refreshToken }))]
  const stranger = await register(service)
  for (const { accessToken: token } of devices) await service.get('/api/protected', { token })
  const newPassword = newPerson().password
  const answer = await change(person.password, newPassword, { token: first.accessToken })
  t.equal(answer.status, 200)
  t.equal(answer.headers['cache-control'], 'no-store')
  t.notOk(answer.headers['set-cookie'])
  const fresh = loginOf(answer)
  t.strictSame([answer.json.revoked, answer.json.token, answer.json.tokenType, answer.json.expiresIn, answer.json.user.id], [3, fresh.accessToken, 'Bearer', 3600, first.userId])
  for (const { accessToken: token, refreshToken, sid } of devices) {
    t.not(fresh.sid, sid)
    expectProblem(t, await service.get('/api/protected', { token }), 401, 'session_revoked')
    expectProblem(t, await service.post('/api/auth/refresh', { refreshToken }), 401, 'session_revoked')
    expectProblem(t, await service.post('/api/auth/refresh', undefined, { token }), 401, 'session_revoked')
  }
  expectProblem(t, await enter(person, person.password), 401, 'invalid_credentials')
  t.equal((await enter(person, newPassword)).status, 200)
  t.equal((await service.get('/api/protected', { token: fresh.accessToken })).status, 200)
  t.equal(loginOf(await service.post('/api/auth/refresh', { refreshToken: fresh.refreshToken })).sid, fresh.sid)
  t.equal((await service.get('/api/protected', { token: stranger.accessToken })).status, 200, 'nobody else is concerned')
  t.match(service.logs.filter(({ event }) => event === 'password_changed'), [{ userId: first.userId, sid: first.sid, address: '127.0.0.1' }])
})

await t.test('E7 a wrong current password changes nothing, and is in the audit stream', async (t) => {
  const { person, accessToken: token, userId } = await register(service)
  for (const wrong of [`${person.password}?`, '', 'x'.repeat(100), `${person.password}\0`, person.password.toUpperCase()]) {
    expectProblem(t, await change(wrong, newPerson().password, { token }), 403, 'current_password_invalid')
  }
  t.equal(service.logs.filter(({ event, userId: whose }) => event === 'current_password_wrong' && whose === userId).length, 5)
  t.equal((await service.get('/api/protected', { token })).status, 200)
  t.equal((await enter(person, person.password)).status, 200)
})

await t.test('A3 A7 a new password obeys the rules of a first one, and what is wrong is named where it stands', async (t) => {
  const { person, accessToken: token } = await register(service)
  await service.call('/api/auth/profile', { method: 'PUT', body: { fullName: 'Adalbert Quagmire' }, token })
  const refusals: [string, string][] = [
    ['seven77', 'password_too_short'], ['👍👍👍', 'password_too_short'], ['x'.repeat(73), 'password_too_long'], ['ж'.repeat(37), 'password_too_long'],
    ['password123', 'password_common'], [person.email, 'password_common'], [person.username, 'password_common'], ['Adalbert Quagmire', 'password_common'],
    ['abcdefgh\0xyz', 'validation_failed'], ['abcdefgh\ud800', 'validation_failed']
  ]
  for (const [newPassword, code] of refusals) {
    const refused = await change(person.password, newPassword, { token })
    expectProblem(t, refused, 400, code as 'password_common', { what: code })
    if (code === 'validation_failed') t.match(refused.json.errors, [{ path: '/body/newPassword', message: String }])
    if (newPassword !== 'password123') t.notMatch(refused.text, newPassword.slice(0, 8), 'it is not repeated')
  }
  for (const body of [{}, { newPassword: 'x' }, { currentPassword: person.password }, { currentPassword: 1, newPassword: 2 }, { currentPassword: 'a', newPassword: 'b', transport: 'body' }]) {
    expectProblem(t, await service.call(path, { method: 'PUT', body, token }), 400, 'validation_failed')
  }
  const long = await change(person.password, 'x'.repeat(60_000), { token })
  expectProblem(t, long, 400, 'validation_failed')
  t.ok(long.ms < 500)
  for (const odd of ['correct horse battery', ' lead and trail ', 'жжжжжжжж']) {
    const { person: other, accessToken } = await register(service)
    t.equal((await change(other.password, odd, { token: accessToken })).status, 200)
    t.equal((await enter(other, odd)).status, 200)
  }
})

await t.test('by cookie the fresh pair comes as cookies, the body has none, and the visit goes on', async (t) => {
  const { person } = await register(service)
  const device = visitorAt(service)
  await device.call('POST', '/api/auth/login', { email: person.email, password: person.password, transport: 'cookie' })
  await device.page('/a')
  const { id } = (await device.show()).json
  const old = new Map(device.jar)
  const body = { currentPassword: person.password, newPassword: newPerson().password }
  expectProblem(t, await device.call('PUT', path, body, { headers: { 'sec-fetch-site': 'cross-site' } }), 403, 'csrf_rejected')
  const answer = await device.call('PUT', path, body)
  t.equal(answer.status, 200)
  t.strictSame(['accessToken', 'token', 'refreshToken'].filter((name) => name in answer.json), [])
  t.match(cookiesOf(answer), { accessToken: { httponly: true, samesite: 'Strict', path: '/' }, refreshToken: { httponly: true, samesite: 'Strict', path: '/' } })
  t.equal((await device.call('GET', '/api/auth/profile')).status, 200)
  t.equal((await device.call('POST', '/api/auth/refresh')).status, 200)
  await device.page('/b')
  t.match((await device.show()).json, { id, pagesVisited: ['/a', '/b'] })
  expectProblem(t, await visitorAt(service, { jar: old }).call('GET', '/api/auth/profile'), 401, 'session_revoked')
})

await t.test('the visit of the device that asks goes on; those of the others are archived', async (t) => {
  const { person, accessToken } = await register(service)
  const others = [await login(service, person), await login(service, person)].map(({ accessToken: token }) => visitorAt(service, { token }))
  const own = visitorAt(service, { token: accessToken })
  for (const visitor of [own, ...others]) await visitor.page('/a')
  await own.action('x')
  const ids = await Promise.all([own, ...others].map(async (visitor) => (await visitor.show()).json.id))
  const fresh = loginOf(await change(person.password, newPerson().password, { token: accessToken }))
  const after = visitorAt(service, { token: fresh.accessToken })
  t.match((await after.show()).json, { id: ids[0], pagesVisited: ['/a'], actionCount: 1 })
  t.equal((await after.page('/b')).json.pageCount, 2)
  t.strictSame((await archivedIn(service, { _id: { $in: ids } })).map(({ _id }) => String(_id)).sort(), ids.slice(1).sort())
  t.match((await after.end()).json, { id: ids[0], pagesVisited: ['/a', '/b'] })
})

await t.test('the hash and the version move in one write, to the cost of now', async (t) => {
  const { person, accessToken: token, userId } = await register(service)
  const users = service.db.collection<{ _id: string, passwordHash: string, tokenVersion: number }>('users')
  const before = await users.findOne({ _id: userId })
  await change(person.password, newPerson().password, { token })
  const after = await users.findOne({ _id: userId })
  t.strictSame({ ...after, passwordHash: '', tokenVersion: 0 }, { ...before, passwordHash: '', tokenVersion: 0 }, 'nothing else does')
  t.equal(after?.tokenVersion, (before?.tokenVersion ?? 0) + 1)
  t.match(after?.passwordHash, /^\$2b\$10\$/)
  t.not(after?.passwordHash, before?.passwordHash)
})
