// Forged access tokens at the door (REQUIREMENTS C1 to C7): signed with the service's own key where that makes it harder
// to refuse them. The control shows that the forger's good tokens are let in; the rest differ from it in one thing.
// test/src/token has the finer list, without the door.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import type { RingKey } from '../../src/config/secrets.ts'
import { register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from './expect-problem.ts'

const service = await startService(t)
const { accessToken, refreshToken, userId } = await register(service)
const { kid, secret } = service.config.rings.access[0] as RingKey
const [header, claims] = accessToken.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url').toString())) as [object, Record<string, unknown>]
const now = Math.floor(service.clock.wall() / 1000)

const text = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
function forge (inHeader: object | string, payload: unknown, key = secret, hash = 'sha256'): string {
  const signed = `${text(typeof inHeader === 'string' ? inHeader : { ...header, ...inHeader })}.${text(payload)}`
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`
}
const withClaims = (more: object): string => forge({}, { ...claims, ...more })
const unsigned = (alg: string): string => `${text({ ...header, alg })}.${text(claims)}.`
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
function signedWithOwnPair (): string {
  const signed = `${text({ ...header, alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) })}.${text(claims)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

const forged: Record<string, string> = {
  'no algorithm': unsigned('none'),
  'no algorithm, in another case': unsigned('nOnE'),
  'no signature': unsigned('HS256'),
  'an empty key': forge({}, claims, ''),
  'a guessed key': forge({}, claims, 'secret'),
  'the key of refresh tokens': forge({}, claims, service.config.rings.refresh[0].secret),
  'another hash with the right key': forge({ alg: 'HS512' }, claims, secret, 'sha512'),
  'another hash called by the right name': forge({}, claims, secret, 'sha384'),
  'a key pair of their own, brought along': signedWithOwnPair(),
  'a critical extension': forge({ crit: ['x'], x: 1 }, claims),
  'an unencoded payload': forge({ b64: false, crit: ['b64'] }, claims),
  'a compressed payload': forge({ zip: 'DEF' }, claims),
  'another type': forge({ typ: 'JWT' }, claims),
  'no type': forge({ typ: undefined }, claims),
  'a kid of nobody': forge({ kid: 'nobody' }, claims),
  'a kid that is a path': forge({ kid: '../../dev/null' }, claims),
  'a kid that is a prototype key': forge({ kid: '__proto__' }, claims),
  'a kid that is a list': forge({ kid: [kid] }, claims),
  'no kid': forge({ kid: undefined }, claims),
  'a huge kid': forge({ kid: 'k'.repeat(5000) }, claims),
  'a header that is none': forge('[]', claims),
  'another issuer': withClaims({ iss: 'elsewhere' }),
  'two issuers': withClaims({ iss: ['elsewhere', claims['iss']] }),
  'another audience': withClaims({ aud: 'elsewhere' }),
  'two audiences': withClaims({ aud: [claims['aud'], 'elsewhere'] }),
  'no end': withClaims({ exp: undefined }),
  'an end that is a text': withClaims({ exp: '9999999999' }),
  'an end beyond all time': withClaims({ exp: 1e30 }),
  'not yet': withClaims({ nbf: now + 60 }),
  'a subject that is an operator': withClaims({ sub: { $ne: null } }),
  'a session that is an operator': withClaims({ sid: { $gt: '' } }),
  'no session': withClaims({ sid: undefined }),
  'no id': withClaims({ jti: undefined }),
  'a list for a payload': forge({}, [claims]),
  'a text for a payload': forge({}, '"x"'),
  'null for a payload': forge({}, 'null'),
  'no JSON for a payload': forge({}, '{'),
  'a refresh token': refreshToken,
  'a changed payload': accessToken.replace(/\.[^.]+\./, `.${text({ ...claims, role: 'admin' })}.`)
}

await t.test('the forger\'s good tokens are let in', async (t) => {
  for (const token of [forge({}, claims), withClaims({ jti: 'another' }), withClaims({ exp: now + 5 })]) t.equal((await service.get('/api/protected', { token })).json?.user?.id, userId)
})

for (const [what, token] of Object.entries(forged)) {
  await t.test(`a forged token is refused: ${what}`, async (t) => {
    const begin = performance.now()
    expectProblem(t, await service.get('/api/protected', { token }), 401, 'token_invalid', { what: 'Authorization' })
    t.ok(performance.now() - begin < 1000, 'at once')
    expectProblem(t, await service.get('/api/protected', { headers: { 'x-access-token': token } }), 401, 'token_invalid', { what: 'x-access-token' })
    expectProblem(t, await service.get('/api/auth/profile', { headers: { cookie: `accessToken=${token}` } }), 401, 'token_invalid', { what: 'cookie' })
    expectProblem(t, await service.post('/api/auth/refresh', undefined, { token }), 401, 'token_invalid', { what: 'renewal' })
    t.equal((await service.post('/api/auth/logout', undefined, { token })).json.revoked, 0, 'nor does it sign anybody out')
  })
}

await t.test('a good signature is not enough: the session and the user must be those of the token', async (t) => {
  const other = await register(service)
  for (const more of [{ sid: 'nobody-s-session-0000' }, { sub: other.userId }, { sid: other.sid }]) {
    expectProblem(t, await service.get('/api/protected', { token: withClaims(more) }), 401, 'session_revoked', { what: JSON.stringify(Object.keys(more)) })
  }
  expectProblem(t, await service.get('/api/protected', { token: withClaims({ exp: now - 1 }) }), 401, 'token_expired')
  t.equal((await service.get('/api/protected', { token: withClaims({ role: 'admin' }) })).json.user.role, 'user', 'the role is the account\'s')
  t.equal((await service.get('/api/protected', { token: accessToken })).status, 200, 'none of it hurt the session')
})
