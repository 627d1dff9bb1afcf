// Doors `logout` and `logout-all`: every token of a session that ended is dead at once, and a client that wants to be
// signed out is forgiven the tokens that died before (REQUIREMENTS E1 to E3, RFC 7009 section 2.2).
import t, { type Test } from 'tap'
import { realEngines } from '../helper/engines.ts'
import type { Call } from '../helper/http.ts'
import { login, loginOf, register, type Login } from '../helper/people.ts'
import { startPair, startService, until } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const one = '/api/auth/logout'
const all = '/api/auth/logout-all'
const service = await startService(t)
const { person } = await register(service)
const profile = async ({ accessToken }: Login) => await service.get('/api/auth/profile', { token: accessToken })
const refresh = async ({ refreshToken }: Login) => await service.post('/api/auth/refresh', { refreshToken })
const signedOut = { message: 'Logout successful', revoked: 1 }

/** The ways to say which session is meant. */
const ways: Record<string, (login: Login) => { body?: unknown, call?: Call }> = {
  'Authorization header': ({ accessToken }) => ({ call: { token: accessToken } }),
  'x-access-token header': ({ accessToken }) => ({ call: { headers: { 'x-access-token': accessToken } } }),
  'refresh token in the body': ({ refreshToken }) => ({ body: { refreshToken } }),
  'access cookie': ({ accessToken }) => ({ call: { headers: { cookie: `accessToken=${accessToken}` } } }),
  'refresh cookie': ({ refreshToken }) => ({ call: { headers: { cookie: `refreshToken=${refreshToken}` } } }),
  'both tokens': ({ accessToken, refreshToken }) => ({ body: { refreshToken }, call: { token: accessToken } })
}

for (const [way, tell] of Object.entries(ways)) {
  await t.test(`E1 E2 signing out ends this session and no other: ${way}`, async (t) => {
    const [mine, other] = [await login(service, person), await login(service, person)]
    t.equal((await profile(mine)).status, 200)
    const { body, call } = tell(mine)
    const answer = await service.post(one, body, call)
    t.equal(answer.status, 200)
    t.strictSame(answer.json, signedOut)
    expectProblem(t, await profile(mine), 401, 'session_revoked')
    expectProblem(t, await refresh(mine), 401, 'session_revoked')
    t.equal((await profile(other)).status, 200)
    t.equal((await refresh(other)).status, 200)
    t.strictSame((await service.post(one, body, call)).json, { ...signedOut, revoked: 0 }, 'once more is no error and ends nothing')
  })
}

await t.test('E2 an access token that ran out still signs out', async (t) => {
  const mine = await login(service, person)
  service.clock.advance(900_000)
  expectProblem(t, await profile(mine), 401, 'token_expired')
  t.strictSame((await service.post(one, undefined, { token: mine.accessToken })).json, signedOut)
  expectProblem(t, await refresh(mine), 401, 'session_revoked')
})

await t.test('E2 an expired access token does not hide a live refresh cookie', async (t) => {
  const mine = await login(service, person)
  service.clock.advance(900_000)
  t.strictSame((await service.post(one, undefined, { headers: { cookie: `accessToken=${mine.accessToken}; refreshToken=${mine.refreshToken}` } })).json, signedOut)
  expectProblem(t, await refresh(mine), 401, 'session_revoked')
})

await t.test('a spent refresh token still signs out', async (t) => {
  const mine = await login(service, person)
  const next = loginOf(await refresh(mine))
  t.strictSame((await service.post(one, { refreshToken: mine.refreshToken })).json, signedOut)
  expectProblem(t, await profile(next), 401, 'session_revoked')
})

await t.test('two sessions that were presented both end', async (t) => {
  const [mine, other] = [await login(service, person), await login(service, person)]
  t.strictSame((await service.post(one, { refreshToken: other.refreshToken }, { token: mine.accessToken })).json, { ...signedOut, revoked: 2 })
})

await t.test('E2 tokens that prove nothing end nothing, and are no error', async (t) => {
  const rubbish: Call[] = [{ token: 'rubbish' }, { headers: { 'x-access-token': 'rubbish' } }, { headers: { cookie: 'accessToken=rubbish; refreshToken=rubbish' } }, { body: { refreshToken: 'rubbish' } }]
  for (const call of rubbish) t.strictSame((await service.post(one, undefined, call)).json, { ...signedOut, revoked: 0 }, JSON.stringify(call))
})

await t.test('no token at all, and a scheme that is not understood, are said', async (t) => {
  for (const path of [one, all]) {
    for (const body of [undefined, {}]) expectProblem(t, await service.post(path, body), 401, 'token_missing', { what: path })
    expectProblem(t, await service.post(path, undefined, { headers: { authorization: 'Basic eDp5' } }), 401, 'token_invalid', { what: path })
    expectProblem(t, await service.post(path, { refreshToken: 1 }), 400, 'validation_failed', { what: path })
    expectProblem(t, await service.post(path, { sid: 'x' }), 400, 'validation_failed', { what: path })
  }
})

