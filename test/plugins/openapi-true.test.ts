// The document is true: whatever the service answers to a battery of calls is declared with its status, its code and its
// shape, and whatever an operation declares of its own is produced here (MISSION row 32, REQUIREMENTS J4). The replies that
// all operations share are produced in shared-replies.test.ts and slow-clients.test.ts; test/guard/answers.test.ts judges
// what all tests have seen.
import t from 'tap'
import type { Answer, Call } from '../helper/http.ts'
import { cookiesOf, login, loginOf, newPerson, register } from '../helper/people.ts'
import { pictureOf, upload, uploadCall } from '../helper/pictures.ts'
import { startService, testSecret } from '../helper/service.ts'
import { readDocument, type Operation } from './openapi-document.ts'

const metricsToken = testSecret()
const service = await startService(t, { env: { METRICS_TOKEN: metricsToken, LOGIN_LIMIT_PER_ADDRESS: '0', LOGIN_LIMIT_PER_ACCOUNT: '0', REFRESH_GRACE_SECONDS: '0', VISIT_ENTRIES: '2' } })
const document = await readDocument(service)
const { person, accessToken } = await register(service)
const stranger = await register(service)
const elsewhere = new Set(['request_timeout', 'rate_limited', 'headers_too_large', 'internal_error', 'unavailable'])
const seen = new Set<string>()

/** Makes a call and notes what of its answer the document does not declare. */
async function tell (path: string, call: Call = {}, at = path): Promise<string[]> {
  const method = call.method ?? 'GET'
  const operation = document.operations.find((one) => one.path === at && one.method === method) as Operation
  const answer: Answer = await service.call(path, call)
  seen.add(`${operation.is.operationId} ${answer.json?.status === answer.status ? answer.json.code : answer.status}`)
  return document.undeclared(operation, answer).map((fault) => `${method} ${path}: ${fault}`)
}
const post = async (path: string, body?: unknown, call: Call = {}): Promise<string[]> => await tell(path, { method: 'POST', ...(body !== undefined && { body }), ...call })

await t.test('J4 what any operation answers to what no client should send', async (t) => {
  const json = { 'content-type': 'application/json' }
  const faults: string[] = []
  for (const { path: at, method } of document.operations) {
    const path = at.replace('{code}', 'not_found').replace('{id}', 'nobodys')
    for (const call of [
      {}, { token: 'rubbish' }, { token: stranger.accessToken }, { headers: { authorization: 'Basic x' } }, { headers: { 'x-access-token': '' } }, { headers: { cookie: 'accessToken=x; refreshToken=y' } },
      { headers: { origin: 'null' } }, { headers: { accept: 'text/html' } }
    ]) faults.push(...await tell(path, { ...call, method }, at))
    faults.push(...await tell(`${path}?${'a'.repeat(3000)}`, { method }, at))
    if (method === 'GET') continue
    for (const call of [
      { body: {} }, { body: { unknown: 1 } }, { body: [] }, { raw: '{', headers: json }, { raw: '<a/>', headers: { 'content-type': 'text/xml' } }, { raw: 'x'.repeat(70_000), headers: json }, { body: { refreshToken: 'rubbish' } }
    ]) faults.push(...await tell(path, { ...call, method }, at))
  }
  t.strictSame(faults, [])
})

await t.test('what the doors of accounts answer', async (t) => {
  const { email, password, username } = person
  t.strictSame([
    ...await post('/api/auth/register', newPerson()),
    ...await post('/api/auth/register', { ...newPerson(), fullName: 'Ada Lovelace', transport: 'cookie' }),
    ...await post('/api/auth/register', { ...newPerson(), email }),
    ...await post('/api/auth/register', { ...newPerson(), username }),
    ...await post('/api/auth/register', { ...newPerson(), email: 'none' }),
    ...await post('/api/auth/register', { ...newPerson(), password: 'x' }),
    ...await post('/api/auth/register', { ...newPerson(), password: 'x'.repeat(100) }),
    ...await post('/api/auth/register', { ...newPerson(), password: 'password123' }),
    ...await post('/api/auth/login', { email, password }),
    ...await post('/api/auth/login', { username, password, transport: 'cookie' }),
    ...await post('/api/auth/login', { email, password: 'wrong' }),
    ...await tell('/api/auth/profile', { token: accessToken }),
    ...await tell('/api/protected', { token: accessToken }),
    ...await tell('/problems/nothing', {}, '/problems/{code}'),
    ...await tell(`/problems/${'a'.repeat(65)}`, {}, '/problems/{code}'),
    ...await tell(`/problems/${'a'.repeat(500)}`, {}, '/problems/{code}')
  ], [])
})

