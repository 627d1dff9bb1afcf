// Requests that are none, written by hand: each is answered in our shape and the connection ends, so that nothing behind
// it is taken for a request; no header makes the process fall (REQUIREMENTS I6, I8; CVE-2026-21710).
import t, { type Test } from 'tap'
import { cookiesOf, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from './expect-problem.ts'
import { dial, exchange, answerOf, type RawAnswer } from './raw-http.ts'

const service = await startService(t)
const { accessToken } = await register(service)
const smuggled = 'GET /api/smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
const wasSmuggled = (answer: RawAnswer): boolean => answer.all.includes('smuggled')
const close = 'Connection: close\r\n\r\n'

function expectEnded (t: Test, answer: RawAnswer, what: string): void {
  expectProblem(t, answer, 400, 'validation_failed', { what })
  t.ok(answer.closed, `${what}: the connection ends`)
  t.equal(answer.all.match(/HTTP\/1\.1 /g)?.length, 1, `${what}: there is one answer`)
  t.notOk(wasSmuggled(answer), `${what}: nothing behind it is a request`)
}

await t.test('I8 a request whose end two readers could see at two places is refused, and the connection ends', async (t) => {
  const head = 'POST /api/auth/logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  for (const [what, text] of Object.entries({
    'a length and chunks': `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    'chunks and a length': `${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`,
    'two lengths': `${head}Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    'two lengths in one': `${head}Content-Length: 0, ${smuggled.length}\r\n\r\n${smuggled}`,
    'a length with a sign': `${head}Content-Length: +2\r\n\r\n{}${smuggled}`,
    'a negative length': `${head}Content-Length: -1\r\n\r\n${smuggled}`,
    'a length in hex': `${head}Content-Length: 0x2\r\n\r\n{}${smuggled}`,
    'a length that is none': `${head}Content-Length: two\r\n\r\n{}${smuggled}`,
    'chunks that are not the last coding': `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
    'chunks in disguise': `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
    'a space before the colon': `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    'a chunk size that is none': `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n${smuggled}`,
    'a chunk longer than it says': `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n${smuggled}`,
    'line ends without a return': `${head.replaceAll('\r\n', '\n')}Content-Length: 0\n\n${smuggled}`,
    'a folded header': `${head}X-A: b\r\n folded\r\nContent-Length: 0\r\n\r\n${smuggled}`,
    'a header without a name': `${head}: x\r\n\r\n${smuggled}`,
    'a NUL in a header': `${head}X-A: a\u0000b\r\n\r\n${smuggled}`,
    'a header name with a space': `${head}X A: b\r\n\r\n${smuggled}`
  })) expectEnded(t, await exchange(service, text), what)
})

await t.test('what is no HTTP at all is told so', async (t) => {
  for (const [what, bytes] of Object.entries({
    TLS: Buffer.from('160301020001000200fc0303', 'hex'),
    'a line of text': 'hello\r\n\r\n',
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a version that is none': 'GET /livez HTTP/9.9\r\nHost: x\r\n\r\n',
    'an address with a space': 'GET /live z HTTP/1.1\r\nHost: x\r\n\r\n'
  })) expectEnded(t, await exchange(service, bytes), what)
})

await t.test('HTTP/1.1 needs a Host, and the refusal is a problem too', async (t) => {
  expectEnded(t, await exchange(service, `GET /livez HTTP/1.1\r\n${close}`), 'no Host')
})

await t.test('two Hosts are none, in whatever letters', async (t) => {
  for (const second of ['Host: y', 'host: x', 'HOST: x']) expectEnded(t, await exchange(service, `GET /livez HTTP/1.1\r\nHost: x\r\n${second}\r\n${close}`), second)
})

await t.test('an address in its absolute form (RFC 9112 section 3.2.2) is the one that it names, at every door', async (t) => {
  const { paths } = (await service.get('/openapi.json')).json as { paths: Record<string, object> }
  const doors = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => [method.toUpperCase(), path.replace(/\{\w+\}/g, 'x')] as const))
  const rest = `HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n${close}{}`
  for (const [method, path] of doors) {
    const [plain, whole] = [await exchange(service, `${method} ${path} ${rest}`), await exchange(service, `${method} http://elsewhere.example${path} ${rest}`)]
    t.ok(plain.status > 0 && plain.status < 500, `${method} ${path}: ${plain.status}`)
    t.equal(whole.status, plain.status, `${method} ${path}`)
  }
  const cookie = `Cookie: visit=${String(cookiesOf(await service.post('/api/session'))['visit']?.['value'])}\r\n`
  t.equal((await exchange(service, `GET http://elsewhere.example/api/session HTTP/1.1\r\nHost: x\r\n${cookie}${close}`)).status, 200, 'and finds a visit by its cookie')
})

await t.test('an expectation that nobody can meet does not matter', async (t) => {
  const answer = await exchange(service, `GET /api/protected HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${accessToken}\r\nExpect: foo\r\n${close}`)
  t.equal(answer.status, 200)
})

await t.test('what is no request, behind one that is being answered, does not take its answer', async (t) => {
  const body = JSON.stringify({ email: 'nobody@x.example', password: 'wrong' })
  const answer = await exchange(service, `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}GARBAGE\r\n\r\n`)
  expectProblem(t, answer, 401, 'invalid_credentials')
  t.ok(answer.closed, 'and the connection ends')
})

await t.test('a request that was answered before its body came gets no second answer, whatever the body turns out to be', async (t) => {
  const head = 'PUT /api/auth/profile HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  for (const [what, framing] of Object.entries({ 'chunks in disguise': 'xchunked', 'a chunk size that is none': 'chunked' })) {
    const socket = dial(service)
    const answer = answerOf(socket, 3000)
    socket.write(`${head}Transfer-Encoding: ${framing}\r\n${framing === 'chunked' ? '\r\n2\r\n{}\r\n' : ''}`)
    if (framing === 'chunked') await new Promise((resolve) => { socket.once('data', resolve) })
    socket.write(framing === 'chunked' ? 'zz\r\n{}\r\n0\r\n\r\n' : `\r\n${smuggled}`)
    const { all, closed } = await answer
    t.equal(all.match(/HTTP\/1\.1 /g)?.length, 1, `${what}: there is one answer`)
    t.match(all, /^HTTP\/1\.1 4\d\d /, what)
    t.ok(closed, `${what}: the connection ends`)
  }
})

