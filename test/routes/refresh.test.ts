// Door `refresh`: a refresh token gives the next pair, by the way it came; a still valid access token renews itself;
// whatever this service did not issue is invalid and changes nothing (REQUIREMENTS D1, D4, D8, MISSION rows 3 and 20).
import t from 'tap'
import { cookiesOf, login, loginOf, newPerson, register, type Login } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const path = '/api/auth/refresh'
const service = await startService(t)
const { person } = await register(service)
const cookieOf = ({ accessToken, refreshToken }: Login): string => `accessToken=${accessToken}; refreshToken=${refreshToken}`
const works = async (token: string): Promise<boolean> => (await service.get('/api/auth/profile', { token })).status === 200

await t.test('D1 a refresh token gives a new pair of the same session', async (t) => {
  const first = await login(service, person)
  const next = loginOf(await service.post(path, { refreshToken: first.refreshToken }))
  t.equal(next.answer.status, 200)
  t.equal(next.sid, first.sid)
  t.not(next.refreshToken, first.refreshToken)
  t.not(next.accessToken, first.accessToken)
  t.match(next.answer.json, { message: String, token: next.accessToken, tokenType: 'Bearer', expiresIn: 900, refreshExpiresIn: 7 * 86_400, user: { username: person.username, email: person.email } })
  t.equal(next.answer.headers['cache-control'], 'no-store')
  t.equal(next.answer.headers['set-cookie'], undefined)
  t.ok(await works(next.accessToken))
  t.ok(await works(first.accessToken), 'the older access token lives until its own end')
  const further = loginOf(await service.post(path, { refreshToken: next.refreshToken }))
  t.equal(further.answer.status, 200, 'and so on')
  t.equal(new Set([first, next, further].map((login) => login.refreshToken)).size, 3)
})

await t.test('no header makes a script of what is in the cookies: beside a token in a header or the body they are not looked at', async (t) => {
  const first = await login(service, person)
  for (const headers of [{ 'x-access-token': 'x' }, { 'x-access-token': '' }, { authorization: 'Bearer x' }, { authorization: '' }]) {
    const answer = await service.post(path, undefined, { headers: { cookie: cookieOf(first), 'sec-fetch-site': 'same-origin', ...headers } })
    expectProblem(t, answer, 401, 'token_invalid', { what: JSON.stringify(headers) })
  }
  const own = await service.post(path, undefined, { headers: { cookie: cookieOf(first), 'x-access-token': first.accessToken } })
  t.equal(own.json.message, 'Access token renewed')
  t.equal(own.json.refreshToken, undefined)
  t.ok(await works(first.accessToken))
})

await t.test('what came by cookie is answered by cookie and not in the body', async (t) => {
  const first = await login(service, person)
  const answer = await service.post(path, undefined, { headers: { cookie: cookieOf(first) } })
  t.equal(answer.status, 200)
  t.strictSame(Object.keys(answer.json).sort(), ['expiresIn', 'message', 'refreshExpiresIn', 'session', 'tokenType', 'user'])
  const cookies = cookiesOf(answer)
  t.strictSame(Object.keys(cookies).sort(), ['accessToken', 'refreshToken'])
  t.not(cookies['refreshToken']?.['value'], first.refreshToken)
  t.ok(await works(cookies['accessToken']?.['value'] as string))
  t.equal((await service.post(path, {}, { headers: { cookie: `refreshToken=${cookies['refreshToken']?.['value']}` } })).status, 200, 'an empty object is no body')
})

await t.test('the body comes before the cookie, and is answered in the body', async (t) => {
  const [inBody, inCookie] = [await login(service, person), await login(service, person)]
  const next = loginOf(await service.post(path, { refreshToken: inBody.refreshToken }, { headers: { cookie: cookieOf(inCookie) } }))
  t.equal(next.sid, inBody.sid)
  t.type(next.refreshToken, 'string')
  t.equal(next.answer.headers['set-cookie'], undefined)
})

await t.test('a request with an Authorization header is judged by it: its cookies are not looked at', async (t) => {
  const [inHeader, inCookie] = [await login(service, person), await login(service, person)]
  const answer = await service.post(path, undefined, { token: inHeader.accessToken, headers: { cookie: cookieOf(inCookie) } })
  t.equal(answer.json.session.id, inHeader.sid)
  t.equal(answer.headers['set-cookie'], undefined)
  t.match(loginOf(await service.post(path, { refreshToken: inCookie.refreshToken })).refreshToken, /\.1\./, 'the cookie was not spent')
})

await t.test('a refresh token in the body is enough, whatever access token the client sends along', async (t) => {
  for (const token of ['rubbish', (await login(service, person)).accessToken]) {
    const first = await login(service, person)
    const next = loginOf(await service.post(path, { refreshToken: first.refreshToken }, { token }))
    t.equal(next.sid, first.sid)
    t.match(next.refreshToken, /\.1\./)
  }
})

