// Socket `security`, headers: every answer carries them, of whatever kind and from whatever depth it comes, also what is
// refused before a door is found (REQUIREMENTS J2, J3).
import t, { type Test } from 'tap'
import type { Answer } from '../helper/http.ts'
import { login, register } from '../helper/people.ts'
import { startService, type Service } from '../helper/service.ts'
import { exchange } from './raw-http.ts'

const service = await startService(t)
const { person, accessToken } = await register(service)

/** What is missing or too much, in words. */
function faultsOf ({ headers }: Answer, { tls = false } = {}): string[] {
  const policy = String(headers['content-security-policy'] ?? '').split(';').map((part) => part.trim()).sort().join('; ')
  const expected: Record<string, string | undefined> = {
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'x-powered-by': undefined,
    server: undefined,
    'strict-transport-security': tls ? 'max-age=31536000; includeSubDomains' : undefined
  }
  return [
    ...Object.entries(expected).filter(([name, value]) => headers[name] !== value).map(([name]) => `${name}: ${String(headers[name])}`),
    ...(policy === "default-src 'none'; frame-ancestors 'none'" ? [] : [`content-security-policy: ${policy}`])
  ]
}

async function expectOn (t: Test, answers: Record<string, Answer>, statuses: number[], options = {}): Promise<void> {
  t.strictSame(Object.values(answers).map(({ status }) => status), statuses)
  for (const [what, answer] of Object.entries(answers)) t.strictSame(faultsOf(answer, options), [], what)
}

await t.test('J3 answers that succeed', async (t) => {
  const { accessToken, refreshToken } = await login(service, person)
  await expectOn(t, {
    login: (await login(service, person)).answer,
    cookies: await service.post('/api/auth/login', { email: person.email, password: person.password, transport: 'cookie' }),
    refresh: await service.post('/api/auth/refresh', { refreshToken }),
    profile: await service.get('/api/auth/profile', { token: accessToken }),
    'profile from memory': await service.get('/api/auth/profile', { token: accessToken }),
    HEAD: await service.call('/api/auth/profile', { method: 'HEAD', token: accessToken }),
    OPTIONS: await service.call('/api/auth/profile', { method: 'OPTIONS' }),
    logout: await service.post('/api/auth/logout', undefined, { token: accessToken }),
    probe: await service.get('/livez'),
    problem: await service.get('/problems/not_found'),
    document: await service.get('/openapi.json')
  }, [200, 200, 200, 200, 200, 200, 204, 200, 200, 200, 200])
})

await t.test('J2 J3 answers that refuse', async (t) => {
  await expectOn(t, {
    'invalid input': await service.post('/api/auth/login', {}),
    'no JSON': await service.post('/api/auth/login', undefined, { raw: '{', headers: { 'content-type': 'application/json' } }),
    'no token': await service.get('/api/auth/profile'),
    'a bad token': await service.get('/api/auth/profile', { token: 'rubbish' }),
    'another site': await service.post('/api/auth/login', {}, { headers: { 'sec-fetch-site': 'cross-site' } }),
    'nothing there': await service.get('/nothing'),
    'nothing there to post to': await service.post('/nothing', {}),
    'another method': await service.call('/api/auth/login', { method: 'DELETE' }),
    'a method that nobody has': await service.call('/api/auth/login', { method: 'TRACE' }),
    'a taken name': await service.post('/api/auth/register', person),
    'too large': await service.post('/api/auth/login', 'x'.repeat(70_000)),
    'an address too long': await service.get(`/${'a'.repeat(3000)}`),
    'another type': await service.post('/api/auth/login', undefined, { raw: '<a/>', headers: { 'content-type': 'text/xml' } })
  }, [400, 400, 401, 401, 403, 404, 404, 405, 404, 409, 413, 414, 415])
})

await t.test('J2 J3 answers of a limit, a full queue and our own fault', async (t) => {
  const few = await startService(t, { env: { LOGIN_LIMIT_PER_ACCOUNT: '1', BCRYPT_CONCURRENCY: '1', BCRYPT_QUEUE: '0' } })
  const { person, userId } = await register(few)
  const tries = await Promise.all([1, 2, 3].map(async (n) => await few.post('/api/auth/login', { email: `${n}-${person.email}`, password: 'wrong' })))
  await few.db.collection<{ _id: string }>('users').updateOne({ _id: userId }, { $set: { passwordHash: 1 } }) // as a careless hand would
  await expectOn(t, {
    'a full queue': tries.find(({ status }) => status === 503) as Answer,
    'our own fault': await few.post('/api/auth/login', { email: person.email, password: person.password }),
    'a limit': await exhausted(few)
  }, [503, 500, 429])
})

async function exhausted (few: Service): Promise<Answer> {
  for (let i = 0; i < 2; i++) await few.post('/api/auth/login', { username: 'nobody', password: 'wrong' })
  return await few.post('/api/auth/login', { username: 'nobody', password: 'wrong' })
}

await t.test('J2 J3 answers that no door and no hook has seen: a bad address, a parameter too long', async (t) => {
  await expectOn(t, { 'a bad escape': await service.get('/%E0%A4%A'), 'a parameter too long': await service.get(`/problems/${'a'.repeat(500)}`) }, [400, 400])
})

await t.test('J2 J3 answers to what is no HTTP request', async (t) => {
  await expectOn(t, {
    'bad HTTP': await exchange(service, 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n'),
    'headers too large': await exchange(service, `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(20_000)}\r\n\r\n`)
  }, [400, 431])
})

await t.test('J3 over TLS: browsers are told to stay there', async (t) => {
  const tls = await startService(t, { env: { COOKIE_SECURE: 'on' } })
  await expectOn(t, { answer: await tls.get('/livez'), refusal: await tls.get('/api/auth/profile'), nothing: await tls.get('/nothing') }, [200, 401, 404], { tls: true })
})

await t.test('the docs page may run its own scripts and be framed by nobody', async (t) => {
  const { status, headers } = await service.get('/docs/')
  t.equal(status, 200)
  t.match(headers['content-security-policy'], /^default-src 'none'; script-src 'self';/)
  t.match(headers['content-security-policy'], /frame-ancestors 'none'$/)
  t.notMatch(headers['content-security-policy'], /unsafe-eval|script-src[^;]*unsafe-inline|\*|https?:/)
  for (const directive of ["base-uri 'none'", "form-action 'none'"]) t.ok(headers['content-security-policy']?.includes(`; ${directive};`), directive)
  t.equal(headers['cross-origin-opener-policy'], 'same-origin')
  t.equal(headers['x-content-type-options'], 'nosniff')
  t.equal((await service.get('/api/auth/profile', { token: accessToken })).headers['content-security-policy']?.includes('script-src'), false, 'no other answer may')
})
