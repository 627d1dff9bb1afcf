// Door `PUT /api/auth/profile`: changes what is given and nothing else. What signs a person in needs the current password,
// and what it answers is at once what every door shows (REQUIREMENTS H1, H2).
import t, { type Test } from 'tap'
import type { Answer } from '../helper/http.ts'
import { login, newPerson, register, type Person } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const service = await startService(t)
const path = '/api/auth/profile'

const put = async (token: string, body: unknown): Promise<Answer> => await service.call(path, { method: 'PUT', body, token })
const profileOf = async (token: string): Promise<Answer['json']> => (await service.get(path, { token })).json

/** What both doors show of the account now: the profile and `request.user`. */
async function isShown (t: Test, token: string, shown: object): Promise<void> {
  t.match(await profileOf(token), shown, 'the profile')
  t.match((await service.get('/api/protected', { token })).json.user, shown, 'request.user')
}

/** What the record holds of a user. */
const recordOf = async (userId: string) => await service.db.collection('users').findOne({ _id: userId as never })

await t.test('a name is changed, answered and shown, and nothing else moves', async (t) => {
  const { person, accessToken, userId } = await register(service)
  const before = await profileOf(accessToken)
  await service.get('/api/protected', { token: accessToken })
  service.clock.advance(5000)
  const changed = await put(accessToken, { fullName: 'Ada King' })
  t.equal(changed.status, 200)
  t.strictSame(changed.json, { ...before, fullName: 'Ada King', updatedAt: changed.json.updatedAt })
  t.ok(changed.json.updatedAt > before.updatedAt)
  t.strictSame(await profileOf(accessToken), changed.json)
  await isShown(t, accessToken, { id: userId, username: person.username, fullName: 'Ada King' })
  const named = service.logs.filter(({ event }) => event === 'profile_changed')
  t.match(named, [{ userId, sid: String, address: '127.0.0.1' }], 'the audit stream has it once')
})

await t.test('`fullName: null` takes the name away, an empty one is refused', async (t) => {
  const { accessToken } = await register(service)
  await put(accessToken, { fullName: 'Ada' })
  expectProblem(t, await put(accessToken, { fullName: '' }), 400, 'validation_failed')
  t.equal((await put(accessToken, { fullName: null })).json.fullName, null)
  await isShown(t, accessToken, { fullName: null })
})

await t.test('H2 what an owner may not change is refused, whoever the owner is and whatever comes beside it', async (t) => {
  const { person, accessToken, userId } = await register(service)
  const before = await recordOf(userId)
  const currentPassword = person.password
  for (const extra of [{ role: 'admin' }, { password: 'x' }, { passwordHash: 'x' }, { tokenVersion: 9 }, { _id: 'x' }, { id: 'x' }, { avatarUrl: '/x' }, { avatarId: 'x' }, { emailKey: 'x' }, { preferences: {} }, { version: 1 }, { createdAt: 'x' }]) {
    expectProblem(t, await put(accessToken, { fullName: 'Eve', currentPassword, ...extra }), 400, 'validation_failed', { what: Object.keys(extra)[0] as string })
  }
  for (const body of [{ fullName: 5 }, { fullName: ['a'] }, { fullName: 'x'.repeat(201) }, { username: 'a b' }, { username: 'ab' }, { username: null }, { email: null }, { email: { $ne: '' } }, { email: 'no address', currentPassword }, { email: '   ', currentPassword }, { currentPassword: 5 }, []]) {
    expectProblem(t, await put(accessToken, body), 400, 'validation_failed', { what: JSON.stringify(body).slice(0, 40) })
  }
  const bare = await service.call(path, { method: 'PUT', token: accessToken })
  t.ok([400, 415].includes(bare.status), `no body at all: ${bare.status}`)
  t.strictSame(await recordOf(userId), before)
})

await t.test('a change of nothing is answered with the account as it is, and is no change', async (t) => {
  const { person, accessToken, userId } = await register(service)
  const before = await recordOf(userId)
  const { email, username } = person
  for (const body of [{}, { fullName: null }, { username }, { email: ` ${email} ` }, { email, username, fullName: null }]) {
    const answer = await put(accessToken, body)
    t.equal(answer.status, 200)
    t.strictSame(answer.json, await profileOf(accessToken))
  }
  t.strictSame(await recordOf(userId), before)
})