/** Signs a user with some devices out of all of them, by the tokens of the last. */
async function expectAllEnded (t: Test, devices: number, tell: typeof ways[string]): Promise<void> {
  const { person, ...first } = await register(service)
  const logins: Login[] = [first]
  while (logins.length < devices) logins.push(await login(service, person))
  const { body, call } = tell(logins.at(-1) as Login)
  const answer = await service.post(all, body, call)
  t.equal(answer.status, 200)
  t.strictSame(answer.json, { message: 'Logout from all devices successful', revoked: devices })
  for (const ended of logins) {
    expectProblem(t, await profile(ended), 401, 'session_revoked')
    expectProblem(t, await refresh(ended), 401, 'session_revoked')
  }
  const later = await login(service, person)
  t.strictSame((await service.post(all, body, call)).json, { ...answer.json, revoked: 0 }, 'once more is no error and ends nothing')
  t.equal((await profile(later)).status, 200, 'a login after the answer lives')
}

await t.test('E3 logout-all ends all five devices of this user and nobody else\'s', async (t) => {
  const stranger = await register(service)
  await expectAllEnded(t, 5, ({ accessToken }) => ({ call: { token: accessToken } }))
  t.equal((await profile(stranger)).status, 200)
})

for (const [way, tell] of Object.entries(ways)) {
  await t.test(`logout-all is told the user by: ${way}`, async (t) => { await expectAllEnded(t, 2, tell) })
}

await t.test('logout-all takes a token that is still good, and says what is wrong with another', async (t) => {
  const { person, ...mine } = await register(service)
  const next = loginOf(await refresh(mine))
  const third = loginOf(await refresh(next))
  expectProblem(t, await service.post(all, { refreshToken: mine.refreshToken }), 401, 'refresh_token_invalid', { what: 'spent long ago' })
  expectProblem(t, await service.post(all, { refreshToken: 'rubbish' }), 401, 'refresh_token_invalid')
  expectProblem(t, await service.post(all, undefined, { token: 'rubbish' }), 401, 'token_invalid')
  service.clock.advance(900_000)
  expectProblem(t, await service.post(all, undefined, { token: mine.accessToken }), 401, 'token_expired')
  t.equal((await refresh(third)).status, 200, 'none of them ended anything')

  const last = await login(service, person)
  service.clock.advance(900_000)
  const answer = await service.post(all, undefined, { headers: { cookie: `accessToken=${last.accessToken}; refreshToken=${last.refreshToken}` } })
  t.equal(answer.json.revoked, 2, 'an expired access cookie beside a good refresh cookie is passed over')
})

await t.test('a spent refresh token counts for logout-all within the grace, and not after it', async (t) => {
  const short = await startService(t, { env: { REFRESH_GRACE_SECONDS: '1' } })
  const spend = async (): Promise<Login> => {
    const mine = await register(short)
    await short.post('/api/auth/refresh', { refreshToken: mine.refreshToken })
    return mine
  }
  t.equal((await short.post(all, { refreshToken: (await spend()).refreshToken })).json.revoked, 1)
  const late = await spend()
  await short.db.collection('usersession').updateOne({ _id: late.sid as never }, [{ $set: { rotatedAt: { $subtract: ['$rotatedAt', 1001] } } }])
  expectProblem(t, await short.post(all, { refreshToken: late.refreshToken }), 401, 'refresh_token_invalid')
})

await t.test('logout-all tells of what was ended by somebody who died before telling', async (t) => {
  const mine = await register(service)
  const { userId } = mine
  t.equal((await profile(mine)).status, 200, 'it answers from a copy')
  await service.db.collection('users').updateOne({ _id: userId as never }, { $inc: { tokenVersion: 1 } })
  await service.db.collection('usersession').updateMany({ userId }, { $set: { revokedAt: new Date(service.clock.wall()), revokedReason: 'logout_all' } })
  t.equal((await service.post(all, undefined, { token: mine.accessToken })).json.revoked, 0, 'this call ended nothing')
  t.equal((await profile(mine)).status, 401, 'and yet what it answered for is so')
})

await t.test('a refresh token of a session that is long gone ends nothing, and is told so', async (t) => {
  const mine = await register(service)
  await service.db.collection('usersession').deleteOne({ _id: mine.sid as never })
  t.strictSame((await service.post(all, { refreshToken: mine.refreshToken })).json.revoked, 0)
})

await t.test('E1 E3 what is signed out on one instance is signed out on the other', { skip: realEngines ? false : 'needs two instances' }, async (t) => {
  const [a, b] = await startPair(t)
  const { person, ...first } = await register(a)
  const second = await login(b, person)
  const ask = async ({ accessToken }: Login) => await b.get('/api/auth/profile', { token: accessToken })
  for (const device of [first, second]) t.equal((await ask(device)).status, 200)

  t.strictSame((await a.post(one, undefined, { token: first.accessToken })).json, signedOut)
  expectProblem(t, await a.get('/api/auth/profile', { token: first.accessToken }), 401, 'session_revoked', { what: 'here at once' })
  expectProblem(t, await a.post('/api/auth/refresh', { refreshToken: first.refreshToken }), 401, 'session_revoked', { what: 'here at once' })
  await until(async () => (await ask(first)).status === 401, 'the session is dead on the other instance', 3000)
  expectProblem(t, await b.post('/api/auth/refresh', { refreshToken: first.refreshToken }), 401, 'session_revoked')
  t.equal((await ask(second)).status, 200)

  t.equal((await a.post(all, undefined, { token: second.accessToken })).json.revoked, 1)
  await until(async () => (await ask(second)).status === 401, 'all are dead on the other instance', 3000)
})
