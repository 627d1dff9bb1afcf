// What an attacker sends instead of a token (REQUIREMENTS C1 to C7). The control shows that the forger makes good tokens,
// so whatever is refused here is refused for the one thing that is wrong with it.
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { createRandom } from '../random.ts'
import { base64url, codeOf, createKey, createTokenKit, forge, partsOf, someone } from './token-kit.ts'

const key = createKey('k1')
const { tokens, clock, engine } = await createTokenKit([key, createKey('k2')])
const now = Math.floor(clock.wall() / 1000)
const header = { alg: 'HS256', typ: 'at+jwt', kid: 'k1' }
const claims = { sub: 'user-1', sid: 'sid-1', jti: 'jti-1', iat: now, exp: now + 900, iss: 'issuer-1', aud: 'audience-1', role: 'user' }
// one whose signature has a letter of base64url's own
const good = Array.from({ length: 99 }, (_, at) => forge(header, { ...claims, jti: `jti-${at}` }, key.secret)).find((text) => /[-_]/.test(partsOf(text)[2])) as string
const [head, body, tail] = partsOf(good)

const withHeader = (more: object): string => forge({ ...header, ...more }, claims, key.secret)
const withClaims = (more: object): string => forge(header, { ...claims, ...more }, key.secret)
const unsigned = (more: object, signature = ''): string => `${base64url(JSON.stringify({ ...header, ...more }))}.${body}.${signature}`

const refused = (promise: string, hostile: Record<string, string>): Promise<unknown> => t.test(promise, async (t) => {
  t.equal(codeOf(() => tokens.read(good)), undefined, 'control: the forger makes good tokens')
  for (const [what, text] of Object.entries(hostile)) {
    const begin = performance.now()
    t.equal(codeOf(() => tokens.read(text)), 'token_invalid', what)
    t.equal(codeOf(() => tokens.read(text, { expired: true })), 'token_invalid', `${what}, at a logout`)
    t.ok(performance.now() - begin < 200, `${what}: at once`)
  }
})

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const asymmetric = (alg: string, digest: string | null, privateKey: typeof rsa.privateKey): string => {
  const signed = `${base64url(JSON.stringify({ ...header, alg }))}.${body}`
  return `${signed}.${sign(digest, Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
const publicText = createPublicKey(rsa.privateKey).export({ type: 'spki', format: 'pem' }).toString()

await refused('only the one algorithm signs', {
  ...Object.fromEntries(['none', 'None', 'nOnE', 'NONE', '', ' '].flatMap((alg) => [[`alg ${alg}, no signature`, unsigned({ alg })], [`alg ${alg}, the old signature`, unsigned({ alg }, tail)], [`alg ${alg}, signed`, withHeader({ alg })]])),
  'alg hs256': withHeader({ alg: 'hs256' }),
  'no alg': withHeader({ alg: undefined }),
  'alg null': withHeader({ alg: null }),
  'alg as a list': withHeader({ alg: ['HS256'] }),
  HS384: forge({ ...header, alg: 'HS384' }, claims, key.secret, 'sha384'),
  HS512: forge({ ...header, alg: 'HS512' }, claims, key.secret, 'sha512'),
  'HS384 that says HS256': forge(header, claims, key.secret, 'sha384'),
  'HS512 that says HS256': forge(header, claims, key.secret, 'sha512'),
  RS256: asymmetric('RS256', 'sha256', rsa.privateKey),
  ES256: asymmetric('ES256', 'sha256', ec.privateKey),
  EdDSA: asymmetric('EdDSA', null, ed.privateKey)
})

await refused('only the key of the kid signs', {
  'an empty key': forge(header, claims, ''),
  'a guessed key': forge(header, claims, 'secret'),
  'another key of the ring': forge({ ...header, kid: 'k2' }, claims, key.secret),
  'a public key': forge(header, claims, publicText),
  'the kid as the key': forge(header, claims, 'k1'),
  'a NUL as the key': forge(header, claims, '\0'),
  'the key and more': forge(header, claims, `${key.secret} `),
  'no signature': `${head}.${body}.`,
  'no signature and no dot': `${head}.${body}`,
  'half a signature': `${head}.${body}.${tail.slice(0, 22)}`,
  'a signature and more': `${head}.${body}.${tail}AAAA`,
  'a signature of zeros': `${head}.${body}.${'A'.repeat(43)}`,
  'another\'s signature': `${head}.${body}.${partsOf(withClaims({ sub: 'user-2' }))[2]}`,
  'other claims under the signature': `${head}.${base64url(JSON.stringify({ ...claims, role: 'admin' }))}.${tail}`
})

await refused('a header brings no key and no rule of its own', {
  crit: withHeader({ crit: ['exp'] }),
  'crit of something unknown': withHeader({ crit: ['x'], x: true }),
  'crit empty': withHeader({ crit: [] }),
  'crit null': withHeader({ crit: null }),
  'b64 false': withHeader({ b64: false, crit: ['b64'] }),
  'b64 alone': withHeader({ b64: false }),
  'b64 true': withHeader({ b64: true }),
  zip: withHeader({ zip: 'DEF' }),
  ...Object.fromEntries(['jwk', 'jku', 'x5u', 'x5c', 'x5t'].map((member) => {
    const attackers = createKey()
    const value = { jwk: { kty: 'oct', k: base64url(attackers.secret) }, jku: 'https://evil.example/jwks', x5u: 'https://evil.example/x', x5c: [base64url(publicText)], x5t: 'x' }[member]
    return [`${member} with the attacker's key`, forge({ ...header, [member]: value }, claims, attackers.secret)]
  }))
})

