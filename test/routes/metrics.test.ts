// Door: metrics. After a scripted set of calls it shows exactly what was done, by the words of docs/operations.md.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { realEngines, redisUrl } from '../helper/engines.ts'
import { readMetrics } from '../helper/metrics.ts'
import { login, loginOf, newPerson, register } from '../helper/people.ts'
import { startService, until, untilHearing } from '../helper/service.ts'
import { visitorAt } from '../helper/visitors.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const truth = redisUrl === undefined ? 'mongo' : 'redis'

for (const [what, env, tier] of [['memory', {}, 'memory'], ['no memory', { MEMORY_TIER_ENTRIES: '0' }, truth]] as const) {
  await t.test(`checks are counted by tier and result, with ${what}`, async (t) => {
    const service = await startService(t, { env })
    if (redisUrl !== undefined) await untilHearing(service)
    const check = async (token: string) => (await service.get('/api/protected', { token })).json.code
    const { person, accessToken } = await register(service)
    const [ended, unseen] = [await login(service, person), await login(service, person)]
    for (let i = 0; i < 3; i++) t.equal(await check(accessToken), undefined)
    for (const text of ['rubbish', `${accessToken}x`]) t.equal(await check(text), 'token_invalid')
    await service.post('/api/auth/logout', undefined, { token: ended.accessToken })
    t.equal(await check(ended.accessToken), 'session_revoked')
    service.clock.advance(900_000)
    for (const { accessToken: token } of [{ accessToken }, unseen]) t.equal(await check(token), 'token_expired')

    const { value, samples } = await readMetrics(service)
    const checks = samples.filter(({ name, value }) => name === 'latchkey_checks_total' && value > 0).map(({ labels, value }) => [labels['tier'], labels['result'], value])
    t.strictSame(checks.sort(), [[tier, 'ok', 3], [truth, 'session_revoked', 1], ['none', 'token_expired', 2], ['none', 'token_invalid', 2]].sort())
    for (const behind of ['redis', 'mongo']) {
      t.equal(value('latchkey_check_seconds_count', { tier: behind }) ?? 0, value('latchkey_checks_total', { tier: behind }), `each check that ${behind} decided was timed`)
    }
    t.equal(value('latchkey_memory_entries', { kind: 'tokens' }), 2, 'the token that was checked, and the one that has ended')
    t.equal(value('latchkey_memory_entries', { kind: 'sessions' }), tier === 'memory' ? 2 : 0)
  })
}