await t.test('what the doors of tokens answer', async (t) => {
  const [first, second, ended] = [await login(service, person), await login(service, person), await login(service, person)]
  const next = loginOf(await service.post('/api/auth/refresh', { refreshToken: first.refreshToken }))
  const cookies = cookiesOf(await service.post('/api/auth/login', { email: person.email, password: person.password, transport: 'cookie' }))
  const cookie = `refreshToken=${String(cookies['refreshToken']?.['value'])}`
  const faults = [
    ...await post('/api/auth/refresh', { refreshToken: next.refreshToken }),
    ...await post('/api/auth/refresh', undefined, { headers: { cookie } }),
    ...await post('/api/auth/refresh', undefined, { token: second.accessToken }),
    ...await post('/api/auth/refresh', { refreshToken: first.refreshToken }), // a reuse
    ...await post('/api/auth/logout', { refreshToken: ended.refreshToken }),
    ...await post('/api/auth/logout', { refreshToken: ended.refreshToken }),
    ...await post('/api/auth/refresh', { refreshToken: ended.refreshToken }),
    ...await tell('/api/auth/profile', { token: ended.accessToken }),
    ...await tell('/api/protected', { token: ended.accessToken }),
    ...await tell('/metrics', { token: ended.accessToken }),
    ...await tell('/metrics', { token: second.accessToken }),
    ...await tell('/metrics', { token: metricsToken }),
    ...await post('/api/auth/logout-all', { refreshToken: ended.refreshToken })
  ]
  const last = await login(service, person)
  service.clock.advance(900_000)
  faults.push(
    ...await tell('/api/auth/profile', { token: last.accessToken }),
    ...await tell('/api/protected', { token: last.accessToken }),
    ...await tell('/metrics', { token: last.accessToken }),
    ...await post('/api/auth/refresh', undefined, { token: last.accessToken }),
    ...await post('/api/auth/logout-all', undefined, { token: last.accessToken })
  )
  service.clock.advance(7 * 86_400_000)
  faults.push(...await post('/api/auth/refresh', { refreshToken: last.refreshToken }))
  const again = await login(service, person)
  faults.push(...await post('/api/auth/logout-all', undefined, { token: again.accessToken }))
  t.strictSame(faults, [])
})