await t.test('a header that offers a key and is signed with ours is read with ours', async (t) => {
  const verified = engine.verified
  for (const more of [{ jwk: { kty: 'oct', k: 'AA' } }, { jku: 'https://evil.example/jwks' }, { x5u: 'https://evil.example/x' }]) t.equal(codeOf(() => tokens.read(withHeader(more))), undefined)
  t.equal(engine.verified, verified + 3)
})

await refused('a kid selects from the ring, and nothing else', {
  unknown: withHeader({ kid: 'k9' }),
  missing: withHeader({ kid: undefined }),
  empty: withHeader({ kid: '' }),
  null: withHeader({ kid: null }),
  'a path': withHeader({ kid: '../../../../dev/null' }),
  'a file, with its content as the key': forge({ ...header, kid: '/dev/null' }, claims, ''),
  'a query': withHeader({ kid: "k1' OR '1'='1" }),
  'a number': withHeader({ kid: 1 }),
  'a list': withHeader({ kid: ['k1'] }),
  'an object': withHeader({ kid: { $ne: null } }),
  'a member of every object': withHeader({ kid: '__proto__' }),
  constructor: withHeader({ kid: 'constructor' }),
  'in another case': withHeader({ kid: 'K1' }),
  '10 KB': withHeader({ kid: 'k'.repeat(10_240) })
})

await refused('the kind of token is said, and is this one', Object.fromEntries(['JWT', 'jwt', 'AT+JWT', 'application/at+jwt', 'rt+jwt', '', null, ['at+jwt'], undefined].map((typ) => [`typ ${JSON.stringify(typ)}`, withHeader({ typ })])))

await refused('a header is an object of JSON', Object.fromEntries(['[]', 'null', '7', '"x"', '', '{', 'x', '[{"alg":"HS256"}]', Buffer.from([0xff, 0xfe, 0xfd])].map((text) => [`header ${String(text)}`, forge(text, claims, key.secret)])))

await refused('a payload is an object of JSON', Object.fromEntries(['[]', 'null', '7', '"x"', 'true', 'x', '{', '{}', '[{}]', '[['.repeat(500), JSON.stringify([claims]), JSON.stringify(JSON.stringify(claims)), `${JSON.stringify(claims)}x`, Buffer.from([0xff, 0xfe])].map((text) => [`payload ${String(text).slice(0, 40)}`, forge(header, text, key.secret)])))

await refused('times are whole seconds that can be', {
  ...Object.fromEntries(['exp', 'iat'].map((name) => [`${name} missing`, withClaims({ [name]: undefined })])),
  ...Object.fromEntries(['exp', 'nbf', 'iat'].flatMap((name) => ['9999999999', 1e30, -1, now + 0.5, null, [now], {}, true, '', 100_000_000_001].map((value) => [`${name} ${JSON.stringify(value)}`, withClaims({ [name]: value })]))),
  'exp beyond all numbers': forge(header, JSON.stringify(claims).replace(`"exp":${now + 900}`, '"exp":1e999'), key.secret),
  'begins later': withClaims({ nbf: now + 1 })
})