await t.test('a valid access token renews itself: a new one, no refresh token, the end of the session stays', async (t) => {
  const first = await login(service, person)
  service.clock.advance(60_000)
  for (const call of [{ token: first.accessToken }, { headers: { 'x-access-token': first.accessToken } }]) {
    const next = loginOf(await service.post(path, undefined, call))
    t.equal(next.answer.status, 200)
    t.equal(next.sid, first.sid)
    t.notOk('refreshToken' in next.answer.json)
    t.not(next.accessToken, first.accessToken)
    t.equal(next.answer.json.expiresIn, 900)
    t.equal(next.answer.json.session.expiresAt, first.answer.json.session.expiresAt)
    t.ok(await works(next.accessToken))
  }
  const byCookie = await service.post(path, undefined, { headers: { cookie: `accessToken=${first.accessToken}` } })
  t.strictSame(Object.keys(cookiesOf(byCookie)), ['accessToken'], 'by cookie: the access cookie alone')
  t.notOk('accessToken' in byCookie.json)
  t.match(loginOf(await service.post(path, { refreshToken: first.refreshToken })).refreshToken, /\.1\./, 'the refresh token was not spent')
})

await t.test('an access token that is not good renews nothing, and the refusal says why', async (t) => {
  const ended = await login(service, person)
  await service.post('/api/auth/logout', undefined, { token: ended.accessToken })
  expectProblem(t, await service.post(path, undefined, { token: ended.accessToken }), 401, 'session_revoked')
  expectProblem(t, await service.post(path, undefined, { token: 'rubbish' }), 401, 'token_invalid')
  expectProblem(t, await service.post(path, undefined, { token: ended.refreshToken }), 401, 'token_invalid', { what: 'a refresh token as access token' })
  const old = await login(service, person)
  service.clock.advance(900_000)
  expectProblem(t, await service.post(path, undefined, { token: old.accessToken }), 401, 'token_expired')
})

await t.test('no token at all is said to be missing', async (t) => {
  for (const body of [undefined, {}]) expectProblem(t, await service.post(path, body), 401, 'refresh_token_missing', { what: JSON.stringify(body) ?? 'no body' })
})

await t.test('a refresh token of another type is invalid input', async (t) => {
  for (const refreshToken of ['', 1, null, true, {}, { $ne: '' }, ['rt1'], 'x'.repeat(5000)]) {
    expectProblem(t, await service.post(path, { refreshToken }), 400, 'validation_failed', { what: JSON.stringify(refreshToken).slice(0, 20) })
  }
  expectProblem(t, await service.post(path, { refreshToken: 'x', sid: 'y' }), 400, 'validation_failed', { what: 'an unknown key' })
})

await t.test('D4 a text that this service did not issue is invalid and changes nothing', async (t) => {
  const [mine, other] = [await login(service, person), await login(service, person)]
  const stranger = await startService(t)
  const foreign = await register(stranger, newPerson())
  const [version, sid, generation, mac] = mine.refreshToken.split('.') as [string, string, string, string]
  const flip = (text: string, at: number): string => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
  const tampered = {
    'another version': ['rt2', sid, generation, mac],
    'a changed sid': [version, flip(sid, 3), generation, mac],
    'the sid of another session': [version, other.sid, generation, mac],
    'a raised generation': [version, sid, '1', mac],
    'a generation in another form': [version, sid, '00', mac],
    'a negative generation': [version, sid, '-1', mac],
    'a huge generation': [version, sid, '99999999999999999999', mac],
    'a changed mac': [version, sid, generation, flip(mac, 0)],
    'a changed end of the mac': [version, sid, generation, flip(mac, 20)],
    'a shorter mac': [version, sid, generation, mac.slice(0, -1)],
    'no mac': [version, sid, generation, ''],
    'no generation': [version, sid, mac],
    'one part more': [version, sid, generation, mac, mac],
    'a space behind': [version, sid, generation, `${mac} `],
    'an access token': [mine.accessToken],
    'a token of another service': [foreign.refreshToken],
    rubbish: ['x']
  }
  for (const [what, parts] of Object.entries(tampered)) {
    expectProblem(t, await service.post(path, { refreshToken: parts.join('.') }), 401, 'refresh_token_invalid', { what })
    expectProblem(t, await service.post(path, undefined, { headers: { cookie: `refreshToken=${encodeURIComponent(parts.join('.'))}` } }), 401, 'refresh_token_invalid', { what: `${what}, as cookie` })
  }
  for (const { refreshToken, accessToken } of [mine, other]) {
    t.ok(await works(accessToken))
    t.match(loginOf(await service.post(path, { refreshToken })).refreshToken, /\.1\./, 'the real one still works')
  }
})

await t.test('D8 a refresh token counts in a POST body or cookie only', async (t) => {
  const { refreshToken } = await login(service, person)
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']) {
    const refused = await service.call(path, { method, headers: { cookie: `refreshToken=${refreshToken}` } })
    t.equal(refused.status, 405, method)
    t.equal(refused.headers['allow'], 'POST, OPTIONS', method)
    if (method !== 'HEAD') expectProblem(t, refused, 405, 'method_not_allowed', { what: method })
  }
  expectProblem(t, await service.post(`${path}?refreshToken=${refreshToken}`), 401, 'refresh_token_missing', { what: 'in the query' })
  expectProblem(t, await service.post(path, undefined, { headers: { 'x-refresh-token': refreshToken } }), 401, 'refresh_token_missing', { what: 'in a header' })
  t.equal((await service.get('/api/auth/profile', { token: refreshToken })).status, 401, 'at another door')
  t.match(loginOf(await service.post(path, { refreshToken })).refreshToken, /\.1\./, 'it was not spent')
})
