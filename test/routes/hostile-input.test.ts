// Every door of the OpenAPI document and every short address, under everything that clients send by mistake or by intent:
// it is refused in the one shape, never a 5xx, and the service is well afterwards (REQUIREMENTS B4, I1 to I3, J1, J4).
import t from 'tap'
import type { Answer, Call } from '../helper/http.ts'
import { login, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { faultsOfProblem } from '../plugins/expect-problem.ts'

const service = await startService(t, { env: { LOGIN_LIMIT_PER_ADDRESS: '0', LOGIN_LIMIT_PER_ACCOUNT: '0' } })
const { person, accessToken } = await register(service)
const document = (await service.get('/openapi.json')).json
const aliases = ['/login', '/refresh_token', '/profile', '/protected', '/session', '/session/page', '/preferences']
const onlyPosted = new Set(['/login', '/refresh_token', '/session', '/session/page', '/preferences'])
const paths = [...Object.keys(document.paths).map((path) => path.replace(/\{\w+\}/g, 'x')), ...aliases]
const statuses = new Set([400, 401, 403, 404, 405, 413, 414, 415])
const json = { 'content-type': 'application/json' }

/** Bodies that no door takes; where a key is known, its value is not. */
const bodies: Record<string, Call> = {
  'no JSON': { raw: '{', headers: json },
  'half a string': { raw: '{"email":"', headers: json },
  'JSON and more': { raw: '{}{}', headers: json },
  'a byte order mark alone': { raw: '\ufeff', headers: json },
  'invalid UTF-8': { raw: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), headers: json },
  'a list': { body: [] },
  'a list of objects': { body: [{ email: 'a@b.example', password: 'x' }] },
  'a text': { body: 'text' },
  'a number': { body: 1e308 },
  null: { raw: 'null', headers: json },
  'an unknown key': { body: { unknown: 1 } },
  'wrong types': { body: { email: 1, username: true, password: [], fullName: {}, refreshToken: 7, transport: null } },
  operators: { body: { email: { $gt: '' }, username: { $ne: null }, password: { $regex: '.*' }, refreshToken: { $exists: true } } },
  'operators as keys': { body: { $where: 'sleep(1000)', 'email[$ne]': 'x', 'a.b': 1 } },
  'a prototype key': { raw: '{"__proto__":{"polluted":1},"refreshToken":"x"}', headers: json },
  'a prototype key inside': { raw: '{"refreshToken":{"__proto__":{"polluted":1}},"email":{"__proto__":1}}', headers: json },
  'a prototype key in disguise': { raw: '{"\\u005f_proto__":{"polluted":1}}', headers: json },
  'constructor.prototype': { raw: '{"constructor":{"prototype":{"polluted":1}}}', headers: json },
  'a key twice, once hostile': { raw: '{"email":"a@b.example","email":{"$gt":""},"password":"x","refreshToken":"x","refreshToken":1}', headers: json },
  'deep lists': { raw: `{"email":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, headers: json },
  'deep objects': { raw: `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, headers: json },
  'a thousand keys': { body: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, i])) },
  'a long value': { body: { email: 'a'.repeat(60_000), refreshToken: 'a'.repeat(4500) } },
  'more than 64 KB': { body: { email: 'a'.repeat(66_000) } },
  'a megabyte': { raw: Buffer.alloc(1_000_000, 0x20), headers: json },
  'a form': { raw: 'email=a&password=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
  XML: { raw: '<a/>', headers: { 'content-type': 'text/xml' } },
  'a multipart form': { raw: '--x\r\n\r\nx\r\n--x--', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
  text: { raw: '{"unknown":1}', headers: { 'content-type': 'text/plain' } },
  'no type': { raw: '{"unknown":1}' },
  'a type that is none': { raw: '{"unknown":1}', headers: { 'content-type': ';;;' } },
  'a type that begins as JSON': { raw: '{"unknown":1}', headers: { 'content-type': 'application/jsonx' } },
  'a compressed body': { raw: Buffer.from('1f8b08000000000000ff', 'hex'), headers: { ...json, 'content-encoding': 'gzip' } }
}

/** Requests that differ in what stands around a body. */
const requests: Record<string, Call> = {
  nothing: {},
  'a token that is none': { token: '%E0%A4%A' },
  'a token of NULs': { headers: { 'x-access-token': '%00%00' } },
  'a huge token': { token: 'a.'.repeat(3000) },
  'a token that is a prototype key': { token: '__proto__' },
  'cookies that are none': { headers: { cookie: 'accessToken=%E0%A4%A; =; ;;; refreshToken; __proto__=x; constructor=y' } },
  'a thousand cookies': { headers: { cookie: Array.from({ length: 1000 }, (_, i) => `c${i}=x`).join('; ') } },
  'another site': { headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } },
  'an origin that is none': { headers: { origin: 'http://[' } },
  'odd headers': { headers: { 'x-request-id': '"; drop\u00ff', 'x-forwarded-for': '../../etc/passwd', accept: '*/*;q=x', 'content-type': '__proto__', range: 'bytes=-1', 'if-none-match': '*' } }
}