await refused('issuer and audience are exactly ours', Object.fromEntries(['iss', 'aud'].flatMap((name) => {
  const ours = claims[name as 'iss' | 'aud']
  return [undefined, null, '', 'x', ours.toUpperCase(), `${ours} `, `${ours}/`, ours.slice(0, -1), [ours], ['x', ours], { [ours]: true }, 7].map((value) => [`${name} ${JSON.stringify(value)}`, withClaims({ [name]: value })])
})))

await refused('ids are texts of a bearable length', Object.fromEntries(['sub', 'sid', 'jti', 'role'].flatMap((name) => [undefined, null, 7, true, {}, { $ne: null }, ['x'], ...(name === 'role' ? [] : ['', 'x'.repeat(129)])].map((value) => [`${name} ${JSON.stringify(value)?.slice(0, 20)}`, withClaims({ [name]: value })]))))

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const others = [...letters].filter((letter) => letter !== tail.at(-1) && letters.indexOf(letter) >> 2 === letters.indexOf(tail.at(-1) as string) >> 2)

await refused('a token is written in one way only', {
  ...Object.fromEntries(others.map((letter) => [`the spare bits of the signature: ${letter}`, good.slice(0, -1) + letter])),
  'a signature with padding': `${good}=`,
  'a header with padding': `${head}=.${body}.${tail}`,
  'the other alphabet': `${head}.${body}.${tail.replaceAll('-', '+').replaceAll('_', '/')}`,
  'a space before': ` ${good}`,
  'a space after': `${good} `,
  'a line end': `${good}\n`,
  'a space inside': `${head}. ${body}.${tail}`,
  'a NUL after': `${good}\0`,
  'four parts': `${good}.${tail}`,
  'five parts': `${good}.a.b`,
  'two dots': `..${tail}`,
  dots: '..',
  nothing: '',
  'other scripts': `${head}.${body}.${'ж'.repeat(43)}`,
  'percent escapes': good.replaceAll('.', '%2E'),
  'its own JSON form': JSON.stringify({ protected: head, payload: body, signature: tail })
})

await refused('absurd lengths die before any key is asked', {
  '12 KB': `${head}.${base64url('x'.repeat(9000))}.${tail}`,
  '12 KB, well signed': withClaims({ more: 'x'.repeat(9000) }),
  'a header of 12 KB': withHeader({ more: 'x'.repeat(9000) }),
  'a signature of 12 KB': `${head}.${body}.${'A'.repeat(12_000)}`,
  '1 MB': 'a'.repeat(1_000_000),
  '1 MB of dots': '.'.repeat(1_000_000),
  'another kind of token': `rt1.${'a'.repeat(22)}.0.${'A'.repeat(43)}`
})

await t.test('what is wrong before the signature is never verified', async (t) => {
  const before = engine.verified
  const spellings = others.map((letter) => good.slice(0, -1) + letter)
  t.equal(spellings.length, 3)
  for (const text of spellings) t.same(Buffer.from(partsOf(text)[2], 'base64url'), Buffer.from(tail, 'base64url'), 'another spelling, the same bytes')
  for (const text of [...spellings, '', 'x', withHeader({ alg: 'none' }), withHeader({ kid: 'k9' }), withHeader({ crit: ['x'] }), withHeader({ typ: 'JWT' }), `${good}=`, withClaims({ more: 'x'.repeat(9000) })]) codeOf(() => tokens.read(text))
  t.equal(engine.verified, before)
})

await t.test('one bit turned in any place is no token', async (t) => {
  const text = Buffer.from(tokens.issue(someone, 'sid-1', Infinity).text)
  const wrong: string[] = []
  for (let at = 0; at < text.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      text[at] = text[at] as number ^ 1 << bit
      if (codeOf(() => tokens.read(text.toString('latin1'))) !== 'token_invalid') wrong.push(text.toString('latin1'))
      text[at] = text[at] as number ^ 1 << bit
    }
  }
  t.strictSame(wrong, [])
})

await t.test('random texts are bad tokens and nothing else', async (t) => {
  const random = createRandom()
  let wrong: string | undefined
  for (let round = 0; round < 3000 && wrong === undefined; round++) {
    const garbage = random.pick([() => random.text(`${letters}..`, random.below(200)), () => random.bytes(random.below(200)).toString('latin1'), () => forge(random.bytes(20), random.bytes(20), key.secret), () => forge(header, random.bytes(50), key.secret)])()
    const code = codeOf(() => tokens.read(garbage))
    if (code !== 'token_invalid') wrong = `${code}: ${garbage}`
  }
  t.equal(wrong, undefined, `seed ${random.seed}`)
})
