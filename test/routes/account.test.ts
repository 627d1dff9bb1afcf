// Doors of the signed-in account: `profile` and `protected` show the account of the token and nothing that was not agreed
// (REQUIREMENTS C9, E9, H1).
import t from 'tap'
import { login, loginOf, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const service = await startService(t)
const { person, ...first } = await register(service)
const users = service.db.collection<{ _id: string }>('users')
const doors = ['/api/auth/profile', '/api/protected']

await t.test('H1 the profile is the account as its owner sees it, field by field', async (t) => {
  const answer = await service.get('/api/auth/profile', { token: first.accessToken })
  t.equal(answer.status, 200)
  const { createdAt, updatedAt, ...rest } = answer.json
  t.strictSame(rest, {
    id: first.userId,
    _id: first.userId,
    username: person.username,
    email: person.email,
    fullName: null,
    role: 'user',
    avatarUrl: null,
    preferences: { theme: 'system', notifications: true, language: 'en' }
  })
  for (const instant of [createdAt, updatedAt]) t.equal(new Date(instant).toISOString(), instant)
  t.equal(answer.headers['cache-control'], 'no-store')
})

await t.test('the greeting names the account of the token', async (t) => {
  const other = await register(service)
  for (const { accessToken, person: { username, email }, userId } of [{ ...first, person }, other]) {
    const answer = await service.get('/api/protected', { token: accessToken })
    t.equal(answer.status, 200)
    t.strictSame(answer.json, { message: `Hello, ${username}`, user: { id: userId, _id: userId, username, email, fullName: null, role: 'user', avatarUrl: null } })
  }
})

await t.test('H1 what else the record holds is not shown', async (t) => {
  const { accessToken, userId } = await register(service)
  await users.updateOne({ _id: userId }, { $set: { internalNote: 'owes us money', preferences: { theme: 'dark', secretFlag: true }, 'device.secret': 1 } })
  for (const door of doors) {
    const answer = await service.get(door, { token: accessToken })
    t.equal(answer.status, 200)
    t.notMatch(answer.text, /internalNote|owes us|secret|passwordHash|tokenVersion|emailKey|usernameKey|"version"/, door)
  }
  t.strictSame((await service.get('/api/auth/profile', { token: accessToken })).json.preferences, { theme: 'dark', notifications: true, language: 'en' }, 'what was chosen, and defaults for the rest')
})

await t.test('HEAD is answered as GET, without the body', async (t) => {
  for (const door of doors) {
    const head = await service.call(door, { method: 'HEAD', token: first.accessToken })
    t.equal(head.status, 200)
    t.equal(head.text, '')
    t.equal((await service.call(door, { method: 'HEAD' })).status, 401)
  }
})

await t.test('no door of the account opens without a live session', async (t) => {
  const ended = await login(service, person)
  await service.post('/api/auth/logout', undefined, { token: ended.accessToken })
  for (const door of doors) {
    expectProblem(t, await service.get(door), 401, 'token_missing', { what: door })
    expectProblem(t, await service.get(door, { token: 'rubbish' }), 401, 'token_invalid', { what: door })
    expectProblem(t, await service.get(door, { token: ended.accessToken }), 401, 'session_revoked', { what: door })
    expectProblem(t, await service.get(door, { token: ended.refreshToken }), 401, 'token_invalid', { what: door })
  }
})

await t.test('C9 the session must exist: a well signed token of a session that is gone is refused', async (t) => {
  const gone = await login(service, person)
  await service.db.collection<{ _id: string }>('usersession').deleteOne({ _id: gone.sid })
  service.clock.advance(60_000 * 1.2 + 1) // VERDICT_TTL_SECONDS: nothing told the tiers
  for (const door of doors) expectProblem(t, await service.get(door, { token: gone.accessToken }), 401, 'session_revoked', { what: door })
  expectProblem(t, await service.post('/api/auth/refresh', { refreshToken: gone.refreshToken }), 401, 'refresh_token_invalid')
})

await t.test('E9 an account that is gone is out: its tokens, its refresh tokens, its password', async (t) => {
  const { person, ...gone } = await register(service)
  const next = loginOf(await service.post('/api/auth/refresh', { refreshToken: gone.refreshToken }))
  await users.deleteOne({ _id: gone.userId })
  service.clock.advance(60_000 * 1.2 + 1)
  for (const { accessToken } of [gone, next]) {
    for (const door of doors) expectProblem(t, await service.get(door, { token: accessToken }), 401, 'session_revoked', { what: door })
  }
  expectProblem(t, await service.post('/api/auth/refresh', { refreshToken: next.refreshToken }), 401, 'session_revoked')
  expectProblem(t, await service.post('/api/auth/login', { email: person.email, password: person.password }), 401, 'invalid_credentials')
})

await t.test('a raised tokenVersion ends every token of the user', async (t) => {
  const { person, ...first } = await register(service)
  const second = await login(service, person)
  await users.updateOne({ _id: first.userId }, { $inc: { tokenVersion: 1 } })
  service.clock.advance(60_000 * 1.2 + 1)
  for (const { accessToken, refreshToken } of [first, second]) {
    expectProblem(t, await service.get('/api/protected', { token: accessToken }), 401, 'session_revoked')
    expectProblem(t, await service.post('/api/auth/refresh', { refreshToken }), 401, 'session_revoked')
  }
  t.equal((await service.get('/api/protected', { token: (await login(service, person)).accessToken })).status, 200)
})
