// The audit stream (REQUIREMENTS E10, I9): for each event one line with what, whose, from where, at which request and when;
// never a secret. No level silences it but `silent`, and what costs an attacker nothing cannot drown it.
import t, { type Test } from 'tap'
import type { Answer } from '../helper/http.ts'
import { readMetrics } from '../helper/metrics.ts'
import { login, loginOf, newPerson, register } from '../helper/people.ts'
import { startService, type Service } from '../helper/service.ts'

const linesOf = ({ logs }: Service) => logs.filter((line) => line['stream'] === 'audit')

/** Makes a call under a request id of its own. @returns the lines of the stream that came of it */
async function noted (service: Service, path: string, body?: unknown, token?: string): Promise<{ answer: Answer, lines: Record<string, unknown>[] }> {
  const id = `audit-${Math.round(performance.now() * 1000)}`
  const answer = await service.post(path, body, { headers: { 'x-request-id': id }, ...(token !== undefined && { token }) })
  return { answer, lines: linesOf(service).filter((line) => line['requestId'] === id) }
}

function isLine (t: Test, { clock }: Service, lines: Record<string, unknown>[], expected: Record<string, unknown>): void {
  const event = String(expected['event'])
  t.equal(lines.length, 1, `${event}: one line`)
  const { level, time, pid, hostname, msg, stream, address, requestId, at, ...rest } = lines[0] ?? {}
  t.strictSame(rest, expected, `${event}: and nothing else`)
  t.match({ level, stream, msg, address }, { level: 30, stream: 'audit', msg: 'security event', address: '127.0.0.1' }, event)
  t.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, event)
  t.ok(Math.abs(Date.parse(String(at)) - clock.wall()) < 60_000, `${event}: the time of the service's clock`)
}

await t.test('E10 each event has its line', async (t) => {
  const service = await startService(t, { env: { LOG_LEVEL: 'warn', LOGIN_LIMIT_PER_ACCOUNT: '2', LOGIN_LIMIT_PER_ADDRESS: '10' } })
  const person = newPerson()
  const { email, password } = person
  const registered = await noted(service, '/api/auth/register', person)
  const { userId, ...first } = loginOf(registered.answer)
  isLine(t, service, registered.lines, { event: 'registered', userId })

  const entered = await noted(service, '/api/auth/login', { email, password })
  const second = loginOf(entered.answer)
  isLine(t, service, entered.lines, { event: 'login', userId, sid: second.sid })

  const next = loginOf(await service.post('/api/auth/refresh', { refreshToken: first.refreshToken }))
  await service.post('/api/auth/refresh', { refreshToken: next.refreshToken })
  isLine(t, service, (await noted(service, '/api/auth/refresh', { refreshToken: first.refreshToken })).lines, { event: 'refresh_token_reused', userId, sid: first.sid })

  isLine(t, service, (await noted(service, '/api/auth/logout', undefined, second.accessToken)).lines, { event: 'logout', userId, sid: second.sid })
  t.strictSame((await noted(service, '/api/auth/logout', undefined, second.accessToken)).lines, [], 'a session that had ended ends once')
  const third = await login(service, person)
  isLine(t, service, (await noted(service, '/api/auth/logout-all', undefined, third.accessToken)).lines, { event: 'logout_all', userId, sid: third.sid })

  isLine(t, service, (await noted(service, '/api/auth/login', { email, password: `${password}?` })).lines, { event: 'login_failed', userId })
  isLine(t, service, (await noted(service, '/api/auth/login', { username: 'nobody', password })).lines, { event: 'login_failed' })
  await noted(service, '/api/auth/login', { email, password: `${password}?` })
  const limited = await noted(service, '/api/auth/login', { email, password })
  t.equal(limited.answer.status, 429)
  isLine(t, service, limited.lines, { event: 'login_limited' })
  await service.post('/api/auth/register', newPerson())
  const refused = await noted(service, '/api/auth/register', newPerson())
  t.equal(refused.answer.status, 429)
  isLine(t, service, refused.lines, { event: 'registration_limited' })

  const all = JSON.stringify(linesOf(service))
  for (const secret of [email, password, person.username, ...[first, second, third, next].flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken])]) t.notOk(all.includes(secret))
})

await t.test('no level silences the stream but `silent`, and it brings nothing else along', async (t) => {
  for (const level of ['fatal', 'error', 'warn', 'info', 'silent']) {
    const service = await startService(t, { env: { LOG_LEVEL: level } })
    await register(service)
    t.strictSame(linesOf(service).map((line) => line['event']), level === 'silent' ? [] : ['registered'], level)
    if (level !== 'info') t.equal(service.logs.length, linesOf(service).length, `${level}: no other line`)
  }
})

await t.test('attempts that are refused by a limit have a line a second, and are counted all', async (t) => {
  const service = await startService(t, { env: { LOGIN_LIMIT_PER_ACCOUNT: '1' } })
  const { person } = await register(service)
  const guess = async () => (await service.post('/api/auth/login', { email: person.email, password: 'guess' })).status
  t.equal(await guess(), 401)
  const begin = service.clock.mono()
  for (let attempt = 0; attempt < 100; attempt++) t.equal(await guess(), 429)
  const seconds = Math.ceil((service.clock.mono() - begin) / 1000)
  service.clock.advance(1000)
  await guess()
  const lines = linesOf(service).filter((line) => line['event'] === 'login_limited')
  t.ok(lines.length >= 2 && lines.length <= seconds + 1, `${lines.length} lines in ${seconds} s`)
  t.equal(lines.reduce((sum, line) => sum + 1 + Number(line['moreSinceLastLine'] ?? 0), 0), 101, 'each is told of, if only as a number')
  const { value } = await readMetrics(service)
  t.equal(value('latchkey_audit_events_total', { event: 'login_limited' }), 101)
  t.equal(value('latchkey_logins_total', { outcome: 'rate_limited' }), 101)
})

await t.test('I9 a request id that no log should hold is replaced, in the answer and in the line', async (t) => {
  const service = await startService(t)
  for (const id of ['x'.repeat(4096), 'a"b', 'a b', '{}']) {
    const person = newPerson()
    const answer = await service.post('/api/auth/register', person, { headers: { 'x-request-id': id } })
    t.equal(answer.status, 201)
    const line = linesOf(service).at(-1)
    t.match(line?.['requestId'], /^[A-Za-z0-9._:-]{1,128}$/)
    t.not(line?.['requestId'], id)
  }
})

await t.test('at `debug` each check says which tier answered or why it was refused, by session and request, and no token', async (t) => {
  const service = await startService(t, { env: { LOG_LEVEL: 'debug' } })
  const { accessToken, sid } = await register(service)
  await service.get('/api/protected', { token: accessToken, headers: { 'x-request-id': 'checked-1' } })
  await service.get('/api/protected', { token: 'rubbish', headers: { 'x-request-id': 'checked-2' } })
  await service.get('/api/auth/profile', { token: accessToken })
  t.ok(service.logs.some((line) => line['msg'] === 'session checked' && line['sid'] === sid && line['reqId'] === 'checked-1' && ['memory', 'redis', 'mongo'].includes(String(line['tier']))))
  t.ok(service.logs.some((line) => line['msg'] === 'check refused' && line['code'] === 'token_invalid' && line['reqId'] === 'checked-2'))
  t.ok(service.logs.some((line) => line['msg'] === 'profile read' && line['tier'] === 'mongo'))
  t.notOk(JSON.stringify(service.logs).includes(accessToken))
  const quiet = await startService(t)
  await register(quiet)
  t.notOk(quiet.logs.some((line) => line['level'] === 20), 'at `info` none')
})
