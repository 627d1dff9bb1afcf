// Tokens of an older service: what is read out of a good one, and everything that is not one (RFC 8725). The control shows
// that the forger makes good ones, so whatever is refused is refused for the one thing that is wrong with it.
import { generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { legacyClaims, legacySid, unverifiedClaims } from '../../../src/token/legacy-token.ts'
import { hashOfToken, jwtSign } from '../../helper/old-service.ts'
import { createLegacyKit } from './legacy-kit.ts'
import { base64url, codeOf, forge, someone } from './token-kit.ts'

const [first, second] = ['secret', 'a second one, which was there before']
const { both, tokens, clock, ring, engine, seen } = await createLegacyKit(() => [first, second])
const now = Math.floor(clock.wall() / 1000)
const header = { alg: 'HS256', typ: 'JWT' }
const claims = { _id: '507f1f77bcf86cd799439011', iat: now, exp: now + 900 }
const good = jwtSign(claims, first)
const withHeader = (more: object): string => jwtSign(claims, first, { ...header, ...more })
const withClaims = (more: object): string => jwtSign({ ...claims, ...more }, first)

await t.test('a good one names its user, its end, and its session by its hash', async (t) => {
  t.strictSame(both.read(good), { sub: claims._id, sid: hashOfToken(good), exp: now + 900 })
  t.equal(legacySid(good), hashOfToken(good))
  t.match(legacySid(good), /^[A-Za-z0-9_-]{43}$/)
  t.equal(both.read(jwtSign(claims, second)).sub, claims._id, 'of any of the secrets')
  t.equal(both.read(jwtSign(claims, first, { alg: 'HS256' })).sub, claims._id, 'also without a typ')
  t.equal(both.read(jwtSign({ _id: 'x' }, first)).exp, Infinity, 'or without an end')
})

await t.test('the user stands where the original documents put it; the first that is there decides', async (t) => {
  for (const payload of [{ sub: 'u' }, { userId: 'u' }, { id: 'u' }, { _id: 'u' }, { user: { id: 'u' } }, { user: { _id: 'u' } }, { sub: 'u', userId: 'v', id: 'w', user: { sub: 'x' } }, { id: 'u', user: { id: 'v' } }]) t.equal(both.read(jwtSign(payload, first)).sub, 'u', JSON.stringify(payload))
  for (const payload of [{}, { username: 'u' }, { sub: '' }, { sub: 7, id: 'u' }, { sub: null, id: 'u' }, { sub: ['u'] }, { id: { $ne: null } }, { user: 'u' }, { user: ['u'] }, { user: null }, { sub: 'u'.repeat(129) }, { sub: {}, user: { id: 'u' } }]) t.equal(codeOf(() => both.read(jwtSign(payload, first))), 'token_invalid', JSON.stringify(payload))
  t.equal(both.read(jwtSign({ sub: 'u'.repeat(128) }, first)).sub.length, 128)
})

await t.test('times are judged by the service\'s clock, to the second', async (t) => {
  t.equal(codeOf(() => both.read(withClaims({ exp: now }))), 'token_expired')
  t.equal(codeOf(() => both.read(withClaims({ exp: now + 0.5 }))), undefined, 'a fraction is lawful')
  t.equal(codeOf(() => both.read(withClaims({ nbf: now }))), undefined)
  t.equal(codeOf(() => both.read(withClaims({ nbf: now + 1 }))), 'token_invalid')
  t.equal(both.read(withClaims({ exp: now - 1 }), { expired: true }).sub, claims._id, 'a logout takes an old one')
  t.equal(codeOf(() => both.read(withClaims({ iat: now + 99 }))), undefined)
  for (const name of ['iat', 'exp', 'nbf']) for (const time of [String(now + 60), null, {}, [now + 60], true, -1, 1e30, clock.wall()]) t.equal(codeOf(() => both.read(withClaims({ [name]: time }))), 'token_invalid', `${name} ${JSON.stringify(time)}`)
})

await t.test('tokens of today are read as ever, and no old secret is tried on them', async (t) => {
  const before = seen()
  const own = both.issue(someone, 'sid-1', clock.wall() + 3_600_000).text
  t.strictSame(both.read(own), tokens.read(own))
  t.equal(codeOf(() => both.read(own.slice(0, -3))), 'token_invalid')
  const { exp: _exp, ...rest } = tokens.read(own)
  const old = forge({ alg: 'HS256', typ: 'at+jwt', kid: ring[0].kid }, { ...rest, exp: now - 1 }, ring[0].secret)
  t.equal(codeOf(() => both.read(old)), 'token_expired')
  t.equal(seen(), before)
  const verified = engine.verified
  both.read(good)
  t.equal(engine.verified, verified, 'nor the other way round')
})

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
function withEs256 (): string {
  const signed = `${base64url(JSON.stringify({ ...header, alg: 'ES256' }))}.${base64url(JSON.stringify(claims))}`
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
const [head, body, tail] = good.split('.') as [string, string, string]
const bare = (alg: string, signature = ''): string => `${base64url(JSON.stringify({ ...header, alg }))}.${body}.${signature}`
const lax = `${tail.slice(0, -1)}${String.fromCharCode(tail.charCodeAt(42) + 1)}` // differs in spare bits only
const ours = { sub: claims._id, sid: 'sid-1', jti: 'j', iss: 'issuer-1', aud: 'audience-1', role: 'user', iat: now, exp: now + 900 }

await t.test('control: the forger makes good ones', async (t) => {
  t.equal(codeOf(() => both.read(withHeader({}))), undefined)
  t.equal(codeOf(() => both.read(withClaims({}))), undefined)
  t.equal(codeOf(() => both.read(forge(header, claims, first))), undefined)
})

for (const [what, text] of Object.entries({
  'no algorithm': bare('none'),
  'no algorithm, in another case': bare('nOnE'),
  'no algorithm, with the signature': bare('none', tail),
  'no signature': bare('HS256'),
  'alg in small letters': withHeader({ alg: 'hs256' }),
  'no alg': withHeader({ alg: undefined }),
  HS384: jwtSign(claims, first, { ...header, alg: 'HS384' }, 'sha384'),
  HS512: jwtSign(claims, first, { ...header, alg: 'HS512' }, 'sha512'),
  'HS384 that says HS256': jwtSign(claims, first, header, 'sha384'),
  ES256: withEs256(),
  'another secret': jwtSign(claims, 'Secret'),
  'an empty secret': jwtSign(claims, ''),
  'both secrets in one': jwtSign(claims, `${first},${second}`),
  'a signature in other letters': `${head}.${body}.${lax}`,
  'other claims under the signature': `${head}.${base64url(JSON.stringify({ ...claims, _id: 'another' }))}.${tail}`,
  crit: withHeader({ crit: ['exp'] }),
  'crit of something unknown': withHeader({ crit: ['x'], x: 1 }),
  b64: withHeader({ b64: false }),
  zip: withHeader({ zip: 'DEF' }),
  'a kid': withHeader({ kid: 'k9' }),
  'a kid of ours': withHeader({ kid: ring[0].kid }),
  'a kid that is nothing': withHeader({ kid: null }),
  'an attacker\'s key': jwtSign(claims, 'attacker', { ...header, jwk: { kty: 'oct', k: base64url('attacker') } }),
  'the typ of ours': withHeader({ typ: 'at+jwt' }),
  'typ in small letters': withHeader({ typ: 'jwt' }),
  'typ that is nothing': withHeader({ typ: null }),
  'a header that is a list': forge('[]', claims, first),
  'a list for a payload': forge(header, [claims], first),
  'an empty list': forge(header, [], first),
  'a text for a payload': forge(header, '"x"', first),
  'null for a payload': forge(header, 'null', first),
  'no JSON for a payload': forge(header, '{', first),
  'a token of ours, signed anew without a kid': forge({ alg: 'HS256', typ: 'at+jwt' }, ours, ring[0].secret),
  'claims of ours under the old header, with our key': jwtSign(ours, ring[0].secret),
  'claims of ours under our header, with the old key': forge({ alg: 'HS256', typ: 'at+jwt', kid: ring[0].kid }, ours, first),
  'four parts': `${good}.x`,
  'a space': `${good} `,
  nothing: ''
})) {
  await t.test(`refused: ${what}`, async (t) => {
    t.equal(codeOf(() => both.read(text)), 'token_invalid')
    t.equal(codeOf(() => both.read(text, { expired: true })), 'token_invalid', 'at a logout, too')
  })
}

await t.test('where our own keys verify old tokens, one of them is still no token of ours', async (t) => {
  const kit = await createLegacyKit(({ ring }) => ring.map(({ secret }) => secret))
  const { secret, kid } = kit.ring[0]
  t.equal(kit.both.read(jwtSign(claims, secret)).sid.length, 43)
  t.strictSame(kit.both.read(jwtSign(ours, secret)), { sub: ours.sub, sid: hashOfToken(jwtSign(ours, secret)), exp: ours.exp }, 'the session that it names itself counts for nothing')
  for (const inHeader of [{ alg: 'HS256', typ: 'at+jwt' }, { alg: 'HS256', typ: 'JWT', kid }, { alg: 'HS256', kid }]) t.equal(codeOf(() => kit.both.read(forge(inHeader, ours, secret))), 'token_invalid', JSON.stringify(inHeader))
})

await t.test('the import reads the same claims without a signature', async (t) => {
  t.strictSame(unverifiedClaims(jwtSign(claims, 'whatever')), { userId: claims._id, iat: now, exp: now + 900, nbf: undefined })
  for (const text of [withHeader({ kid: 'k' }), bare('none'), 'x', '', forge(header, [claims], first)]) t.equal(unverifiedClaims(text), undefined)
  for (const payload of [null, undefined, 7, 'x', [claims]]) t.equal(legacyClaims(payload), undefined)
})
