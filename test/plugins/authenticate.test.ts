// Socket `authenticate`: where a token may stand, which of several counts, how a header is read, what a refusal owes, and
// what the answer says about the tier (REQUIREMENTS C10, C11; MISSION rows 23 and 33).
import t from 'tap'
import { realEngines } from '../helper/engines.ts'
import { login, register, tierOf } from '../helper/people.ts'
import { startPair, startService, until } from '../helper/service.ts'
import { expectProblem } from './expect-problem.ts'

const door = '/api/protected'
const service = await startService(t)
const { person, accessToken, refreshToken, userId } = await register(service)
const stranger = await register(service)
const open = async (headers: Record<string, string>) => await service.get(door, { headers })

await t.test('C10 a token counts in the Authorization header, in x-access-token and in its cookie', async (t) => {
  for (const headers of [{ authorization: `Bearer ${accessToken}` }, { 'x-access-token': accessToken }, { cookie: `accessToken=${accessToken}` }, { cookie: `theme=dark; accessToken=${accessToken}; refreshToken=${refreshToken}` }]) {
    const answer = await open(headers)
    t.equal(answer.status, 200, Object.keys(headers)[0] as string)
    t.equal(answer.json.user.id, userId)
  }
})

await t.test('the first one present counts, in that order', async (t) => {
  const mine = { authorization: `Bearer ${accessToken}`, 'x-access-token': accessToken, cookie: `accessToken=${accessToken}` }
  const theirs = { authorization: `Bearer ${stranger.accessToken}`, 'x-access-token': stranger.accessToken, cookie: `accessToken=${stranger.accessToken}` }
  t.equal((await open({ ...theirs, authorization: mine.authorization })).json.user.id, userId)
  t.equal((await open({ cookie: theirs.cookie, 'x-access-token': mine['x-access-token'] })).json.user.id, userId)
})

await t.test('a bad one is not skipped for a good one behind it', async (t) => {
  const good = { 'x-access-token': accessToken, cookie: `accessToken=${accessToken}` }
  for (const authorization of ['Bearer rubbish', 'Bearer', 'Basic eDp5', '', `Bearer ${refreshToken}`]) {
    expectProblem(t, await open({ ...good, authorization }), 401, 'token_invalid', { what: `Authorization: ${authorization.slice(0, 16)}` })
  }
  for (const text of ['rubbish', '']) expectProblem(t, await open({ cookie: good.cookie, 'x-access-token': text }), 401, 'token_invalid', { what: `x-access-token: ${text}` })
})

await t.test('C10 a token in the address, in a body or in another header is none', async (t) => {
  for (const name of ['access_token', 'token', 'accessToken', 'authorization', 'x-access-token', 'jwt']) {
    expectProblem(t, await service.get(`${door}?${name}=${accessToken}`), 401, 'token_missing', { what: `?${name}` })
    expectProblem(t, await service.get(door, { body: { [name]: accessToken } }), 401, 'token_missing', { what: `{${name}}` })
  }
  for (const name of ['token', 'x-auth-token', 'proxy-authorization', 'x-authorization', 'x-access-token2']) {
    expectProblem(t, await open({ [name]: `Bearer ${accessToken}` }), 401, 'token_missing', { what: name })
  }
  for (const cookie of [`token=${accessToken}`, `accesstoken=${accessToken}`, `__Host-accessToken=${accessToken}`, `xaccessToken=${accessToken}`, 'accessToken=']) {
    expectProblem(t, await open({ cookie }), 401, 'token_missing', { what: `cookie ${cookie.split('=')[0]}` })
  }
})

await t.test('C11 the scheme is Bearer in any case, and one token follows it', async (t) => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) t.equal((await open({ authorization: `${scheme} ${accessToken}` })).status, 200, scheme)
  for (const authorization of [
    'Bearer', 'Bearer ', 'Bearer  ', 'Bearer,', accessToken, `${accessToken} Bearer`, `Token ${accessToken}`, `Basic ${accessToken}`, `JWT ${accessToken}`,
    `Bearer ${accessToken} ${accessToken}`, `Bearer ${accessToken}, Bearer ${accessToken}`, `bearer ${accessToken},${stranger.accessToken}`, `Bearer ${accessToken},`,
    `Bearer Bearer ${accessToken}`, `Bearer "${accessToken}"`, `Bearer token=${accessToken}`, `Bearer:${accessToken}`, `Bearer\t${accessToken}`, `Bearer${accessToken}`, 'Bearer %E0%A4%A', 'Bearer null', 'Bearer undefined'
  ]) {
    expectProblem(t, await open({ authorization }), 401, 'token_invalid', { what: authorization.replaceAll(accessToken, '<token>').replaceAll(stranger.accessToken, '<other>') })
  }
})

await t.test('the spelling of the scheme does not decide how many spaces may follow it', async (t) => {
  const statuses = await Promise.all(['Bearer', 'bearer', 'BEARER'].map(async (scheme) => (await open({ authorization: `${scheme}  ${accessToken}` })).status))
  t.equal(new Set(statuses).size, 1, statuses.join(', '))
})

await t.test('C11 the challenge names an error only when a token was sent', async (t) => {
  t.equal((await service.get(door)).headers['www-authenticate'], 'Bearer realm="latchkey"')
  const old = await login(service, person)
  await service.post('/api/auth/logout', undefined, { token: old.accessToken })
  for (const token of ['rubbish', old.accessToken]) t.equal((await service.get(door, { token })).headers['www-authenticate'], 'Bearer realm="latchkey", error="invalid_token"')
})

await t.test('Server-Timing names the tier that answered', async (t) => {
  const fresh = await login(service, person)
  service.clock.advance(60_000 * 1.2 + 1) // past every copy
  const tiers = [tierOf(await service.get(door, { token: fresh.accessToken })), tierOf(await service.get(door, { token: fresh.accessToken }))]
  t.strictSame(tiers, ['mongo', 'memory'])
  t.equal((await service.get(door, { token: 'rubbish' })).headers['server-timing'], undefined, 'no tier was asked')
  t.equal((await service.get('/livez')).headers['server-timing'], undefined)
})

await t.test('Server-Timing names Redis where another instance has asked before', { skip: realEngines ? false : 'needs two instances' }, async (t) => {
  const [a, b] = await startPair(t)
  const { accessToken } = await register(a)
  await until(async () => (await a.get(door, { token: accessToken })).status === 200, 'the copy is in Redis')
  const tiers = [tierOf(await b.get(door, { token: accessToken })), tierOf(await b.get(door, { token: accessToken }))]
  t.strictSame(tiers, ['redis', 'memory'])
})

await t.test('SERVER_TIMING=off names nothing', async (t) => {
  const quiet = await startService(t, { env: { SERVER_TIMING: 'off' } })
  const { accessToken } = await register(quiet)
  for (let i = 0; i < 2; i++) t.equal((await quiet.get(door, { token: accessToken })).headers['server-timing'], undefined)
})
