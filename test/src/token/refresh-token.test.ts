// Refresh tokens: made from a session and its generation, and from nothing that is stored.
import t from 'tap'
import { createKeyring } from '../../../src/token/keyring.ts'
import { createRefreshTokens, type RefreshClaim } from '../../../src/token/refresh-token.ts'
import { createRandom, type Random } from '../random.ts'
import { createKey, createTokenKit, someone } from './token-kit.ts'

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const [older, newer] = [createKey('k1'), createKey('k2')]
const tokens = createRefreshTokens(createKeyring([older]))
const sid = 'aB3-_678901234567890XY'

const randomClaim = (random: Random): RefreshClaim => ({ sid: random.text(letters, 16 + random.below(49)), generation: random.pick([0, 1, 9, 10, random.below(1_000_000_000)]) })

await t.test('a token says its session and generation, and is its own proof', async (t) => {
  const text = tokens.derive({ sid, generation: 7 })
  t.match(text, new RegExp(`^rt1\\.${sid}\\.7\\.[A-Za-z0-9_-]{43}$`))
  t.strictSame(tokens.parse(text), { sid, generation: 7 })
  t.equal(tokens.derive({ sid, generation: 7 }), text, 'a retry gets the same')
  t.not(tokens.derive({ sid, generation: 8 }).split('.')[3], text.split('.')[3])
})

await t.test('whatever was derived is read again', async (t) => {
  const random = createRandom()
  let wrong: RefreshClaim | undefined
  for (let round = 0; round < 2000 && wrong === undefined; round++) {
    const claim = randomClaim(random)
    if (JSON.stringify(tokens.parse(tokens.derive(claim))) !== JSON.stringify(claim)) wrong = claim
  }
  t.equal(wrong, undefined, `seed ${random.seed}`)
})

await t.test('one bit turned in any place is no token', async (t) => {
  const random = createRandom()
  let wrong: string | undefined
  for (let round = 0; round < 300 && wrong === undefined; round++) {
    const bytes = Buffer.from(tokens.derive(randomClaim(random)))
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        bytes[at] = bytes[at] as number ^ 1 << bit
        if (tokens.parse(bytes.toString('latin1')) !== undefined) wrong = bytes.toString('latin1')
        bytes[at] = bytes[at] as number ^ 1 << bit
      }
    }
  }
  t.equal(wrong, undefined, `seed ${random.seed}`)
})

await t.test('a raised or lowered counter and a swapped session are no token', async (t) => {
  const random = createRandom()
  let wrong: string | undefined
  for (let round = 0; round < 500 && wrong === undefined; round++) {
    const [one, other] = [randomClaim(random), randomClaim(random)]
    const [, , , mac] = tokens.derive(one).split('.')
    const forged = [
      ...[-1, 1, 2, 10].map((step) => `rt1.${one.sid}.${one.generation + step}.${mac}`),
      `rt1.${other.sid}.${one.generation}.${mac}`,
      `rt1.${one.sid}.${other.generation === one.generation ? one.generation + 1 : other.generation}.${mac}`,
      `rt1.${one.sid.slice(0, -1)}.${one.sid.at(-1)}${one.generation}.${mac}`
    ]
    wrong = forged.find((text) => tokens.parse(text) !== undefined)
  }
  t.equal(wrong, undefined, `seed ${random.seed}`)
})

await t.test('a token is written in one way only', async (t) => {
  const text = tokens.derive({ sid, generation: 5 })
  const [, , , mac] = text.split('.') as [string, string, string, string]
  const last = letters.indexOf(mac.at(-1) as string)
  const sameBytes = [...letters].filter((_, at) => at !== last && at >> 2 === last >> 2).map((letter) => mac.slice(0, -1) + letter)
  t.equal(sameBytes.length, 3)
  for (const other of sameBytes) {
    t.same(Buffer.from(other, 'base64url'), Buffer.from(mac, 'base64url'), 'the same bytes')
    t.equal(tokens.parse(`rt1.${sid}.5.${other}`), undefined, 'in another spelling')
  }
  for (const other of [
    `rt1.${sid}.05.${mac}`, `rt1.${sid}.+5.${mac}`, `rt1.${sid}.5.0.${mac}`, `rt1.${sid}.5e0.${mac}`, `rt1.${sid}.٥.${mac}`, `rt1.${sid}.5.${mac}=`, `rt1.${sid}.5.${mac}.`, ` ${text}`, `${text} `, `${text}\n`, `RT1${text.slice(3)}`,
    `rt2${text.slice(3)}`, text.slice(4), `rt1..5.${mac}`, `rt1.${sid}..${mac}`, `rt1.${sid}.5.`, `rt1.${sid}.5`, `rt1.${sid}.-5.${mac}`, `rt1.${sid}.5.${mac.replace(/[-_]/, '+')}x`
  ]) t.equal(tokens.parse(other), undefined, JSON.stringify(other))
})

await t.test('the older key of the ring still counts, the first one makes new tokens', async (t) => {
  const before = createRefreshTokens(createKeyring([older]))
  const during = createRefreshTokens(createKeyring([newer, older]))
  const after = createRefreshTokens(createKeyring([newer]))
  const [old, fresh] = [before.derive({ sid, generation: 1 }), during.derive({ sid, generation: 2 })]
  t.strictSame(during.parse(old), { sid, generation: 1 })
  t.strictSame(during.parse(fresh), { sid, generation: 2 })
  t.strictSame(after.parse(fresh), { sid, generation: 2 })
  t.equal(after.parse(old), undefined, 'a key that is gone counts no more')
  t.equal(before.parse(fresh), undefined)
  const announced = createRefreshTokens(createKeyring([older, newer]))
  t.equal(announced.derive({ sid, generation: 1 }), old, 'a key that is only announced signs nothing')
  t.ok(announced.parse(fresh))
})

await t.test('a name given to a key changes no token', async (t) => {
  const [unnamed, named] = [createKey(undefined, older.secret), createKey('other-name', older.secret)]
  t.equal(createRefreshTokens(createKeyring([unnamed])).derive({ sid, generation: 1 }), createRefreshTokens(createKeyring([named])).derive({ sid, generation: 1 }))
})

await t.test('neither kind of token is the other, even under one secret', async (t) => {
  const { tokens: accessTokens } = await createTokenKit([older])
  const access = accessTokens.issue(someone, sid, Infinity).text
  t.equal(tokens.parse(access), undefined)
  t.throws(() => accessTokens.read(tokens.derive({ sid, generation: 0 })), { code: 'token_invalid' })
})

await t.test('any text is judged at once', async (t) => {
  const mac = 'A'.repeat(43)
  const begin = performance.now()
  for (const text of ['', '.', 'rt1', '...', 'rt1.'.repeat(100_000), `rt1.${'a'.repeat(1_000_000)}.0.${mac}`, `rt1.${sid}.${'9'.repeat(1_000_000)}.${mac}`, `rt1.${sid}.0.${'A'.repeat(1_000_000)}`, '\u{1F511}'.repeat(10_000), `rt1.${sid}.0.${'é'.repeat(43)}`]) {
    t.equal(tokens.parse(text), undefined, text.slice(0, 20))
  }
  t.ok(performance.now() - begin < 500)
})
