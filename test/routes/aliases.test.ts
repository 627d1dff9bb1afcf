// The short addresses of the original documents answer as the long ones do: the same door, the same guard, the same
// refusals.
import t from 'tap'
import type { Answer, Call } from '../helper/http.ts'
import { login, newPerson, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const service = await startService(t, { env: { LOGIN_LIMIT_PER_ACCOUNT: '0', REFRESH_GRACE_SECONDS: '60' } })
const { person, accessToken, refreshToken } = await register(service)
const byCookie = await login(service, person)
const aliases = { '/login': '/api/auth/login', '/refresh_token': '/api/auth/refresh', '/profile': '/api/auth/profile', '/protected': '/api/protected' }

/** An answer without what no two answers share. */
function shape ({ status, headers, json }: Answer): unknown {
  const { date, 'x-request-id': id, 'content-length': length, 'server-timing': tier, ...rest } = headers
  return { status, headers: rest, keys: Object.keys(json ?? {}).sort(), code: json?.code, errors: json?.errors }
}

/** Tokens differ from login to login. */
const withoutTokens = (value: unknown): string => JSON.stringify(value, null, 1).replace(/(accessToken|refreshToken)=[^;]+/g, '$1')

/** Requests that each door answers in its own way: accepted, unauthenticated, malformed, of another site, by another method. */
const calls: Record<string, Call> = {
  'a good login': { method: 'POST', body: { email: person.email, password: person.password } },
  'a login by cookie': { method: 'POST', body: { username: person.username, password: person.password, transport: 'cookie' } },
  'a wrong login': { method: 'POST', body: { email: newPerson().email, password: person.password } },
  'a good refresh': { method: 'POST', body: { refreshToken } },
  'a refresh by cookie': { method: 'POST', headers: { cookie: `refreshToken=${byCookie.refreshToken}` } },
  'a wrong refresh': { method: 'POST', body: { refreshToken: 'rubbish' } },
  'a good token': { token: accessToken },
  'a good token in its own header': { headers: { 'x-access-token': accessToken } },
  'a wrong token': { token: 'rubbish' },
  'no token': {},
  'nothing at all': { method: 'POST' },
  'an unknown key': { method: 'POST', body: { unknown: 1 } },
  'a body that is no JSON': { method: 'POST', raw: '{', headers: { 'content-type': 'application/json' } },
  'a body of another type': { method: 'POST', raw: '<a/>', headers: { 'content-type': 'application/xml' } },
  'a body too large': { method: 'POST', body: 'x'.repeat(70_000) },
  'another site': { method: 'POST', body: {}, headers: { 'sec-fetch-site': 'cross-site' } },
  'another method': { method: 'PATCH' },
  OPTIONS: { method: 'OPTIONS' }
}

for (const [alias, path] of Object.entries(aliases)) {
  await t.test(`${alias} answers as ${path}`, async (t) => {
    for (const [what, call] of Object.entries(calls)) {
      const [short, long] = [await service.call(alias, call), await service.call(path, call)]
      t.strictSame(withoutTokens(shape(short)), withoutTokens(shape(long)), what)
    }
  })
}

await t.test('each of them does what it is there for', async (t) => {
  const signedIn = await service.post('/login', { email: person.email, password: person.password })
  t.equal(signedIn.status, 200)
  t.equal((await service.post('/refresh_token', { refreshToken: signedIn.json.refreshToken })).status, 200)
  t.equal((await service.get('/profile', { token: signedIn.json.token })).json.email, person.email)
  t.equal((await service.get('/protected', { token: signedIn.json.token })).json.message, `Hello, ${person.username}`)
  for (const guarded of ['/profile', '/protected']) expectProblem(t, await service.get(guarded), 401, 'token_missing', { what: guarded })
})

await t.test('an address in another spelling is another address: nothing is guessed', async (t) => {
  for (const path of ['/LOGIN', '/login/', '//login', '/api/auth/login/', '/Api/auth/login', '/api//auth/login', '/api/auth/login;x=1', '/api/auth/profile/', '/protected/', '/%6Cogin/', '/api/auth/profile%2F']) {
    for (const method of ['GET', 'POST']) expectProblem(t, await service.call(path, { method }), 404, 'not_found', { what: `${method} ${path}` })
  }
})
