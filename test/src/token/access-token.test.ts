// Access tokens as they are issued and read: what they say, when they are over, and how keys change.
import t from 'tap'
import { createAccessTokens } from '../../../src/token/access-token.ts'
import { createKeyring } from '../../../src/token/keyring.ts'
import { codeOf, createKey, createTokenKit, forge, jsonOf, partsOf, someone } from './token-kit.ts'

const key = createKey('k1')
const secondsOf = (ms: number): number => Math.floor(ms / 1000)

await t.test('a token says these things and no others', async (t) => {
  const { tokens, clock } = await createTokenKit([key], { randomBytes: (size) => Buffer.alloc(size, 7) })
  clock.advance(999) // a second counts from its begin
  const { text, expiresInSeconds } = tokens.issue(someone, 'sid-1', Infinity)
  const iat = secondsOf(clock.wall())
  const [header, payload] = partsOf(text)
  t.strictSame(jsonOf(header), { alg: 'HS256', typ: 'at+jwt', kid: 'k1' })
  const claims = { sub: 'user-1', sid: 'sid-1', jti: Buffer.alloc(16, 7).toString('base64url'), iat, exp: iat + 900, iss: 'issuer-1', aud: 'audience-1', role: 'user' }
  t.strictSame(jsonOf(payload), claims)
  t.equal(expiresInSeconds, 900)
  t.strictSame(tokens.read(text), claims)
  t.notMatch(Buffer.from(payload, 'base64url').toString(), /ada|leak-mark|Lovelace/, 'nothing of the person')
})

await t.test('each token has an id of its own', async (t) => {
  const { tokens } = await createTokenKit([key])
  const ids = Array.from({ length: 100 }, () => tokens.read(tokens.issue(someone, 'sid-1', Infinity).text).jti)
  t.equal(new Set(ids).size, 100)
  t.equal(Buffer.from(ids[0] as string, 'base64url').length, 16)
})

await t.test('account fields are in it for those who ask for them', async (t) => {
  const { tokens } = await createTokenKit([key], { fields: ['email', 'username', 'fullName'] })
  t.match(tokens.read(tokens.issue(someone, 'sid-1', Infinity).text), { email: someone.email, username: 'ada', fullName: 'Ada Lovelace', sub: 'user-1' })
  t.match(tokens.read(tokens.issue({ ...someone, fullName: null }, 'sid-1', Infinity).text), { fullName: null })
})

await t.test('no token outlives its session', async (t) => {
  const { tokens, clock } = await createTokenKit([key])
  const now = clock.wall()
  for (const [restMs, expected] of [[900_000, 900], [900_001, 900], [899_999, 899], [1500, 1], [1000, 1], [999, 0], [0, 0], [-5000, 0]] as const) {
    const { text, expiresInSeconds } = tokens.issue(someone, 'sid-1', now + restMs)
    const { exp } = jsonOf(partsOf(text)[1]) as { exp: number }
    t.ok(exp * 1000 <= now + restMs, `${restMs} ms left: ends with the session`)
    t.equal(expiresInSeconds, expected)
    if (expected === 0) t.equal(codeOf(() => tokens.read(text)), 'token_expired', 'a session that is over gives nothing that lives')
  }
})

await t.test('a token is over exactly at its end, by the service\'s own clock', async (t) => {
  const { tokens, clock } = await createTokenKit([key])
  const { text } = tokens.issue(someone, 'sid-1', Infinity)
  clock.advance(899_999)
  t.equal(tokens.read(text).sub, 'user-1')
  clock.advance(1)
  t.equal(codeOf(() => tokens.read(text)), 'token_expired')
  t.equal(tokens.read(text, { expired: true }).sid, 'sid-1', 'but it still proves whose session it was')
  clock.setWallBy(-1)
  t.equal(codeOf(() => tokens.read(text)), undefined)
  clock.advance(10 * 365 * 86_400_000)
  t.equal(tokens.read(text, { expired: true }).sid, 'sid-1')
})

await t.test('the machine\'s clock has no say', async (t) => {
  for (const byMs of [-30, 30].map((years) => years * 365 * 86_400_000)) {
    const { tokens, clock } = await createTokenKit([key])
    clock.setWallBy(byMs)
    t.equal(codeOf(() => tokens.read(tokens.issue(someone, 'sid-1', Infinity).text)), undefined)
  }
})

