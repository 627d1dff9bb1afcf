// Socket `errors`: each status that the service can send, produced once, in the one shape and with the headers it owes;
// the cause goes to the log and never to the reply (REQUIREMENTS J1, J2; RFC 9457).
import t from 'tap'
import type { Answer } from '../helper/http.ts'
import { login, newPerson, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { expectProblem } from './expect-problem.ts'
import { exchange } from './raw-http.ts'

const service = await startService(t, { env: { LOGIN_LIMIT_PER_ACCOUNT: '2', BCRYPT_CONCURRENCY: '1', BCRYPT_QUEUE: '0' } })
const { person, userId, accessToken } = await register(service)
const post = async (path: string, body?: unknown, headers = {}): Promise<Answer> => await service.post(path, body, { headers })

await t.test('J1 each status comes in the one shape', async (t) => {
  const failures: [ErrorCode, number, Answer][] = [
    ['validation_failed', 400, await post('/api/auth/login', {})],
    ['password_too_short', 400, await post('/api/auth/register', { ...newPerson(), password: 'x' })],
    ['token_missing', 401, await service.get('/api/auth/profile')],
    ['invalid_credentials', 401, await post('/api/auth/login', { email: newPerson().email, password: 'wrong' })],
    ['csrf_rejected', 403, await post('/api/auth/login', {}, { origin: 'null' })],
    ['not_found', 404, await service.get('/nothing')],
    ['method_not_allowed', 405, await service.call('/api/auth/profile', { method: 'DELETE' })],
    ['email_taken', 409, await post('/api/auth/register', { ...newPerson(), email: person.email })],
    ['username_taken', 409, await post('/api/auth/register', { ...newPerson(), username: person.username })],
    ['payload_too_large', 413, await post('/api/auth/login', 'x'.repeat(70_000))],
    ['uri_too_long', 414, await service.get(`/${'a'.repeat(3000)}`)],
    ['unsupported_media_type', 415, await service.post('/api/auth/login', undefined, { raw: '<a/>', headers: { 'content-type': 'text/xml' } })],
    ['headers_too_large', 431, await exchange(service, `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(20_000)}\r\n\r\n`)]
  ]
  for (const [code, status, answer] of failures) expectProblem(t, answer, status, code, { what: code })
})

await t.test('J1 429 and 503 say when to come again', async (t) => {
  const guess = async () => await post('/api/auth/login', { username: 'nobody', password: 'wrong' })
  t.strictSame([(await guess()).status, (await guess()).status], [401, 401])
  expectProblem(t, await guess(), 429, 'rate_limited')
  const busy = await Promise.all([1, 2, 3].map(async (n) => await post('/api/auth/login', { email: `${n}-${person.email}`, password: 'wrong' })))
  const refused = busy.filter(({ status }) => status === 503)
  t.ok(refused.length > 0)
  for (const answer of refused) expectProblem(t, answer, 503, 'unavailable')
})

await t.test('J1 J2 our own fault is a 500 that tells nothing; the log has the cause under the same id', async (t) => {
  const kept = await service.db.collection<{ _id: string, passwordHash: unknown }>('users').findOneAndUpdate({ _id: userId }, { $set: { passwordHash: 42 } }) // as a careless hand would
  const answer = await post('/api/auth/login', { email: person.email, password: person.password }, { 'x-request-id': 'the-one-that-broke' })
  expectProblem(t, answer, 500, 'internal_error')
  t.equal(answer.json.requestId, 'the-one-that-broke')
  const line = service.logs.find(({ reqId, level }) => reqId === 'the-one-that-broke' && level === 50)
  t.match(line, { code: 'internal_error', err: { type: 'TypeError', stack: /account-service|password-hasher/ } })
  t.notOk(JSON.stringify(line).includes(person.password))
  t.equal((await service.get('/api/auth/profile', { token: accessToken })).status, 200, 'the service goes on')
  await service.db.collection<{ _id: string, passwordHash: unknown }>('users').updateOne({ _id: userId }, { $set: { passwordHash: kept?.passwordHash } })
  t.equal((await login(service, person)).answer.status, 200)
})

await t.test('a problem names the path that it is about, and repeats no query', async (t) => {
  const answer = await service.get('/api/auth/profile?token=very-secret&x=1')
  t.equal(answer.json.instance, '/api/auth/profile')
  t.notOk(answer.text.includes('very-secret'))
  t.ok((await service.get(`/nothing/${'a'.repeat(1500)}`)).json.instance.length <= 256, 'and no more of it than helps')
})

await t.test('invalid input is told place by place, ten at most, and never by its value', async (t) => {
  const answer = await post('/api/auth/register', { email: 'marker-7', username: '! marker-7', password: 7, fullName: '', transport: 'marker-7' })
  expectProblem(t, answer, 400, 'validation_failed')
  t.strictSame(answer.json.errors.map(({ path }: { path: string }) => path).sort(), ['/body/fullName', '/body/password', '/body/transport', '/body/username'])
  for (const { message } of answer.json.errors) t.match(message, /\w/)
  t.notOk(answer.text.includes('marker-7'))
  const missing = await post('/api/auth/register', {})
  t.strictSame(missing.json.errors, ['email', 'username', 'password'].map((name) => ({ path: `/body/${name}`, message: 'is required' })))
  const many = await post('/api/auth/register', Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`marker-${i}`, i])))
  t.equal(many.json.errors.length, 10)
  t.notOk(many.text.includes('marker-'))
})

await t.test('a failure carries the id of its request in a header too', async (t) => {
  for (const answer of [await service.get('/nothing'), await service.get('/api/auth/profile'), await post('/api/auth/login', {}), await service.get('/%E0%A4%A')]) {
    t.equal(answer.headers['x-request-id'], answer.json.requestId, `${answer.status}`)
  }
})
