// Socket `cookies`: tokens as cookies that no script reads, no other site sends and no plain connection carries; never
// also in the body; gone at logout (REQUIREMENTS F1, MISSION row 20).
import t, { type Test } from 'tap'
import type { Answer } from '../helper/http.ts'
import { cookiesOf, newPerson, register } from '../helper/people.ts'
import { startService, type Service } from '../helper/service.ts'

const week = 7 * 86_400
const service = await startService(t)
const { person } = await register(service)

const loginByCookie = async (at: Service, { email, password } = person): Promise<Answer> => await at.post('/api/auth/login', { email, password, transport: 'cookie' })
/** The Cookie header of a browser that got this answer. */
const jarOf = (answer: Answer): string => Object.entries(cookiesOf(answer)).map(([name, { value }]) => `${name}=${String(value)}`).join('; ')

/** Checks the two cookies of an answer, attribute by attribute; nothing else may be set. */
function expectCookies (t: Test, answer: Answer, names: string[], attributes: Record<string, string | true>): void {
  const cookies = cookiesOf(answer)
  t.strictSame(Object.keys(cookies).sort(), names)
  for (const [name, { value, ...rest }] of Object.entries(cookies)) {
    t.strictSame(rest, attributes, name)
    t.equal(value === '', attributes['max-age'] === '0', `${name} has a value unless it is cleared`)
  }
  for (const line of answer.headers['set-cookie'] ?? []) t.ok(line.length < 4096, 'a browser keeps it')
}

function expectNoTokens (t: Test, answer: Answer): void {
  t.strictSame(Object.keys(answer.json).filter((key) => /token$/i.test(key)), [], 'no member for a token')
  for (const { value } of Object.values(cookiesOf(answer))) t.notOk(answer.text.includes(String(value)), 'no token in the body')
}

const plain = { path: '/', httponly: true, samesite: 'Strict' } as const
const names = ['accessToken', 'refreshToken']

await t.test('F1 login, register and refresh by cookie set both cookies and repeat no token', async (t) => {
  const registered = await service.post('/api/auth/register', { ...newPerson(), transport: 'cookie' })
  t.equal(registered.status, 201)
  const signedIn = await loginByCookie(service)
  t.equal(signedIn.status, 200)
  const refreshed = await service.post('/api/auth/refresh', undefined, { headers: { cookie: jarOf(signedIn) } })
  t.equal(refreshed.status, 200)
  for (const answer of [registered, signedIn, refreshed]) {
    expectCookies(t, answer, names, { ...plain, 'max-age': String(week) })
    expectNoTokens(t, answer)
    t.match(answer.json, { message: String, tokenType: 'Bearer', expiresIn: 900, refreshExpiresIn: week, user: { id: String }, session: { id: String } })
    t.equal(answer.headers['cache-control'], 'no-store')
    t.equal((await service.get('/api/auth/profile', { headers: { cookie: jarOf(answer) } })).status, 200)
  }
})

await t.test('by body, and by default, no cookie is set', async (t) => {
  const { email, password } = person
  for (const transport of [{}, { transport: 'body' }]) {
    const answer = await service.post('/api/auth/login', { email, password, ...transport })
    t.equal(answer.headers['set-cookie'], undefined)
    t.type(answer.json.accessToken, 'string')
    t.type(answer.json.refreshToken, 'string')
  }
  t.equal((await service.get('/api/auth/profile', { headers: { cookie: jarOf(await loginByCookie(service)) } })).headers['set-cookie'], undefined, 'nor by being looked at')
})

await t.test('cookies live as long as the refresh token, however short the access token and near the end', async (t) => {
  const short = await startService(t, { env: { ACCESS_TOKEN_EXPIRY: '60s', REFRESH_TOKEN_EXPIRY: '2h', SESSION_ABSOLUTE_EXPIRY: '3h' } })
  const signedIn = await short.post('/api/auth/register', { ...newPerson(), transport: 'cookie' })
  expectCookies(t, signedIn, names, { ...plain, 'max-age': '7200' })
  short.clock.advance(90 * 60_000)
  const refreshed = await short.post('/api/auth/refresh', undefined, { headers: { cookie: jarOf(signedIn) } })
  const maxAge = Number(cookiesOf(refreshed)['refreshToken']?.['max-age'])
  t.ok(maxAge <= 5400 && maxAge > 5380, `${maxAge} s: no longer than the session`)
  t.equal(refreshed.json.refreshExpiresIn, maxAge)
})

