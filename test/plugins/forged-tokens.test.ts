// Forged access tokens at the door (REQUIREMENTS C1 to C7): signed with the service's own key where that makes it harder
// to refuse them. The control shows that the forger's good tokens are let in; the rest differ from it in one thing, and
// begin with the row that they are about.
// test/src/token has the finer list, without the door.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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

/** Signed by a pair of the forger's own, by the algorithm that the header names. */
function bySomebody (alg: 'RS256' | 'ES256' | 'EdDSA', more: object = {}): string {
  const { privateKey, publicKey } = alg === 'RS256' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
  const signed = `${text({ ...header, alg, jwk: publicKey.export({ format: 'jwk' }), ...more })}.${text(claims)}`
  return `${signed}.${sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
const publicText = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }).toString()

const forged: Record<string, string> = {
  'C1 no algorithm': unsigned('none'),
  'C1 no algorithm, with a capital': unsigned('None'),
  'C1 no algorithm, in another case': unsigned('nOnE'),
  'C1 no signature': unsigned('HS256'),
  'C1 an empty key': forge({}, claims, ''),
  'C1 a guessed key': forge({}, claims, 'secret'),
  'C1 the text of a public key': forge({}, claims, publicText),
  'C1 the key of refresh tokens': forge({}, claims, service.config.rings.refresh[0].secret),
  'C1 HS384 with the right key': forge({ alg: 'HS384' }, claims, secret, 'sha384'),
  'C1 HS512 with the right key': forge({ alg: 'HS512' }, claims, secret, 'sha512'),
  'C1 another hash called by the right name': forge({}, claims, secret, 'sha384'),
  'C1 an algorithm in small letters': forge({ alg: 'hs256' }, claims),
  'C1 a list of algorithms': forge({ alg: ['HS256'] }, claims),
  'C1 RS256 by a pair of their own': bySomebody('RS256'),
  'C1 ES256 by a pair of their own': bySomebody('ES256'),
  'C1 EdDSA by a pair of their own': bySomebody('EdDSA'),
  'C1 another algorithm in the name of ours': bySomebody('ES256', { alg: 'HS256' }),
  'C1 a changed payload': accessToken.replace(/\.[^.]+\./, `.${text({ ...claims, role: 'admin' })}.`),
  'C1 a header that is none': forge('[]', claims),
  'C2 a critical extension': forge({ crit: ['x'], x: 1 }, claims),
  'C2 a critical extension that is none': forge({ crit: [] }, claims),
  'C2 an unencoded payload': forge({ b64: false, crit: ['b64'] }, claims),
  'C2 an unencoded payload, not critical': forge({ b64: false }, claims),
  'C2 a compressed payload': forge({ zip: 'DEF' }, claims),
  'C3 no end': withClaims({ exp: undefined }),
  'C3 an end that is a text': withClaims({ exp: '9999999999' }),
  'C3 an end beyond all time': withClaims({ exp: 1e30 }),
  'C3 an end that is a list': withClaims({ exp: [now + 900] }),
  'C3 no beginning': withClaims({ iat: undefined }),
  'C3 a beginning that is a text': withClaims({ iat: 'now' }),
  'C3 not yet': withClaims({ nbf: now + 60 }),
  'C3 not yet, as a text': withClaims({ nbf: '0' }),
  'C4 another issuer': withClaims({ iss: 'elsewhere' }),
  'C4 no issuer': withClaims({ iss: undefined }),
  'C4 two issuers': withClaims({ iss: ['elsewhere', claims['iss']] }),
  'C4 an issuer that begins alike': withClaims({ iss: `${String(claims['iss'])}.evil` }),
  'C4 another audience': withClaims({ aud: 'elsewhere' }),
  'C4 no audience': withClaims({ aud: undefined }),
  'C4 two audiences': withClaims({ aud: [claims['aud'], 'elsewhere'] }),
  'C5 a subject that is an operator': withClaims({ sub: { $ne: null } }),
  'C5 a subject that is an object': withClaims({ sub: {} }),
  'C5 a session that is an operator': withClaims({ sid: { $ne: null } }),
  'C5 no session': withClaims({ sid: undefined }),
  'C5 no id': withClaims({ jti: undefined }),
  'C5 an id that is a number': withClaims({ jti: 1 }),
  'C5 nothing for a payload': forge({}, []),
  'C5 a list for a payload': forge({}, [claims]),
  'C5 a text for a payload': forge({}, '"x"'),
  'C5 null for a payload': forge({}, 'null'),
  'C5 no JSON for a payload': forge({}, '{'),
  'C6 a refresh token': refreshToken,
  'C6 another type': forge({ typ: 'JWT' }, claims),
  'C6 a type of refresh tokens': forge({ typ: 'rt+jwt' }, claims),
  'C6 no type': forge({ typ: undefined }, claims),
  'C7 a kid of nobody': forge({ kid: 'nobody' }, claims),
  'C7 a kid that is a path': forge({ kid: '../../dev/null' }, claims),
  'C7 a kid that is a prototype key': forge({ kid: '__proto__' }, claims),
  'C7 a kid that is a list': forge({ kid: [kid] }, claims),
  'C7 a kid that is a number': forge({ kid: 0 }, claims),
  'C7 no kid': forge({ kid: undefined }, claims),
  'C7 a huge kid': forge({ kid: 'k'.repeat(10_000) }, claims)
}

await t.test('the forger\'s good tokens are let in', async (t) => {
  for (const token of [forge({}, claims), withClaims({ jti: 'another' }), withClaims({ exp: now + 5 })]) t.equal((await service.get('/api/protected', { token })).json?.user?.id, userId)
})

for (const [what, token] of Object.entries(forged)) {
  await t.test(`${what}: refused`, async (t) => {
    const times: number[] = []
    for (let i = 0; i < 3; i++) {
      const answer = await service.get('/api/protected', { token })
      expectProblem(t, answer, 401, 'token_invalid', { what: 'Authorization' })
      times.push(answer.ms)
    }
    t.ok(Math.min(...times) < 20, `at once: ${times.map(Math.round).join(', ')} ms`)
    expectProblem(t, await service.get('/api/protected', { headers: { 'x-access-token': token } }), 401, 'token_invalid', { what: 'x-access-token' })
    if (token.length < 10_000) expectProblem(t, await service.get('/api/auth/profile', { headers: { cookie: `accessToken=${token}` } }), 401, 'token_invalid', { what: 'cookie' })
    expectProblem(t, await service.post('/api/auth/refresh', undefined, { token }), 401, 'token_invalid', { what: 'renewal' })
    t.equal((await service.post('/api/auth/logout', undefined, { token })).json.revoked, 0, 'nor does it sign anybody out')
  })
}

await t.test('C2 a header that brings keys brings none, and nobody is asked for them', async (t) => {
  let asked = 0
  const keys = createServer((_request, response) => { asked++; response.end('{}') })
  keys.listen(0, '127.0.0.1')
  await once(keys, 'listening')
  t.teardown(() => { keys.close() })
  const url = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys`
  const jwk = { kty: 'oct', kid, k: text('chosen-by-the-forger') }
  const own = { jwk, jku: url, x5u: url, x5c: [text('a certificate')] }
  for (const [name, value] of Object.entries(own)) {
    const passedOver = await service.get('/api/protected', { token: forge({ [name]: value }, claims) })
    t.ok([200, 401].includes(passedOver.status), `${name}, signed by us: ${passedOver.status}`)
    expectProblem(t, await service.get('/api/protected', { token: forge({ [name]: value }, claims, 'chosen-by-the-forger') }), 401, 'token_invalid', { what: `${name}, signed by it` })
  }
  t.equal(asked, 0)
})

