// How input is judged before a door sees it: prototype keys, sizes, depth, types, addresses, request ids (REQUIREMENTS I1,
// I2, I3, I7, I9). hostile-input.test.ts sends all of it to every door; here each rule stands with its code and its edge.
import t from 'tap'
import type { Answer } from '../helper/http.ts'
import { login, newPerson, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from './expect-problem.ts'

const service = await startService(t)
const { person, accessToken } = await register(service)
const { person: other } = await register(service)
const json = 'application/json'
const path = '/api/auth/login'
const send = async (raw: string | Buffer, type: string | undefined = json, at = path): Promise<Answer> => await service.post(at, undefined, { raw, ...(type !== '' && { headers: { 'content-type': type } }) })
const credentials = JSON.stringify({ email: person.email, password: person.password })

await t.test('I1 prototype keys are refused and reach no object', async (t) => {
  for (const raw of [
    `{"__proto__":{"isAdmin":true},${credentials.slice(1)}`,
    `{"\\u005f\\u005fproto\\u005f\\u005f":{"isAdmin":true},${credentials.slice(1)}`,
    `{"constructor":{"prototype":{"isAdmin":true}},${credentials.slice(1)}`,
    `{"prototype":{"isAdmin":true},${credentials.slice(1)}`,
    '{"email":{"__proto__":{"isAdmin":true}},"password":"x"}'
  ]) expectProblem(t, await send(raw), 400, 'validation_failed', { what: raw.slice(0, 40) })
  t.equal(({} as Record<string, unknown>)['isAdmin'], undefined)
  t.equal((await service.get('/api/auth/profile', { token: accessToken })).json.role, 'user')
})

await t.test('I2 a body has 64 KB at most, told by its length or not', async (t) => {
  const fitting = JSON.stringify({ email: 'a', password: 'x', pad: '' })
  const most = fitting.replace('"pad":""', `"pad":"${'a'.repeat(65_536 - fitting.length)}"`)
  expectProblem(t, await send(most), 400, 'validation_failed', { what: '65536 bytes are read' })
  expectProblem(t, await send(`${most} `), 413, 'payload_too_large', { what: '65537 are not' })
  const chunked = await service.post(path, undefined, { raw: 'x'.repeat(70_000), headers: { 'content-type': json, 'transfer-encoding': 'chunked', 'content-length': [] } })
  expectProblem(t, chunked, 413, 'payload_too_large', { what: 'without a length' })
})

await t.test('I2 ten thousand levels are refused at once', async (t) => {
  for (const raw of [`{"email":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`]) {
    const tries = [await send(raw), await send(raw), await send(raw)]
    for (const answer of tries) expectProblem(t, answer, 400, 'validation_failed')
    t.ok(Math.min(...tries.map(({ ms }) => ms)) < 100, 'in less than 100 ms')
  }
})

await t.test('I3 a body is JSON by its type; what is none is not looked at', async (t) => {
  for (const type of ['application/xml', 'text/xml', 'application/jsonx', 'application/json5', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain', 'text/plain; charset=utf-8', 'text/html', 'application/octet-stream', 'application/vnd.api+json', 'json', '*/*', 'application/', '']) {
    expectProblem(t, await send(credentials, type), 415, 'unsupported_media_type', { what: type === '' ? 'no type' : type })
  }
  for (const type of [json, 'application/json; charset=utf-8', 'application/json;charset=UTF-8', 'APPLICATION/JSON']) t.equal((await send(credentials, type)).status, 200, type)
})

await t.test('I3 what is no JSON is 400, and so is no body where one is needed', async (t) => {
  for (const raw of ['{', '{"email":', 'null', '[]', '""', 'undefined', "{'email':1}", `${credentials}${credentials}`, '\u0000', `//x\n${credentials}`, '{"a":NaN}', '']) {
    expectProblem(t, await send(raw), 400, 'validation_failed', { what: raw.slice(0, 12) })
  }
  expectProblem(t, await service.post(path), 400, 'validation_failed', { what: 'no body and no type' })
})

for (const door of ['/api/auth/logout', '/api/auth/logout-all', '/api/auth/refresh', '/refresh_token']) {
  await t.test(`I3 ${door} needs no body: none, an empty one and an empty one called JSON are the same`, async (t) => {
    for (const [what, call] of Object.entries({ none: {}, 'an empty object': { body: {} }, 'an empty one, called JSON': { raw: '', headers: { 'content-type': json } } })) {
      const { accessToken: token } = await login(service, other)
      t.equal((await service.call(door, { method: 'POST', token, ...call })).status, 200, what)
    }
  })
}

await t.test('I7 addresses that are none are refused in our shape', async (t) => {
  for (const bad of ['/%E0%A4%A', '/%', '/%GG', '/problems/%E0%A4%A', `/problems/${'a'.repeat(500)}`]) expectProblem(t, await service.get(bad), 400, 'validation_failed', { what: bad.slice(0, 30) })
  for (const none of ['/%00', '/..%2f..%2fetc%2fpasswd', '/api/auth/login%00', '//evil.example/', '/__proto__', '/*']) expectProblem(t, await service.get(none), 404, 'not_found', { what: none })
  for (const long of [`/${'a'.repeat(8000)}`, `/livez?${'a'.repeat(3000)}`]) expectProblem(t, await service.get(long), 414, 'uri_too_long', { what: long.slice(0, 10) })
  t.equal((await service.get(`/livez?${'a'.repeat(2000)}`)).status, 200, 'up to 2 KB an address is read')
})

await t.test('I10 a query that nobody asked for changes nothing', async (t) => {
  for (const query of ['?limit=1&limit=2', '?a[]=1', '?__proto__[x]=1', '?%E0%A4%A', '?role=admin', '?']) {
    const answer = await service.get(`/api/auth/profile${query}`, { token: accessToken })
    t.equal(answer.status, 200, query)
    t.equal(answer.json.role, 'user')
  }
})

await t.test('I9 a request id is taken from the client if a log can hold it, else made', async (t) => {
  const idOf = async (id: string): Promise<string> => (await service.get('/nothing', { headers: { 'x-request-id': id } })).json.requestId
  for (const id of ['a', 'trace-01:span.2_x', 'x'.repeat(128)]) t.equal(await idOf(id), id)
  for (const id of ['', 'x'.repeat(129), 'x'.repeat(4096), '"quoted"', 'two words', '{"level":60}', 'line\tbreak', 'é', '<script>', 'a,b']) {
    const made = await idOf(id)
    t.not(made, id, id.slice(0, 12))
    t.match(made, /^[A-Za-z0-9._:-]{1,128}$/)
  }
  const made = await Promise.all(Array.from({ length: 50 }, async () => (await service.get('/nothing')).json.requestId as string))
  t.equal(new Set(made).size, 50, 'and each is another')
})

await t.test('after all of it a newcomer is served', async (t) => {
  t.equal((await register(service, newPerson())).answer.status, 201)
})
