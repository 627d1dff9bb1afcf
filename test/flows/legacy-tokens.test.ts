// Story: tokens of an older service at the door, on any store. The signature is asked first, then the session decides, as
// for every token; each refusal has the code that tells the client what to do.
import t from 'tap'
import type { RingKey } from '../../src/config/secrets.ts'
import { runCommand } from '../helper/command.ts'
import { startLines } from '../../src/start-lines.ts'
import { realEngines } from '../helper/engines.ts'
import { exportFile, jwtSign, oldAccount, oldSecret, oldSession } from '../helper/old-service.ts'
import { login, tierOf } from '../helper/people.ts'
import { createDeployment, startService, untilHearing } from '../helper/service.ts'

const deployment = createDeployment(t)
const [account, other] = [oldAccount(), oldAccount()]
const session = oldSession(account, { livesSeconds: 3600 })
const endless = oldSession(account, { livesSeconds: null })
const short = oldSession(account, { livesSeconds: 600 })
const theirs = oldSession(other)
const ran = await runCommand(['import', '--users', exportFile(t, [account.document, other.document]), '--sessions', exportFile(t, [session, endless, short, theirs].map(({ document }) => document), 'canonical')], deployment.env)
if (ran.code !== 0) throw new Error(ran.out + ran.err)
const service = await startService(t, { deployment, env: { LEGACY_TOKENS: 'on', LEGACY_TOKEN_SECRET: `${oldSecret}-of-before, ${oldSecret}` } })
const ownKey = service.config.rings.access[0] as RingKey
if (realEngines) await untilHearing(service)

const codeOf = async (token: string): Promise<string> => {
  const answer = await service.get('/api/protected', { token })
  if (answer.status === 401) t.match(answer.headers['www-authenticate'], /^Bearer realm="latchkey", error="invalid_token"$/)
  return answer.status === 200 ? 'admitted' : answer.json.code
}

await t.test('an old token is answered from memory once it is known, like any other', async (t) => {
  t.equal(await codeOf(session.token), 'admitted')
  t.equal(tierOf(await service.get('/api/protected', { token: session.token })), 'memory')
  const { accessToken } = await login(service, account)
  t.equal(await codeOf(accessToken), 'admitted')
  t.equal(tierOf(await service.get('/api/protected', { token: accessToken })), 'memory')
})

await t.test('a signature alone admits nobody', async (t) => {
  const [header, body] = session.token.split('.') as [string, string]
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object
  t.equal(await codeOf(jwtSign(claims)), 'admitted', 'control: this is the very token')
  t.equal(await codeOf(jwtSign({ ...claims, role: 'admin' })), 'session_revoked', 'well signed, and in no usersession')
  t.equal(await codeOf(jwtSign({ ...claims, _id: other.id })), 'session_revoked')
  for (const [what, token] of Object.entries({
    'another secret': jwtSign(claims, 'another'),
    'no algorithm': `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${body}.`,
    'no signature': `${header}.${body}.`,
    HS384: jwtSign(claims, oldSecret, { alg: 'HS384', typ: 'JWT' }, 'sha384'),
    'a critical extension': jwtSign(claims, oldSecret, { alg: 'HS256', typ: 'JWT', crit: ['x'], x: 1 }),
    'a kid': jwtSign(claims, oldSecret, { alg: 'HS256', typ: 'JWT', kid: ownKey.kid }),
    'our own key': jwtSign(claims, ownKey.secret),
    'our kind': jwtSign({ ...claims, sub: account.id, sid: session.sid }, oldSecret, { alg: 'HS256', typ: 'at+jwt' }),
    'a list': jwtSign([claims] as object)
  })) {
    t.equal(await codeOf(token), 'token_invalid', what)
    t.equal((await service.post('/refresh_token', undefined, { token })).json.code, 'token_invalid', `${what}, to renew`)
    t.equal((await service.post('/api/auth/logout', undefined, { token })).json.revoked, 0, `${what}, to sign out`)
  }
  t.equal(await codeOf(session.token), 'admitted', 'none of it hurt the session')
})

await t.test('the session has to be that user\'s', async (t) => {
  t.equal(await codeOf(theirs.token), 'admitted')
  await service.db.collection('usersession').updateOne({ _id: theirs.sid as never }, { $set: { userId: account.id } })
  service.clock.advance(61_000)
  t.equal(await codeOf(theirs.token), 'session_revoked')
})

await t.test('it runs out by the service\'s clock, and can still be signed out', async (t) => {
  service.clock.advance(600_000)
  t.equal(await codeOf(short.token), 'token_expired')
  t.equal((await service.post('/api/auth/logout-all', undefined, { token: short.token })).json.code, 'token_expired')
  t.equal((await service.post('/api/auth/logout', undefined, { token: short.token })).json.revoked, 1)
  t.equal(await codeOf(endless.token), 'admitted')
  service.clock.advance(7 * 86_400_000)
  t.equal(await codeOf(endless.token), 'session_revoked', 'what said no end has the lifetime of a refresh token')
})

await t.test('a weak old secret is said at the start, without the secret', async (t) => {
  const lines = startLines(service.config, service.origin).join('\n')
  t.match(lines, 'LEGACY_TOKEN_SECRET is short')
  t.notOk(lines.includes(oldSecret))
  t.equal(service.config.legacySecrets.length, 2)
  t.notOk(JSON.stringify(service.logs).includes(oldSecret))
})
