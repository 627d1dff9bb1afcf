// How long a login lives: the access token, the session that is not refreshed, the session in any case, and how many
// sessions a user may have (REQUIREMENTS C3, D5, D6, E8). The clock is moved; nothing waits.
import t from 'tap'
import { login, loginOf, register, type Login } from '../helper/people.ts'
import { startService, type Service } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const minute = 60_000
const day = 86_400_000
/** Real time that a step of a test may take on a slow machine. */
const slack = 5000

const service = await startService(t)
const { person } = await register(service)
const refresh = async ({ refreshToken }: Login, at = service): Promise<Login> => loginOf(await at.post('/api/auth/refresh', { refreshToken }))
const profile = async ({ accessToken }: Login, at = service) => await at.get('/api/auth/profile', { token: accessToken })

/** Moves the clock to a time, milliseconds since the epoch. */
const moveTo = ({ clock }: Service, time: number): void => { clock.advance(time - clock.wall()) }

await t.test('an access token lives a quarter of an hour, to the second, and a refresh gives the next', async (t) => {
  const first = await login(service, person)
  const { exp } = JSON.parse(Buffer.from(first.accessToken.split('.')[1] as string, 'base64url').toString())
  moveTo(service, exp * 1000 - slack)
  t.equal((await profile(first)).status, 200)
  moveTo(service, exp * 1000)
  expectProblem(t, await profile(first), 401, 'token_expired')
  const next = await refresh(first)
  t.equal((await profile(next)).status, 200)
})

await t.test('ACCESS_TOKEN_EXPIRY and REFRESH_TOKEN_EXPIRY set the lifetimes that the answer tells', async (t) => {
  const short = await startService(t, { env: { ACCESS_TOKEN_EXPIRY: '90s', REFRESH_TOKEN_EXPIRY: '2h', SESSION_ABSOLUTE_EXPIRY: '3h' } })
  const { answer } = await register(short)
  t.match(answer.json, { expiresIn: 90, refreshExpiresIn: 7200 })
  const { createdAt, expiresAt, absoluteExpiresAt } = answer.json.session
  t.equal(Date.parse(expiresAt) - Date.parse(createdAt), 2 * 60 * minute)
  t.equal(Date.parse(absoluteExpiresAt) - Date.parse(createdAt), 3 * 60 * minute)
})

await t.test('D5 a session that is not refreshed ends after seven days, one that is goes on', async (t) => {
  const [kept, idle] = [await login(service, person), await login(service, person)]
  moveTo(service, Date.parse(kept.answer.json.session.expiresAt) - slack)
  const next = await refresh(kept)
  t.equal(next.answer.status, 200)
  t.ok(Date.parse(next.answer.json.session.expiresAt) >= Date.parse(kept.answer.json.session.expiresAt) + 7 * day - 2 * slack)
  t.equal(next.answer.json.session.absoluteExpiresAt, kept.answer.json.session.absoluteExpiresAt)

  moveTo(service, Date.parse(idle.answer.json.session.expiresAt))
  expectProblem(t, (await refresh(idle)).answer, 401, 'refresh_token_expired')
  t.not(await service.db.collection<{ _id: string }>('usersession').findOne({ _id: idle.sid }), null, 'refused although the document still stands')
  t.equal((await refresh(next)).answer.status, 200)
})

await t.test('D6 a session ends after thirty days however often it is refreshed', async (t) => {
  let current = await login(service, person)
  const start = service.clock.wall()
  const end = Date.parse(current.answer.json.session.absoluteExpiresAt)
  for (let days = 6; days <= 24; days += 6) {
    moveTo(service, start + days * day)
    current = await refresh(current)
    t.equal(current.answer.status, 200, `day ${days}`)
    t.equal(Date.parse(current.answer.json.session.absoluteExpiresAt), end, `day ${days}: the end stays`)
  }
  t.equal(Date.parse(current.answer.json.session.expiresAt), end, 'no idle end lies behind the absolute one')
  t.ok(current.answer.json.refreshExpiresIn <= 6 * 86_400, 'the refresh token lives no longer than the session')

  moveTo(service, end - minute)
  current = await refresh(current)
  t.equal(current.answer.status, 200)
  t.ok(current.answer.json.expiresIn <= 60, 'nor does an access token')
  t.ok(current.answer.json.refreshExpiresIn <= 60)
  t.equal((await profile(current)).status, 200)
  moveTo(service, end)
  expectProblem(t, await profile(current), 401, 'token_expired')
  expectProblem(t, (await refresh(current)).answer, 401, 'refresh_token_expired')
})

await t.test('renewing an access token moves no end and never passes it', async (t) => {
  const short = await startService(t, { env: { REFRESH_TOKEN_EXPIRY: '20m' } })
  const { answer, accessToken } = await register(short)
  const end = answer.json.session.expiresAt
  short.clock.advance(10 * minute)
  const renewed = loginOf(await short.post('/api/auth/refresh', undefined, { token: accessToken }))
  t.equal(renewed.answer.json.session.expiresAt, end)
  t.ok(renewed.answer.json.expiresIn <= 600 && renewed.answer.json.expiresIn > 590, 'the token ends with the session')
  moveTo(short, Date.parse(end))
  expectProblem(t, await profile(renewed, short), 401, 'token_expired')
  expectProblem(t, await short.post('/api/auth/refresh', undefined, { token: renewed.accessToken }), 401, 'token_expired')
})

await t.test('E8 one session more than SESSIONS_PER_USER ends the oldest, of this user alone', async (t) => {
  const small = await startService(t, { env: { SESSIONS_PER_USER: '3' } })
  const stranger = await register(small)
  const { person, ...first } = await register(small)
  const logins: Login[] = [first]
  for (let i = 0; i < 4; i++) {
    small.clock.advance(1000)
    logins.push(await login(small, person))
    const alive = await Promise.all(logins.map(async (one) => (await profile(one, small)).status === 200))
    t.strictSame(alive, logins.map((_, at) => at >= logins.length - 3), `after login ${i + 2}`)
  }
  for (const ended of logins.slice(0, 2)) {
    expectProblem(t, await profile(ended, small), 401, 'session_revoked')
    expectProblem(t, (await refresh(ended, small)).answer, 401, 'session_revoked')
  }
  for (const live of logins.slice(2)) t.equal((await refresh(live, small)).answer.status, 200)
  t.equal((await profile(stranger, small)).status, 200)
})