const queries = ['?__proto__[polluted]=1', '?constructor.prototype.polluted=1', '?a[$ne]=1', '?limit[]=1&limit=2', `?q=${'a'.repeat(1900)}`, '?%E0%A4%A', '?access_token=x', `?${'a&'.repeat(900)}`]

/** What is wrong with an answer, in words. */
function faultsIn (answer: Answer, method: string): string[] {
  if (answer.status < 400) return method === 'POST' || answer.status >= 300 ? [`${answer.status} ${answer.text}`] : [] // a GET may ignore what it does not read
  return [...(statuses.has(answer.status) ? [] : [`${answer.status} ${answer.text}`]), ...faultsOfProblem(answer)]
}

async function faultsOf (calls: [string, string, Call][]): Promise<string[]> {
  const faults: string[] = []
  for (const [what, path, call] of calls) {
    const { method = 'GET' } = call
    for (const found of faultsIn(await service.call(path, call), method)) faults.push(`${method} ${path}, ${what}: ${found}`.slice(0, 300))
  }
  return faults
}

for (const path of paths) {
  await t.test(`B4 I1 I2 I3 ${path} refuses what no client should send`, async (t) => {
    const methods = Object.keys(document.paths[path] ?? { [onlyPosted.has(path) ? 'post' : 'get']: 1 }).map((method) => method.toUpperCase())
    const calls = [...methods, 'PUT', 'PATCH', 'DELETE'].flatMap((method): [string, string, Call][] => [
      ...(method === 'GET' ? [] : Object.entries(bodies).map(([what, call]): [string, string, Call] => [what, path, { ...call, method }])),
      ...Object.entries(requests).map(([what, call]): [string, string, Call] => [what, path, { ...call, method }]),
      ...queries.map((query): [string, string, Call] => [query.slice(0, 20), path + query, { method }])
    ])
    const expected = calls.filter(([what, , { method = 'GET' }]) => !isIdempotentLogout(path, method, what) && !isLawfulVisit(path, method, what))
    t.strictSame(await faultsOf(expected), [])
  })
}

/** Signing out forgives a token that is dead: these are no errors there. */
function isIdempotentLogout (path: string, method: string, what: string): boolean {
  return path === '/api/auth/logout' && method === 'POST' && /token|cookies that are/.test(what)
}

/** A visitor may come with nothing, and what a browser sends beside is nobody's business. */
function isLawfulVisit (path: string, method: string, what: string): boolean {
  return /^(\/api)?\/session$/.test(path) && method === 'POST' && /nothing|null|cookies|odd headers/.test(what)
}

/** Doors that read a body, and read it only of whom they know. */
const doorsOfMembers = [['PUT', '/api/auth/profile'], ['PUT', '/profile'], ['PUT', '/api/auth/profile/password'], ['POST', '/api/session/page'], ['POST', '/api/session/action'], ['POST', '/api/preferences']] as const

await t.test('B4 I1 I2 I3 the doors behind the guard read it no better beside a good token', async (t) => {
  for (const [method, path] of doorsOfMembers) {
    const statuses = await Promise.all(Object.entries(bodies).map(async ([what, call]) => `${what}: ${(await service.call(path, { ...call, method, token: accessToken })).status}`))
    t.strictSame(statuses.filter((status) => !/: (400|413|415)$/.test(status)), [], `${method} ${path}`)
    t.strictSame(await faultsOf(Object.entries(bodies).map(([what, call]) => [what, path, { ...call, method, token: accessToken }])), [], `${method} ${path}`)
  }
})

await t.test('I7 addresses that are none are refused in the same shape', async (t) => {
  const odd = ['/%E0%A4%A', '/%00', '/%', '/..%2f..%2fetc%2fpasswd', '/api/%2e%2e/livez', `/${'a'.repeat(8000)}`, '/problems/%E0%A4%A', '/problems/%00', '/problems/..%2flivez', `/problems/${'a'.repeat(500)}`, '/api/auth/login%00', '/\\evil', '/__proto__', '/constructor', '/problems/x/y', '//', '/?', '/*', '/:code']
  const calls = odd.flatMap((path) => ['GET', 'POST', 'DELETE'].map((method): [string, string, Call] => ['', path, { method }]))
  t.strictSame(await faultsOf(calls), [])
})

await t.test('the service is well afterwards', async (t) => {
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
  t.equal((await service.get('/livez')).status, 200)
  t.equal((await service.get('/readyz')).status, 200)
  t.equal((await service.get('/api/auth/profile', { token: accessToken })).status, 200)
  t.equal((await login(service, person)).answer.status, 200)
  t.strictSame(service.logs.filter(({ level }) => Number(level) >= 50), [], 'no error was logged')
})