await t.test('I6 headers that are too large or too many are refused or left unread, and nobody falls', async (t) => {
  const big = await exchange(service, `GET /livez HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(20_000)}\r\n${close}`)
  expectProblem(t, big, 431, 'headers_too_large', { what: '20 KB' })
  t.ok(big.closed)
  const long = Array.from({ length: 2000 }, (_, i) => `X-Header-${i}: value\r\n`).join('')
  expectProblem(t, await exchange(service, `GET /livez HTTP/1.1\r\nHost: x\r\n${long}${close}`), 431, 'headers_too_large', { what: '2000 long ones' })
  const short = Array.from({ length: 2500 }, (_, i) => `a${i}:\r\n`).join('').slice(0, 15_000)
  t.ok((await exchange(service, `GET /livez HTTP/1.1\r\nHost: x\r\n${short.slice(0, short.lastIndexOf('\r\n') + 2)}${close}`)).status < 500, '2000 short ones')
})

await t.test('I6 odd headers are values like any other', async (t) => {
  const odd = ['__proto__: x', 'constructor: x', 'hasOwnProperty: x', 'toString: x', 'X-A: \xff\xfe\x80', 'Cookie: \xff=\xfe; __proto__=x', 'X-A:', 'Content-Length: 0', 'Range: bytes=0-', 'If-None-Match: "x"', 'Upgrade: websocket', 'Accept-Encoding: \xff', 'Forwarded: for="[::1"', 'Accept: \xe9']
  for (const header of odd) {
    const open = await exchange(service, Buffer.from(`GET /livez HTTP/1.1\r\nHost: x\r\n${header}\r\n${close}`, 'latin1'))
    t.equal(open.status, 200, JSON.stringify(header))
    const guarded = await exchange(service, Buffer.from(`GET /api/protected HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${accessToken}\r\n${header}\r\n${close}`, 'latin1'))
    t.equal(guarded.status, 200, `${JSON.stringify(header)}, behind the guard`)
  }
  for (const header of ['Authorization: Bearer %E0%A4%A', 'Authorization: \xff\xfe', 'X-Access-Token: \xff', 'Cookie: accessToken=\xff', 'Cookie: accessToken=%E0%A4%A', 'Authorization: Bearer\xa0x', 'Authorization: __proto__']) {
    const answer = await exchange(service, Buffer.from(`GET /api/protected HTTP/1.1\r\nHost: x\r\n${header}\r\n${close}`, 'latin1'))
    expectProblem(t, answer, 401, 'token_invalid', { what: JSON.stringify(header) })
  }
})

await t.test('a Host is no more than a name: it opens nothing', async (t) => {
  for (const host of ['evil.example', 'localhost:1', '[::1]', 'x/../y', "x' OR 1=1", '', 'a'.repeat(300)]) {
    const answer = await exchange(service, `GET /api/protected HTTP/1.1\r\nHost: ${host}\r\n${close}`)
    expectProblem(t, answer, 401, 'token_missing', { what: host.slice(0, 20) })
  }
})

await t.test('requests in one breath get their own answers, in order', async (t) => {
  const ask = (path: string, token = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${token === '' ? '' : `Authorization: Bearer ${token}\r\n`}`
  const answer = await exchange(service, `${ask('/livez')}\r\n${ask('/api/protected', accessToken)}\r\n${ask('/api/protected')}\r\n${ask('/nothing')}${close}`)
  t.strictSame([...answer.all.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status), ['200', '200', '401', '404'])
})

await t.test('a client that goes away in the middle leaves nothing behind', async (t) => {
  for (let i = 0; i < 50; i++) {
    const socket = dial(service)
    socket.write('POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"email":', () => { socket.destroy() })
    await answerOf(socket, 1000)
  }
  t.equal((await service.get('/livez')).status, 200)
  t.strictSame(service.logs.filter(({ level }) => Number(level) >= 50), [], 'no error was logged')
})