await t.test('logins, registrations, refreshes and revocations are counted by what came of them', async (t) => {
  const service = await startService(t, { env: { SESSIONS_PER_USER: '3', LOGIN_LIMIT_PER_ACCOUNT: '2' } })
  const { person, ...first } = await register(service)
  const refresh = async (refreshToken: string) => await service.post('/api/auth/refresh', { refreshToken })
  await service.post('/api/auth/register', person)
  for (let guess = 0; guess < 3; guess++) await service.post('/api/auth/login', { username: 'nobody', password: 'guess' })

  const next = loginOf(await refresh(first.refreshToken))
  t.equal((await refresh(first.refreshToken)).status, 200, 'once more, within the grace')
  await service.post('/api/auth/refresh', undefined, { token: next.accessToken })
  await service.post('/api/auth/refresh', undefined, { token: 'rubbish' })
  await refresh('rubbish')
  t.equal((await refresh(next.refreshToken)).status, 200)
  t.equal((await refresh(first.refreshToken)).json.code, 'refresh_token_reused')
  t.equal((await refresh(next.refreshToken)).json.code, 'session_revoked')

  const sessions = [await login(service, person), await login(service, person), await login(service, person)] as const
  await login(service, person) // a fourth: the oldest ends
  await service.db.collection('users').updateOne({ usernameKey: person.username }, { $inc: { tokenVersion: 1 } })
  t.equal((await refresh(sessions[2].refreshToken)).json.code, 'session_revoked')
  const [one, two] = [await login(service, person), await login(service, person), await login(service, person)] // and two of the version before end
  t.equal((await service.post('/api/auth/logout', undefined, { token: one.accessToken })).json.revoked, 1)
  t.equal((await service.post('/api/auth/logout', undefined, { token: one.accessToken })).json.revoked, 0, 'it had ended')
  t.equal((await service.post('/api/auth/logout-all', undefined, { token: two.accessToken })).json.revoked, 2)
  const last = await login(service, person)
  service.clock.advance(8 * 86_400_000)
  t.equal((await refresh(last.refreshToken)).json.code, 'refresh_token_expired')

  const { by, value, samples } = await readMetrics(service)
  t.strictSame(by('latchkey_registrations_total', 'outcome'), { ok: 1, email_taken: 1 })
  t.strictSame(by('latchkey_logins_total', 'outcome'), { ok: 8, invalid_credentials: 2, rate_limited: 1 })
  t.strictSame(samples.filter(({ name, value }) => name === 'latchkey_refreshes_total' && value > 0).map(({ labels, value }) => `${labels['kind']} ${labels['outcome']} ${value}`).sort(), [
    'refresh ok 3', 'refresh refresh_token_expired 1', 'refresh refresh_token_invalid 1', 'refresh refresh_token_reused 1', 'refresh session_revoked 2',
    'renewal ok 1', 'renewal token_invalid 1'
  ])
  t.strictSame(by('latchkey_revocations_total', 'reason'), { refresh_token_reused: 1, session_limit: 3, token_version_moved: 1, logout: 1, logout_all: 2 })
  t.equal(value('latchkey_revocations_total', { reason: 'password_changed' }), 0, 'what has not happened yet stands at 0, so that a rule sees the first time')
  t.strictSame(by('latchkey_audit_events_total', 'event'), { registered: 1, login: 8, login_failed: 2, login_limited: 1, refresh_token_reused: 1, logout: 1, logout_all: 1 })
  t.equal(value('latchkey_password_hash_seconds_count', { operation: 'hash' }), 2)
  t.equal(value('latchkey_password_hash_seconds_count', { operation: 'verify' }), 10)
})

await t.test('passwords that are refused because too many wait are counted', async (t) => {
  const service = await startService(t, { env: { BCRYPT_CONCURRENCY: '1', BCRYPT_QUEUE: '1', BCRYPT_COST: '12' } })
  const answers = await Promise.all(Array.from({ length: 6 }, () => service.post('/api/auth/login', { username: 'nobody', password: 'guess' })))
  const refused = answers.filter(({ status }) => status === 503).length
  t.ok(refused >= 3, `${refused} refused`)
  const { value } = await readMetrics(service)
  t.equal(value('latchkey_password_hashes_refused_total'), refused)
  t.equal(value('latchkey_logins_total', { outcome: 'unavailable' }), refused)
  t.equal(value('latchkey_password_hashes', { state: 'waiting' }), 0)
  t.equal(value('latchkey_password_hashes', { state: 'running' }), 0)
})

await t.test('visits are counted by visitor, and what the job archives', async (t) => {
  const service = await startService(t, { env: { VISIT_ARCHIVE_INTERVAL_SECONDS: '1', VISIT_IDLE_SECONDS: '600' } })
  const guest = visitorAt(service)
  await guest.page('/a')
  await guest.page('/b')
  await guest.action('buy')
  const opened = visitorAt(service)
  await opened.call('POST', '/api/session')
  const { accessToken: token } = await register(service)
  const user = visitorAt(service, { token })
  await user.page('/a')
  await user.action('buy')
  await user.action('look')
  service.clock.advance(601_000)
  await until(async () => (await readMetrics(service)).value('latchkey_job_items_total', { kind: 'guests_archived' }) === 2, 'the job archives')
  await until(async () => (await readMetrics(service)).value('latchkey_job_items_total', { kind: 'users_archived' }) === 1, 'users\' visits too')

  const { by, samples, value } = await readMetrics(service)
  t.strictSame(by('latchkey_visits_begun_total', 'visitor'), { guest: 2, user: 1 })
  t.strictSame(samples.filter(({ name }) => name === 'latchkey_visit_entries_total').map(({ labels, value }) => `${labels['visitor']} ${labels['kind']} ${value}`).sort(), ['guest action 1', 'guest page 2', 'user action 2', 'user page 1'])
  t.equal(value('latchkey_visit_failures_total'), 0)
  const runs = value('latchkey_job_runs_total', { job: 'visit-archive', outcome: 'ok' }) ?? 0
  t.ok(runs >= 1)
  t.equal(value('latchkey_job_seconds_count', { job: 'visit-archive' }), runs, 'each run was timed')
})