for (const field of ['email', 'username'] as const) {
  await t.test(`H2 another ${field} needs the current password; without the right one nothing changes at all`, async (t) => {
    const { person, accessToken, userId } = await register(service)
    const before = await recordOf(userId)
    const next = { [field]: newPerson()[field] }
    for (const given of [{}, { currentPassword: '' }, { currentPassword: `${person.password}?` }, { currentPassword: 'x'.repeat(100) }, { currentPassword: `${person.password}\0` }]) {
      expectProblem(t, await put(accessToken, { ...next, fullName: 'Eve', ...given }), 403, 'current_password_invalid')
    }
    t.strictSame(await recordOf(userId), before)
    const changed = await put(accessToken, { ...next, fullName: 'Ada', currentPassword: person.password })
    t.equal(changed.status, 200)
    t.match(changed.json, { ...next, fullName: 'Ada' })
    await isShown(t, accessToken, { ...next, fullName: 'Ada' })
    const { email, username, password } = { ...person, ...next } as Person
    for (const name of [{ email }, { username }]) t.equal((await service.post('/api/auth/login', { ...name, password })).status, 200, 'it signs in')
    expectProblem(t, await service.post('/api/auth/login', { [field]: person[field], password }), 401, 'invalid_credentials', { what: `the old ${field}` })
    const again = await register(service, { ...newPerson(), [field]: person[field] })
    t.not(again.userId, userId, 'and the old one is free')
  })
}

await t.test('a wrong current password is in the audit stream, without it', async (t) => {
  const { accessToken, userId } = await register(service)
  await put(accessToken, { username: newPerson().username, currentPassword: 'not this one' })
  const lines = service.logs.filter(({ event, userId: whose }) => event === 'current_password_wrong' && whose === userId)
  t.match(lines, [{ sid: String, address: '127.0.0.1' }])
})

await t.test('the own address and name may be written in another way; the account stays one', async (t) => {
  const { person, accessToken, userId } = await register(service)
  const spelled = { email: person.email.toUpperCase(), username: person.username.toUpperCase() }
  expectProblem(t, await put(accessToken, spelled), 403, 'current_password_invalid')
  const changed = await put(accessToken, { ...spelled, currentPassword: person.password })
  t.equal(changed.status, 200)
  await isShown(t, accessToken, { username: spelled.username })
  for (const { email, username } of [person, spelled]) {
    for (const name of [{ email }, { username }]) t.equal((await service.post('/api/auth/login', { ...name, password: person.password })).json.user.id, userId)
  }
})

await t.test('a name or an address that is somebody else\'s is a conflict, however it is written, and tells nothing of them', async (t) => {
  const [{ person, accessToken, userId }, other] = [await register(service), await register(service)]
  const before = await recordOf(userId)
  const currentPassword = person.password
  for (const [field, code] of [['email', 'email_taken'], ['username', 'username_taken']] as const) {
    for (const text of [other.person[field], other.person[field].toUpperCase()]) {
      const refused = await put(accessToken, { [field]: text, fullName: 'Eve', currentPassword })
      expectProblem(t, refused, 409, code)
      t.notMatch(refused.text, other.userId)
    }
    expectProblem(t, await put(accessToken, { [field]: other.person[field] }), 403, 'current_password_invalid', { what: 'and without the password it is not told' })
  }
  t.strictSame(await recordOf(userId), before)
  await isShown(t, accessToken, { username: person.username, fullName: null })
})

await t.test('it goes on with the same tokens, and with the alias', async (t) => {
  const { person, accessToken, refreshToken } = await register(service)
  await put(accessToken, { username: newPerson().username, currentPassword: person.password })
  t.equal((await service.call('/profile', { method: 'PUT', body: { fullName: 'By alias' }, token: accessToken })).json.fullName, 'By alias')
  t.equal((await service.post('/api/auth/refresh', { refreshToken })).json.user.fullName, 'By alias')
})

await t.test('a page of another site changes nothing by cookie', async (t) => {
  const { person, accessToken } = await register(service)
  const answer = await service.post('/api/auth/login', { email: person.email, password: person.password, transport: 'cookie' })
  const cookie = (answer.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ')
  const call = async (headers: Record<string, string>): Promise<Answer> => await service.call(path, { method: 'PUT', body: { fullName: 'Eve' }, headers: { cookie, ...headers } })
  expectProblem(t, await call({ 'sec-fetch-site': 'cross-site' }), 403, 'csrf_rejected')
  expectProblem(t, await call({ origin: 'https://evil.example' }), 403, 'csrf_rejected')
  t.equal((await profileOf(accessToken)).fullName, null)
  t.equal((await call({ 'sec-fetch-site': 'same-origin' })).json.fullName, 'Eve')
})

await t.test('an account that is gone has no profile to change', async (t) => {
  const { person, accessToken, userId } = await register(service)
  await login(service, person)
  await service.db.collection('users').deleteOne({ _id: userId as never })
  expectProblem(t, await put(accessToken, { fullName: 'Eve' }), 401, 'session_revoked')
})