await t.test('what the doors of the signed-in account answer', async (t) => {
  const { person, accessToken: token } = await register(service)
  const other = await register(service)
  const put = async (path: string, body: unknown, call: Call = { token }): Promise<string[]> => await tell(path, { method: 'PUT', body, ...call })
  const [profile, password] = ['/api/auth/profile', '/api/auth/profile/password']
  const { password: currentPassword } = person
  const foreign = { headers: { cookie: `accessToken=${token}`, origin: 'https://evil.example' } }
  const end = async (id: string, call: Call = { token }): Promise<string[]> => await tell(`/api/auth/sessions/${id}`, { method: 'DELETE', ...call }, '/api/auth/sessions/{id}')
  const faults = [
    ...await put(profile, { fullName: 'Ada King' }),
    ...await put(profile, { fullName: null }),
    ...await put(profile, { email: newPerson().email }),
    ...await put(profile, { email: 'none', currentPassword }),
    ...await put(profile, { email: other.person.email, currentPassword }),
    ...await put(profile, { username: other.person.username, currentPassword }),
    ...await put(profile, { fullName: 'x' }, foreign),
    ...await put(password, { currentPassword: 'wrong', newPassword: 'another long password' }),
    ...await put(password, { currentPassword, newPassword: 'x' }),
    ...await put(password, { currentPassword, newPassword: 'x'.repeat(73) }),
    ...await put(password, { currentPassword, newPassword: 'password123' }),
    ...await put(password, { currentPassword, newPassword: 'x' }, foreign),
    ...await tell('/api/auth/sessions', { token }),
    ...await tell('/api/auth/sessions?limit=0', { token }, '/api/auth/sessions'),
    ...await tell('/api/auth/sessions', { method: 'DELETE', token }),
    ...await end((await login(service, person)).sid),
    ...await end('a*b'),
    ...await end('x', foreign)
  ]
  for (const [method, path, at] of [['PUT', profile], ['PUT', password], ['DELETE', '/api/auth/sessions'], ['DELETE', '/api/auth/sessions/nobodys', '/api/auth/sessions/{id}']] as const) {
    for (const call of [{ body: { unknown: 1 } }, { raw: '<a/>', headers: { 'content-type': 'text/xml' } }, { raw: 'x'.repeat(70_000), headers: { 'content-type': 'application/json' } }]) faults.push(...await tell(path, { ...call, method, token }, at ?? path))
  }
  const changed = await service.call(password, { method: 'PUT', token, body: { currentPassword, newPassword: 'another long password' } })
  faults.push(...await put(password, { currentPassword: 'another long password', newPassword: currentPassword }, { token: changed.json.accessToken }))
  const last = await login(service, person)
  const doors: [string, string, unknown?][] = [['PUT', profile, {}], ['PUT', password, {}], ['GET', '/api/auth/sessions'], ['DELETE', '/api/auth/sessions']]
  const closed = async (call: Call): Promise<void> => {
    for (const [method, path, body] of doors) faults.push(...await tell(path, { method, ...(body !== undefined && { body }), ...call }))
    faults.push(...await end('x', call))
  }
  await closed({ token })
  await closed({ headers: { ...foreign.headers, cookie: `accessToken=${last.accessToken}` } })
  service.clock.advance(901_000)
  await closed({ token: last.accessToken })
  t.strictSame(faults, [])
})

await t.test('what the doors of pictures answer', async (t) => {
  const [door, pictures] = ['/api/auth/profile/avatar', '/api/avatars/{id}']
  const { accessToken: token } = await register(service)
  const ended = await register(service)
  const send = (content: Buffer | string, by = token): Call => uploadCall([{ filename: 'x', content }], by)
  const elsewhere = { headers: { cookie: `accessToken=${token}`, origin: 'null' } }
  const { json: { avatarUrl } } = await upload(service, token, await pictureOf('png'))
  const faults = [
    ...await tell(avatarUrl, {}, pictures),
    ...await tell(`/api/avatars/${'a'.repeat(65)}`, {}, pictures),
    ...await tell(door, send(await pictureOf('jpeg'))),
    ...await tell(avatarUrl, {}, pictures),
    ...await tell(door, send('no picture')),
    ...await tell(door, send('')),
    ...await tell(door, send(Buffer.alloc(3_000_000))),
    ...await tell(door, { method: 'POST', token, body: {} }),
    ...await tell(door, { ...elsewhere, method: 'POST' }),
    ...await tell(door, { ...elsewhere, method: 'DELETE' }),
    ...await tell(door, { method: 'DELETE', token, raw: 'x'.repeat(70_000), headers: { 'content-type': 'application/json' } }),
    ...await tell(door, { method: 'DELETE', token, raw: 'x', headers: { 'content-type': 'text/plain' } }),
    ...await tell(door, { method: 'DELETE', token, raw: '{', headers: { 'content-type': 'application/json' } }),
    ...await tell(door, { method: 'DELETE', token }),
    ...await tell(avatarUrl, {}, pictures)
  ]
  await service.post('/api/auth/logout', undefined, { token: ended.accessToken })
  for (const by of [ended.accessToken, token]) {
    faults.push(...await tell(door, send('x', by)), ...await tell(door, { method: 'DELETE', token: by }))
    service.clock.advance(901_000)
  }
  t.strictSame(faults, [])
})

