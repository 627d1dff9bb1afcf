// Socket `security`, the defence of cookies against other sites (DESIGN 6; REQUIREMENTS F4 and F5): what a browser says of
// where a request comes from decides, whatever the body's type; a refusal leaves everything as it was.
import t, { type Test } from 'tap'
import type { Answer, Call } from '../helper/http.ts'
import { cookiesOf, loginOf, newPerson, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { visitorAt } from '../helper/visitors.ts'
import { expectProblem } from './expect-problem.ts'

const app = 'https://app.example.com'
const service = await startService(t, { env: { CORS_ORIGINS: `${app},https://other.example.com:8443`, LOGIN_LIMIT_PER_ADDRESS: '0' } })
const { person } = await register(service)
const own = service.origin

const refused: Record<string, Record<string, string>> = {
  'another site': { 'sec-fetch-site': 'cross-site' },
  'another site, with its origin': { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
  'another site that claims our origin': { 'sec-fetch-site': 'cross-site', origin: own },
  'a sibling site': { 'sec-fetch-site': 'same-site' },
  'a sibling site, with its origin': { 'sec-fetch-site': 'same-site', origin: 'https://evil.example.com' },
  'a word that no browser says': { 'sec-fetch-site': 'same-origin, cross-site' },
  'an empty word': { 'sec-fetch-site': '' },
  'an older browser: another origin': { origin: 'https://evil.example' },
  'an older browser: no origin to tell': { origin: 'null' },
  'an older browser: our host, another port': { origin: own.replace(/:\d+$/, ':1') },
  'an older browser: our host as a prefix': { origin: `${own}.evil.example` },
  'an older browser: an allowed origin as a prefix': { origin: `${app}.evil.example` },
  'an older browser: an allowed host without TLS': { origin: 'http://app.example.com' },
  'an older browser: an allowed host, another port': { origin: `${app}:444` },
  'an origin that is none': { origin: 'http://[' }
}

const passed: Record<string, Record<string, string>> = {
  'our own page': { 'sec-fetch-site': 'same-origin', origin: own },
  'the address bar': { 'sec-fetch-site': 'none' },
  'an allowed origin of another site': { 'sec-fetch-site': 'cross-site', origin: app },
  'an allowed origin of a sibling site': { 'sec-fetch-site': 'same-site', origin: 'https://other.example.com:8443' },
  'an older browser: our own page': { origin: own },
  'an older browser: an allowed origin': { origin: app },
  'no browser': {}
}

async function loginByCookie (): Promise<{ cookie: string, sid: string }> {
  const answer = await service.post('/api/auth/login', { email: person.email, password: person.password, transport: 'cookie' })
  return { cookie: Object.entries(cookiesOf(answer)).map(([name, { value }]) => `${name}=${String(value)}`).join('; '), sid: loginOf(answer).sid }
}
const record = async (sid: string): Promise<unknown> => await service.db.collection<{ _id: string }>('usersession').findOne({ _id: sid })

const forms: Record<string, Call> = {
  'no body': {},
  JSON: { body: {} },
  text: { raw: '{}', headers: { 'content-type': 'text/plain' } },
  'text that says JSON': { raw: '{}', headers: { 'content-type': 'text/plain; application/json' } },
  'a form': { raw: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
  'a multipart form': { raw: '--x--', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
  'no type': { raw: '{}' }
}

/** Sends each of the forms from each of the places that are refused, and expects a refusal that sets nothing. */
async function expectRefused (t: Test, doors: readonly (readonly [method: string, path: string])[], cookie: string): Promise<void> {
  for (const [method, path] of doors) {
    for (const [who, headers] of Object.entries(refused)) {
      for (const [form, call] of Object.entries(forms)) {
        const answer = await service.call(path, { ...call, method, headers: { ...call.headers, ...headers, cookie } })
        if (answer.status !== 403 || answer.json?.code !== 'csrf_rejected' || answer.headers['set-cookie'] !== undefined) expectProblem(t, answer, 403, 'csrf_rejected', { what: `${method} ${path}, ${who}, ${form}` })
      }
    }
  }
}

await t.test('F4 no other site spends a refresh token or ends a session, by whatever type of body', async (t) => {
  const { cookie, sid } = await loginByCookie()
  const before = await record(sid)
  await expectRefused(t, ['/api/auth/refresh', '/refresh_token', '/api/auth/logout', '/api/auth/logout-all'].map((path) => ['POST', path] as const), cookie)
  t.strictSame(await record(sid), before, 'the session is as it was')
  t.equal((await service.get('/api/auth/profile', { headers: { cookie } })).status, 200)
  const refreshed = await service.post('/api/auth/refresh', undefined, { headers: { cookie, 'sec-fetch-site': 'same-origin' } })
  t.match(cookiesOf(refreshed)['refreshToken']?.['value'], /^rt1\.[^.]+\.1\./, 'the token was not spent')
})

await t.test('F4 no other site changes what a visitor has, by whatever type of body', async (t) => {
  const guest = visitorAt(service)
  await guest.page('/mine')
  await guest.call('POST', '/api/preferences', { theme: 'dark' })
  const doors = [['POST', '/api/session'], ['DELETE', '/api/session'], ['POST', '/api/session/page'], ['POST', '/api/session/action'], ['POST', '/session'], ['POST', '/session/page'], ['POST', '/api/preferences'], ['POST', '/preferences']] as const
  const cookies = [...guest.jar].map((pair) => pair.join('=')).join('; ')
  const { cookie } = await loginByCookie()
  for (const jar of [cookies, `${cookie}; ${cookies}`]) await expectRefused(t, doors, jar)
  t.match((await guest.show()).json, { pagesVisited: ['/mine'], actionCount: 0 })
  t.equal((await guest.call('GET', '/api/preferences')).json.theme, 'dark')
  t.equal((await service.get('/api/session', { headers: { cookie } })).status, 404, 'nor was one begun for the user')
})

await t.test('the refusal is a problem like any other', async (t) => {
  const { cookie } = await loginByCookie()
  for (const [who, headers] of Object.entries(refused)) expectProblem(t, await service.post('/api/auth/refresh', undefined, { headers: { ...headers, cookie } }), 403, 'csrf_rejected', { what: who })
})

await t.test('F5 nobody is signed in or registered from another site', async (t) => {
  const { email, password } = person
  for (const [who, headers] of Object.entries(refused)) {
    for (const path of ['/api/auth/login', '/login']) expectProblem(t, await service.post(path, { email, password, transport: 'cookie' }, { headers }), 403, 'csrf_rejected', { what: `${path}, ${who}` })
  }
  const stranger = newPerson()
  expectProblem(t, await service.post('/api/auth/register', { ...stranger, transport: 'cookie' }, { headers: { 'sec-fetch-site': 'cross-site' } }), 403, 'csrf_rejected')
  t.equal((await service.post('/api/auth/login', { email: stranger.email, password: stranger.password })).status, 401, 'no account was made')
})

await t.test('whoever is from here, allowed, or no browser is served', async (t) => {
  for (const [who, headers] of Object.entries(passed)) {
    const { email, password } = person
    const signedIn = await service.post('/api/auth/login', { email, password, transport: 'cookie' }, { headers })
    t.equal(signedIn.status, 200, who)
    const cookie = Object.entries(cookiesOf(signedIn)).map(([name, { value }]) => `${name}=${String(value)}`).join('; ')
    t.equal((await service.post('/api/auth/refresh', undefined, { headers: { ...headers, cookie } })).status, 200, who)
    t.strictSame((await service.post('/api/auth/logout', undefined, { headers: { ...headers, cookie } })).json.revoked, 1, who)
  }
})

await t.test('F6 a request with an Authorization header is judged by it alone', async (t) => {
  const other = await loginByCookie()
  for (const [who, headers] of Object.entries(refused)) {
    const { accessToken } = loginOf(await service.post('/api/auth/login', { email: person.email, password: person.password }))
    const signOut = async (authorization: string): Promise<Answer> => await service.post('/api/auth/logout', undefined, { headers: { ...headers, authorization, cookie: other.cookie } })
    t.strictSame((await signOut(`Bearer ${accessToken}`)).json.revoked, 1, who)
    t.strictSame((await signOut('Bearer rubbish')).json.revoked, 0, `${who}: a bad one does not fall back to the cookie`)
  }
  t.equal((await service.get('/api/auth/profile', { headers: { cookie: other.cookie } })).status, 200, 'the session of the cookie was not touched')
})

await t.test('reading is not refused', async (t) => {
  const { cookie } = await loginByCookie()
  for (const headers of Object.values(refused)) {
    for (const path of ['/api/auth/profile', '/api/protected', '/livez']) t.equal((await service.get(path, { headers: { ...headers, cookie } })).status, 200)
  }
})