await t.test('"expired" is said only when nothing but the time is wrong', async (t) => {
  const { tokens, clock } = await createTokenKit([key])
  const now = secondsOf(clock.wall())
  const header = { alg: 'HS256', typ: 'at+jwt', kid: 'k1' }
  const over = { sub: 'user-1', sid: 'sid-1', jti: 'j', iat: now - 900, exp: now - 1, iss: 'issuer-1', aud: 'audience-1', role: 'user' }
  t.equal(codeOf(() => tokens.read(forge(header, over, key.secret))), 'token_expired')
  const wrongs = [{ ...over, iss: 'x' }, { ...over, aud: ['audience-1'] }, { ...over, sub: 7 }, { ...over, nbf: now + 60 }, { ...over, iat: 'x' }, { ...over, role: undefined }]
  for (const wrong of wrongs) {
    for (const options of [{}, { expired: true }]) t.equal(codeOf(() => tokens.read(forge(header, wrong, key.secret), options)), 'token_invalid', JSON.stringify(wrong))
  }
  for (const bad of [forge({ ...header, kid: 'k9' }, over, key.secret), forge(header, over, 'x'.repeat(40)), forge({ ...header, typ: 'JWT' }, over, key.secret)]) {
    t.equal(codeOf(() => tokens.read(bad)), 'token_invalid')
    t.equal(codeOf(() => tokens.read(bad, { expired: true })), 'token_invalid')
  }
})

await t.test('a token may begin later, and counts from that moment', async (t) => {
  const { tokens, clock } = await createTokenKit([key])
  const now = secondsOf(clock.wall())
  const text = forge({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' }, { sub: 'u', sid: 's', jti: 'j', iat: now, exp: now + 900, nbf: now + 60, iss: 'issuer-1', aud: 'audience-1', role: 'user' }, key.secret)
  t.equal(codeOf(() => tokens.read(text)), 'token_invalid')
  clock.advance(59_999)
  t.equal(codeOf(() => tokens.read(text)), 'token_invalid')
  clock.advance(1)
  t.equal(codeOf(() => tokens.read(text)), undefined)
})

await t.test('a key changes without signing anybody out: announced, first, alone', async (t) => {
  const next = createKey('k2')
  const [before, announced, during, after] = [await createTokenKit([key]), await createTokenKit([key, next]), await createTokenKit([next, key]), await createTokenKit([next])]
  const old = before.tokens.issue(someone, 'sid-1', Infinity).text
  t.equal(jsonOf(partsOf(announced.tokens.issue(someone, 'sid-1', Infinity).text)[0])['kid'], 'k1')
  const fresh = during.tokens.issue(someone, 'sid-1', Infinity).text
  t.equal(jsonOf(partsOf(fresh)[0])['kid'], 'k2')
  for (const kit of [announced, during]) {
    t.equal(codeOf(() => kit.tokens.read(old)), undefined)
    t.equal(codeOf(() => kit.tokens.read(fresh)), undefined)
  }
  t.equal(codeOf(() => after.tokens.read(fresh)), undefined)
  t.equal(codeOf(() => after.tokens.read(old)), 'token_invalid', 'its key is gone')
})

await t.test('a key that gets a name keeps the tokens it signed without one', async (t) => {
  const unnamed = createKey()
  const before = await createTokenKit([unnamed])
  const named = await createTokenKit([createKey('k2'), createKey('k1', unnamed.secret)])
  t.equal(codeOf(() => named.tokens.read(before.tokens.issue(someone, 'sid-1', Infinity).text)), undefined)
})

await t.test('whatever the library throws is a bad token, with its reason for the log', async (t) => {
  const reason = Object.assign(new TypeError('odd'), { code: 'FAST_JWT_ODD' })
  const { clock, ring, engine } = await createTokenKit([key])
  const tokens = createAccessTokens({
    engine: { sign: engine.sign, verify () { throw reason } }, keyring: createKeyring(ring), clock, randomBytes: (size) => Buffer.alloc(size), issuer: 'i', audience: 'a', lifetimeSeconds: 900, fields: []
  })
  t.throws(() => tokens.read(tokens.issue(someone, 'sid-1', Infinity).text), { code: 'token_invalid', cause: reason })
})

await t.test('two services with one secret do not take each other\'s tokens', async (t) => {
  const here = await createTokenKit([key])
  for (const options of [{ issuer: 'issuer-2' }, { audience: 'audience-2' }]) {
    const there = await createTokenKit([key], options)
    t.equal(codeOf(() => here.tokens.read(there.tokens.issue(someone, 'sid-1', Infinity).text)), 'token_invalid')
  }
})