await t.test('what the doors of visitors answer', async (t) => {
  const cookieOf = (answer: Answer, name: string) => ({ headers: { cookie: `${name}=${String(cookiesOf(answer)[name]?.['value'])}` } })
  const guest = cookieOf(await service.post('/api/session'), 'visit')
  const { accessToken: token } = await register(service)
  const last = await register(service)
  const details = { action: 'buy', target: 'x', details: { n: 1, yes: true, text: 'x' } }
  const faults: string[] = []
  for (const call of [guest, { token }]) {
    faults.push(
      ...await post('/api/session', undefined, call),
      ...await post('/api/session', undefined, call),
      ...await post('/api/session/page', { pageId: '/a' }, call),
      ...await post('/api/session/page', { pageId: '/b' }, call),
      ...await post('/api/session/page', { pageId: '/c' }, call),
      ...await post('/api/session/action', details, call),
      ...await post('/api/session/action', { action: 'look' }, call),
      ...await post('/api/session/action', { action: 'look' }, call),
      ...await tell('/api/session?limit=1', call, '/api/session'),
      ...await tell('/api/session/page?limit=1', call, '/api/session/page'),
      ...await tell('/api/session/action', call),
      ...await tell('/api/session?scope=user', call, '/api/session'),
      ...await tell('/api/session?limit=0', call, '/api/session'),
      ...await tell('/api/session/page?limit=0', call, '/api/session/page'),
      ...await tell('/api/session/action?cursor=x', call, '/api/session/action'),
      ...await tell('/api/session?limit=x', { ...call, method: 'DELETE' }, '/api/session'),
      ...await tell('/api/session', { ...call, method: 'DELETE' }),
      ...await tell('/api/session', { ...call, method: 'DELETE' }),
      ...await tell('/api/session', call),
      ...await tell('/api/session/page', call),
      ...await tell('/api/session/action', call),
      ...await tell('/api/session/history', call),
      ...await tell('/api/session/history?limit=0', call, '/api/session/history'),
      ...await post('/api/preferences', { theme: 'dark', notifications: false, language: 'fr' }, call),
      ...await post('/api/preferences', { language: 'no_tag' }, call),
      ...await tell('/api/preferences', call)
    )
  }
  await service.post('/api/auth/logout', undefined, { token })
  service.clock.advance(1)
  const expired = { token: last.accessToken }
  const doors: [string, string, unknown?][] = [['POST', '/api/session'], ['GET', '/api/session'], ['DELETE', '/api/session'], ['POST', '/api/session/page', { pageId: '/' }], ['GET', '/api/session/page'], ['POST', '/api/session/action', { action: 'x' }], ['GET', '/api/session/action'], ['GET', '/api/session/history'], ['GET', '/api/preferences'], ['POST', '/api/preferences', {}]]
  for (const [method, path, body] of doors) faults.push(...await tell(path, { method, ...(body !== undefined && { body }), token }))
  service.clock.advance(901_000)
  for (const [method, path, body] of doors) faults.push(...await tell(path, { method, ...(body !== undefined && { body }), ...expired }))
  for (const path of ['/api/session/page', '/api/session/action']) faults.push(...await tell(`${path}?visit=${'A'.repeat(22)}`, {}, path)) // a guest asks by id
  t.strictSame(faults, [])
})

await t.test('J4 whatever an operation declares of its own has been produced', async (t) => {
  const declared = document.operations.flatMap(({ is }) => Object.entries(is.responses as Record<string, { content?: Record<string, { examples?: object }> }>)
    .flatMap(([status, { content }]) => Number(status) < 400 ? [status] : Object.keys(content?.['application/problem+json']?.examples ?? {}))
    .filter((code) => !elsewhere.has(code) && (code !== 'validation_failed' || is.requestBody !== undefined || is.parameters !== undefined))
    .map((code) => `${is.operationId} ${code}`))
  t.strictSame(declared.filter((reply) => !seen.has(reply)), [])
})