await t.test('operations of the stores are timed under names that the code has, never under what a client sends', async (t) => {
  const service = await startService(t)
  const { accessToken, person } = await register(service)
  await service.get('/api/auth/profile', { token: accessToken })
  await service.get('/api/auth/profile', { token: accessToken })
  await service.post('/api/auth/login', { username: randomBytes(6).toString('hex'), password: 'guess' })
  const { value, samples, by } = await readMetrics(service)
  t.equal(value('latchkey_store_seconds_count', { store: 'mongo', operation: 'users.insert' }), 1)
  t.equal(value('latchkey_store_seconds_count', { store: 'mongo', operation: 'users.findByUsernameKey' }), 1)
  const operations = new Set(samples.filter(({ name }) => name === 'latchkey_store_seconds_count').map(({ labels }) => labels['operation'] as string))
  t.ok([...operations].every((operation) => /^[a-z_]+\.[a-z][a-zA-Z]+$/.test(operation)), [...operations].join(' '))
  t.notOk(samples.some(({ labels }) => Object.values(labels).some((text) => text.includes(person.username))))
  t.strictSame(by('latchkey_profile_reads_total', 'tier'), realEngines ? { mongo: 1, redis: 1 } : { mongo: 2 })
  t.strictSame(by('latchkey_store_connected', 'store'), realEngines ? { mongo: 1, redis: 1 } : { mongo: 1 })
  t.equal(value('latchkey_store_failures_total') ?? 0, 0)
  t.strictSame(by('latchkey_breaker_open', 'breaker'), {}, 'every breaker is closed')
  t.equal(samples.filter(({ name }) => name === 'latchkey_breaker_open').length, realEngines ? 5 : 1)
})

await t.test('an account that is taken is no failure of the store', async (t) => {
  const service = await startService(t)
  const { person } = await register(service)
  await service.post('/api/auth/register', { ...newPerson(), email: person.email })
  const { value } = await readMetrics(service)
  t.equal(value('latchkey_store_seconds_count', { operation: 'users.insert' }), 2)
  t.equal(value('latchkey_store_failures_total') ?? 0, 0)
})

await t.test('the process shows its own numbers, and the answer is what Prometheus expects', async (t) => {
  const service = await startService(t)
  const { answer, value } = await readMetrics(service)
  t.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  t.equal(answer.headers['cache-control'], 'no-store')
  t.ok((value('process_resident_memory_bytes') ?? 0) > 1e6)
  t.ok(value('nodejs_eventloop_lag_p99_seconds') !== undefined)
  t.equal((await service.call('/metrics', { method: 'HEAD' })).status, 200)
  expectProblem(t, await service.post('/metrics'), 405, 'method_not_allowed')
})

await t.test('METRICS=off: no door, and nothing is counted or wrapped', async (t) => {
  const service = await startService(t, { env: { METRICS: 'off' } })
  expectProblem(t, await service.get('/metrics'), 404, 'not_found')
  const { accessToken } = await register(service)
  t.equal((await service.get('/api/protected', { token: accessToken })).status, 200)
  t.notOk('/metrics' in (await service.get('/openapi.json')).json.paths)
})
