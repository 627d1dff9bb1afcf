// Door `login`: by e-mail address and by username, one answer for everything that is wrong, a new session each time, and
// no way to ask the database a question of one's own (REQUIREMENTS B1, B3, B4; B2 is in equal-times.test.ts).
import t from 'tap'
import type { Answer } from '../helper/http.ts'
import { login, loginOf, newPerson, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const path = '/api/auth/login'
const service = await startService(t, { env: { LOGIN_LIMIT_PER_ADDRESS: '0', LOGIN_LIMIT_PER_ACCOUNT: '0' } })
const { person, userId, ...first } = await register(service)
const wrong = `${person.password}?`

await t.test('an account is signed in to by its e-mail address or its username, in any spelling', async (t) => {
  for (const who of [{ email: person.email }, { email: person.email.toUpperCase() }, { email: ` ${person.email} ` }, { username: person.username }, { username: person.username.toUpperCase() }]) {
    const answer = await service.post(path, { ...who, password: person.password })
    t.equal(answer.status, 200, JSON.stringify(who))
    t.match(answer.json, { message: 'Login successful', tokenType: 'Bearer', expiresIn: 900, refreshExpiresIn: 7 * 86_400, user: { id: userId, username: person.username, email: person.email } })
    t.equal(answer.json.token, answer.json.accessToken)
    t.equal(answer.headers['cache-control'], 'no-store')
    t.equal((await service.get('/api/auth/profile', { token: answer.json.accessToken })).status, 200)
  }
})

/** What a client can tell two answers apart by. */
function visible ({ status, headers, json }: Answer): unknown {
  const { date, 'x-request-id': id, 'content-length': length, ...rest } = headers
  return { status, headers: rest, json: { ...json, requestId: '' } }
}

await t.test('B1 a wrong password and an unknown account are one answer', async (t) => {
  const reference = await service.post(path, { email: person.email, password: wrong })
  expectProblem(t, reference, 401, 'invalid_credentials')
  const others = {
    'wrong password, by username': { username: person.username, password: wrong },
    'unknown address': { email: newPerson().email, password: person.password },
    'unknown username': { username: newPerson().username, password: person.password },
    'a text that is no address': { email: 'nobody', password: person.password },
    'a text that can be no username': { username: 'no/body here', password: person.password },
    'a password that can be nobody\'s': { email: person.email, password: 'a'.repeat(200) },
    'a password with a NUL': { email: person.email, password: `${person.password}\u0000` },
    'no password': { email: person.email, password: '' }
  }
  for (const [what, body] of Object.entries(others)) t.strictSame(visible(await service.post(path, body)), visible(reference), what)
})

await t.test('B3 each login is a session of its own and leaves the others alone', async (t) => {
  const logins = [await login(service, person), await login(service, person), await login(service, person)]
  const jti = (token: string): string => JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()).jti
  for (const of of [(one: typeof first) => one.sid, (one: typeof first) => one.refreshToken, (one: typeof first) => jti(one.accessToken)]) {
    t.equal(new Set([first, ...logins].map(of)).size, 4)
  }
  for (const { accessToken } of [first, ...logins]) t.equal((await service.get('/api/auth/profile', { token: accessToken })).status, 200)
})

await t.test('B3 what a client brings along to a login is not kept: no session, no token, no id', async (t) => {
  const { email, password } = person
  for (const headers of [
    { authorization: `Bearer ${first.accessToken}` },
    { 'x-access-token': first.accessToken },
    { cookie: `accessToken=${first.accessToken}; refreshToken=${first.refreshToken}` },
    { cookie: 'accessToken=chosen-by-somebody; refreshToken=rt1.chosenBySomebody000.0.x' }
  ]) {
    const fresh = loginOf(await service.post(path, { email, password }, { headers }))
    t.equal(fresh.answer.status, 200)
    t.not(fresh.sid, first.sid, Object.keys(headers)[0] as string)
    t.equal(fresh.answer.headers['set-cookie'], undefined, 'what was asked for by body is not answered by cookie')
  }
  t.equal((await service.get('/api/auth/profile', { token: first.accessToken })).status, 200, 'the session that came along lives on')
})

await t.test('B4 an operator is no value', async (t) => {
  const { email, username, password } = person
  for (const body of [
    { email: { $gt: '' }, password: { $gt: '' } },
    { email: { $regex: '.*' }, password },
    { username: { $ne: null }, password },
    { email: { $in: [email] }, password },
    { email: [email], password },
    { email: null, password },
    { email: true, password },
    { email: 1, password },
    { email, password: { $gt: '' } },
    { email, password: { $ne: 'x' } },
    { username, password: [password] },
    { username, password: null },
    { 'email[$ne]': 'x', password },
    { email, password, 'password[$ne]': 'x' },
    { email, password, $where: 'sleep(1000)' },
    { $or: [{ email }], password }
  ]) {
    expectProblem(t, await service.post(path, body), 400, 'validation_failed', { what: JSON.stringify(body).replaceAll(password, '...') })
  }
  const form = await service.post(path, undefined, { raw: `email[$ne]=x&password=${encodeURIComponent(password)}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  expectProblem(t, form, 415, 'unsupported_media_type', { what: 'as a form' })
})

await t.test('a login names exactly one account, and nothing that a login does not know', async (t) => {
  const { email, username, password } = person
  for (const body of [{ password }, { email, username, password }, { email }, {}, [], 'text', null, { email, password, remember: true }, { email, password, transport: 'header' }]) {
    const refused = await service.post(path, body)
    expectProblem(t, refused, 400, 'validation_failed', { what: JSON.stringify(body)?.replaceAll(password, '...') })
    t.match(refused.json.errors, [{ path: /^\/body/, message: String }])
  }
  const none = await service.post(path)
  expectProblem(t, none, 400, 'validation_failed', { what: 'no body' })
})