await t.test('C3 a token whose time is over is told so, half a minute or a second later', async (t) => {
  for (const seconds of [31, 1]) expectProblem(t, await service.get('/api/protected', { token: withClaims({ exp: now - seconds }) }), 401, 'token_expired', { what: `${seconds} s` })
})

await t.test('C6 an access token is no refresh token', async (t) => {
  for (const token of [accessToken, forge({}, claims)]) {
    expectProblem(t, await service.post('/api/auth/refresh', { refreshToken: token }), 401, 'refresh_token_invalid')
    expectProblem(t, await service.post('/api/auth/refresh', undefined, { headers: { cookie: `refreshToken=${token}` } }), 401, 'refresh_token_invalid')
  }
})

await t.test('C9 a good signature is not enough: the session and the user must be those of the token', async (t) => {
  const other = await register(service)
  for (const more of [{ sid: 'nobody-s-session-0000' }, { sub: other.userId }, { sid: other.sid }]) {
    expectProblem(t, await service.get('/api/protected', { token: withClaims(more) }), 401, 'session_revoked', { what: JSON.stringify(Object.keys(more)) })
  }
  expectProblem(t, await service.get('/api/protected', { token: withClaims({ exp: now - 1 }) }), 401, 'token_expired')
  t.equal((await service.get('/api/protected', { token: withClaims({ role: 'admin' }) })).json.user.role, 'user', 'the role is the account\'s')
  t.equal((await service.get('/api/protected', { token: accessToken })).status, 200, 'none of it hurt the session')
})
