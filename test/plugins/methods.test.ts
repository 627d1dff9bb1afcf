// Socket `methods`: an address says which methods it has and refuses the others as such, before it looks at what they
// bring; an address that is none says so to every method (REQUIREMENTS I4; RFC 9110 sections 9.3.7 and 15.5.6).
import t from 'tap'
import { register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from './expect-problem.ts'
import { exchange } from './raw-http.ts'

const service = await startService(t)
const { accessToken } = await register(service)
const reading = 'GET, HEAD, OPTIONS'
const writing = 'POST, OPTIONS'
const changing = 'GET, HEAD, PUT, OPTIONS'
const doors: Record<string, string> = {
  '/api/auth/register': writing,
  '/api/auth/login': writing,
  '/login': writing,
  '/api/auth/refresh': writing,
  '/refresh_token': writing,
  '/api/auth/logout': writing,
  '/api/auth/logout-all': writing,
  '/api/auth/profile': changing,
  '/profile': changing,
  '/api/auth/profile/password': 'PUT, OPTIONS',
  '/api/auth/sessions': 'GET, HEAD, DELETE, OPTIONS',
  '/api/auth/sessions/some': 'DELETE, OPTIONS',
  '/api/auth/health': reading,
  '/metrics': reading,
  '/api/auth/profile/avatar': 'POST, DELETE, OPTIONS',
  '/api/avatars/some': reading,
  '/api/protected': reading,
  '/protected': reading,
  '/livez': reading,
  '/readyz': reading,
  '/problems/not_found': reading,
  '/openapi.json': reading
}

/** Bodies that are refused where a body is read. */
const bodies = {
  'no JSON': { raw: '{', headers: { 'content-type': 'application/json' } },
  XML: { raw: '<a/>', headers: { 'content-type': 'text/xml' } },
  'too large': { raw: 'x'.repeat(70_000), headers: { 'content-type': 'application/json' } }
}

for (const [path, allow] of Object.entries(doors)) {
  await t.test(`I4 ${path} has ${allow} and refuses the rest`, async (t) => {
    const options = await service.call(path, { method: 'OPTIONS' })
    t.equal(options.status, 204)
    t.equal(options.headers['allow'], allow)
    t.equal(options.text, '')
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => !allow.includes(method))) {
      const refused = await service.call(path, { method })
      t.equal(refused.headers['allow'], allow, method)
      if (method === 'HEAD') t.equal(refused.status, 405)
      else expectProblem(t, refused, 405, 'method_not_allowed', { what: method })
      const withToken = await service.call(path, { method, token: accessToken })
      t.equal(withToken.status, 405, `${method} with a token`)
    }
  })
}

await t.test('a method that an address has not is refused whatever it brings', async (t) => {
  for (const [what, call] of Object.entries(bodies)) {
    for (const method of ['PUT', 'PATCH', 'DELETE']) expectProblem(t, await service.call('/api/auth/login', { ...call, method }), 405, 'method_not_allowed', { what: `${method}, ${what}` })
    expectProblem(t, await service.call('/api/auth/profile', { ...call, method: 'POST' }), 405, 'method_not_allowed', { what: `POST, ${what}` })
  }
})

await t.test('I4 methods that no address has are refused as such', async (t) => {
  for (const path of ['/api/auth/login', '/api/auth/profile', '/livez', '/nothing']) {
    for (const method of ['TRACE', 'PROPFIND', 'MKCOL', 'LOCK', 'SEARCH', 'QUERY', 'PURGE', 'LINK', 'M-SEARCH', 'REPORT']) {
      const { status, json } = await service.call(path, { method, token: accessToken })
      t.ok([404, 405, 501].includes(status), `${method} ${path}: ${status}`)
      t.equal(json?.status, status, `${method} ${path}: as a problem`)
    }
  }
})

await t.test('I4 a method that HTTP does not know is no HTTP', async (t) => {
  for (const line of ['FOO / HTTP/1.1', 'get /livez HTTP/1.1', 'GET\t/livez HTTP/1.1']) {
    const answer = await exchange(service, `${line}\r\nHost: x\r\n\r\n`)
    expectProblem(t, answer, 400, 'validation_failed', { what: line })
    t.ok(answer.closed)
  }
  t.equal((await exchange(service, 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n')).text, '', 'and nobody is connected through')
})

await t.test('an address that is none is none for every method, whatever it brings', async (t) => {
  for (const [what, call] of Object.entries(bodies)) expectProblem(t, await service.call('/nothing', { ...call, method: 'POST' }), 404, 'not_found', { what })
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) expectProblem(t, await service.call('/nothing', { method }), 404, 'not_found', { what: method })
})

await t.test('a method in a header or a query is no method', async (t) => {
  for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
    expectProblem(t, await service.post('/api/auth/profile?_method=GET', {}, { token: accessToken, headers: { [name]: 'GET' } }), 405, 'method_not_allowed', { what: name })
    t.equal((await service.get('/livez?_method=DELETE', { headers: { [name]: 'DELETE' } })).status, 200, name)
  }
})