for (const path of ['/api/auth/logout', '/api/auth/logout-all']) {
  await t.test(`F1 ${path} by cookie clears both cookies, also when their session is dead`, async (t) => {
    const jar = jarOf(await loginByCookie(service))
    for (const revoked of [/[1-9]/, /^0$/]) {
      const answer = await service.post(path, undefined, { headers: { cookie: jar } })
      t.equal(answer.status, 200)
      t.match(String(answer.json.revoked), revoked)
      expectCookies(t, answer, names, { ...plain, 'max-age': '0' })
    }
    t.equal((await service.get('/api/auth/profile', { headers: { cookie: jar } })).status, 401)
  })
}

await t.test('a logout by header or body touches no cookie', async (t) => {
  const { accessToken, refreshToken } = (await service.post('/api/auth/login', { email: person.email, password: person.password })).json
  const jar = jarOf(await loginByCookie(service))
  t.equal((await service.post('/api/auth/logout', { refreshToken }, { headers: { cookie: jar } })).headers['set-cookie'], undefined)
  t.equal((await service.post('/api/auth/logout', undefined, { token: accessToken, headers: { cookie: jar } })).headers['set-cookie'], undefined)
})

await t.test('an answer that refuses sets no cookie', async (t) => {
  const jar = jarOf(await loginByCookie(service))
  const refused = [
    await loginByCookie(service, { ...person, password: 'wrong' }),
    await service.post('/api/auth/register', { ...person, transport: 'cookie' }),
    await service.post('/api/auth/refresh', undefined, { headers: { cookie: 'refreshToken=rubbish' } }),
    await service.post('/api/auth/refresh', undefined, { headers: { cookie: jar, 'sec-fetch-site': 'cross-site' } }),
    await service.post('/api/auth/refresh', { unknown: 1 }, { headers: { cookie: jar } })
  ]
  t.strictSame(refused.map(({ status }) => status), [401, 409, 401, 403, 400])
  for (const answer of refused) t.equal(answer.headers['set-cookie'], undefined, `${answer.status}`)
})

await t.test('F1 COOKIE_SECURE: over TLS only, bound to this host by the __Host- prefix, and only that name counts', async (t) => {
  const secure = await startService(t, { env: { COOKIE_SECURE: 'on' } })
  const hostNames = names.map((name) => `__Host-${name}`)
  const signedIn = await secure.post('/api/auth/register', { ...newPerson(), transport: 'cookie' })
  expectCookies(t, signedIn, hostNames, { ...plain, secure: true, 'max-age': String(week) })
  const jar = jarOf(signedIn)
  t.equal((await secure.get('/api/auth/profile', { headers: { cookie: jar } })).status, 200)
  t.equal((await secure.get('/api/auth/profile', { headers: { cookie: jar.replaceAll('__Host-', '') } })).json.code, 'token_missing', 'a name that a subdomain could set is not read')
  expectCookies(t, await secure.post('/api/auth/refresh', undefined, { headers: { cookie: jar } }), hostNames, { ...plain, secure: true, 'max-age': String(week) })
  expectCookies(t, await secure.post('/api/auth/logout', undefined, { headers: { cookie: jar } }), hostNames, { ...plain, secure: true, 'max-age': '0' })
})

await t.test('COOKIE_DOMAIN: shared with the subdomains, so without the prefix', async (t) => {
  const shared = await startService(t, { env: { COOKIE_SECURE: 'on', COOKIE_DOMAIN: 'example.com' } })
  const attributes = { ...plain, secure: true, domain: 'example.com' } as const
  const signedIn = await shared.post('/api/auth/register', { ...newPerson(), transport: 'cookie' })
  expectCookies(t, signedIn, names, { ...attributes, 'max-age': String(week) })
  expectCookies(t, await shared.post('/api/auth/logout', undefined, { headers: { cookie: jarOf(signedIn) } }), names, { ...attributes, 'max-age': '0' })
})

await t.test('F1 in production cookies are secure unless it is said otherwise', async (t) => {
  const production = { NODE_ENV: 'production', ...(process.env['MONGODB_URI'] ? {} : { MONGODB_URI: 'embedded' }) }
  const by = await startService(t, { env: production })
  expectCookies(t, await by.post('/api/auth/register', { ...newPerson(), transport: 'cookie' }), names.map((name) => `__Host-${name}`), { ...plain, secure: true, 'max-age': String(week) })
  const off = await startService(t, { env: { ...production, COOKIE_SECURE: 'off' } })
  expectCookies(t, await off.post('/api/auth/register', { ...newPerson(), transport: 'cookie' }), names, { ...plain, 'max-age': String(week) })
})
