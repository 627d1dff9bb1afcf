// Signed cookies: what this service wrote for this purpose, under this name, is read; everything else is no cookie.
import { createHmac } from 'node:crypto'
import t from 'tap'
import { createKeyring } from '../../../src/token/keyring.ts'
import { createSignedCookie, type SignedCookie } from '../../../src/token/signed-cookie.ts'
import { createRandom } from '../random.ts'
import { createKey, forge, partsOf } from './token-kit.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const [key, oldKey] = [createKey('k2'), createKey('k1')]
const cookieOf = (keys = [key], purpose = 'visit', name = '__Host-visit'): SignedCookie =>
  createSignedCookie(createKeyring(keys as [typeof key]), purpose, name)

await t.test('what was signed is read', async (t) => {
  const cookie = cookieOf()
  const random = createRandom()
  for (const value of ['', 'a', '.', '..', 'v1.', 'a.b-c_d', '0'.repeat(1000), ...Array.from({ length: 100 }, () => random.text(`${alphabet}.`, random.below(200)))]) {
    const text = cookie.sign(value)
    t.strictSame(cookie.read(text), { value, isOld: false }, `${value.slice(0, 60)} (seed ${random.seed})`)
    t.match(text, /^[A-Za-z0-9_.-]*$/, 'and needs no quoting in a header')
    t.equal(text, cookie.sign(value), 'the same value is the same cookie')
  }
})

await t.test('every changed character makes it no cookie', async (t) => {
  const cookie = cookieOf()
  const text = cookie.sign('ab.cd')
  let readable = 0
  for (let at = 0; at < text.length; at++) {
    for (const other of `${alphabet}. %=~é\0`) {
      if (other !== text[at] && cookie.read(text.slice(0, at) + other + text.slice(at + 1)) !== undefined) readable++
    }
  }
  t.equal(readable, 0)
  t.ok(cookie.read(text))
})

await t.test('every truncation, every insertion and every exchange of neighbours makes it no cookie', async (t) => {
  const cookie = cookieOf()
  const text = cookie.sign('ab.cd')
  const changed = Array.from(text).flatMap((here, at) => {
    const next = text[at + 1] ?? ''
    return [text.slice(0, at), text.slice(at + 1), text.slice(0, at) + text.slice(at + 1), ...Array.from('a0-_. \n=', (more) => text.slice(0, at) + more + text.slice(at)), text.slice(0, at) + next + here + text.slice(at + 2)]
  }).filter((one) => one !== text)
  t.ok(changed.length > 400)
  t.strictSame(changed.filter((one) => cookie.read(one) !== undefined), [])
  for (const more of ['a', '.', '=', '\n', '\0', ' ', `.${text}`]) t.equal(cookie.read(text + more), undefined, JSON.stringify(more))
})

await t.test('a signature counts for its own value only', async (t) => {
  const cookie = cookieOf()
  const [one, other] = [cookie.sign('one'), cookie.sign('other')]
  t.equal(cookie.read(`v1.other.${partsOf(one)[2]}`), undefined)
  t.equal(cookie.read(`v1.one.${partsOf(other)[2]}`), undefined)
  t.equal(cookie.read(`v2.one.${partsOf(one)[2]}`), undefined, 'and for its version')
})

await t.test('what was signed for another purpose, or under another name, is no cookie', async (t) => {
  const text = cookieOf().sign('a')
  for (const [purpose, name] of [['preferences', '__Host-visit'], ['visit', 'visit'], ['visit', '__Host-visi'], ['visit', ''], ['', '__Host-visit'], ['__Host-visit', 'visit'], ['Visit', '__Host-visit']] as const) {
    const other = cookieOf([key], purpose, name)
    t.equal(other.read(text), undefined, `${purpose}/${name}`)
    t.equal(cookieOf().read(other.sign('a')), undefined, `${purpose}/${name}, the other way`)
  }
})

await t.test('where a name ends and a value begins is signed too', async (t) => {
  for (const [name, value, otherName, otherValue] of [['n', 'am', 'na', 'm'], ['n', 'v1x', 'nv1', 'x'], ['n', 'v1.x', 'nv1.', 'x'], ['n', '', '', 'n']] as const) {
    const mac = partsOf(cookieOf([key], 'visit', name).sign(value)).at(-1)
    t.equal(cookieOf([key], 'visit', otherName).read(`v1.${otherValue}.${mac}`), undefined, `${name}=${value}`)
  }
})

await t.test('a key that signs no more is still read, and told to be old', async (t) => {
  const before = cookieOf([oldKey]).sign('a')
  const rotated = cookieOf([key, oldKey])
  t.strictSame(rotated.read(before), { value: 'a', isOld: true })
  const after = rotated.sign('a')
  t.not(after, before)
  t.strictSame(rotated.read(after), { value: 'a', isOld: false })
  t.strictSame(cookieOf([key]).read(after), { value: 'a', isOld: false }, 'the first key signs')
  t.strictSame(cookieOf([createKey(), key, oldKey]).read(before), { value: 'a', isOld: true }, 'however old')
})

await t.test('a key that was only given a name reads what it signed without one', async (t) => {
  t.strictSame(cookieOf([createKey('named', key.secret)]).read(cookieOf([createKey(undefined, key.secret)]).sign('a')), { value: 'a', isOld: false })
})

await t.test('what an unknown key signed is no cookie', async (t) => {
  const foreign = cookieOf([createKey('k2')]).sign('a')
  t.equal(cookieOf().read(foreign), undefined, 'also one of the same name')
  t.equal(cookieOf([key, oldKey]).read(foreign), undefined)
  t.equal(cookieOf([key]).read(cookieOf([oldKey]).sign('a')), undefined, 'nor what one signed that was taken away')
})

await t.test('the secret itself signs no cookie: it serves other purposes too', async (t) => {
  for (const signed of ['a', 'v1.a', 'v1\0a', '__Host-visit\0v1\0a']) {
    t.equal(cookieOf().read(`v1.a.${createHmac('sha256', key.secret).update(signed).digest('base64url')}`), undefined, JSON.stringify(signed))
  }
  t.equal(cookieOf().read(forge({ alg: 'HS256' }, { a: 1 }, key.secret)), undefined, 'nor is a token one')
})

await t.test('a text of 4096 characters is read, a longer one is not, though we signed it', async (t) => {
  const cookie = cookieOf()
  const frame = cookie.sign('').length
  const longest = 'x'.repeat(4096 - frame)
  t.equal(cookie.sign(longest).length, 4096)
  t.strictSame(cookie.read(cookie.sign(longest)), { value: longest, isOld: false })
  t.equal(cookie.read(cookie.sign(`${longest}x`)), undefined)
  t.equal(cookie.read(cookie.sign('x'.repeat(1_000_000))), undefined)
})

await t.test('odd texts are no cookies', async (t) => {
  const cookie = cookieOf()
  const [, , mac] = partsOf(cookie.sign('a'))
  for (const odd of ['', '.', '..', 'v1', 'v1.', 'v1..', 'v1.a', 'v1.a.', `v1.${mac}`, `.a.${mac}`, `V1.a.${mac}`, `v1.a.${mac.toLowerCase()}`, `v1.a.${mac}=`, ` v1.a.${mac}`, `"v1.a.${mac}"`, `v1.a.${mac};`, `v1.ä.${mac}`,
    `v1.a\0.${mac}`, `v1%2Ea%2E${mac}`, `s:v1.a.${mac}`, `v1.a.${'A'.repeat(43)}`, 'null', 'undefined', '__proto__', '{"value":"a"}', '.'.repeat(4096), '𝒱1.a', '\ud800']) {
    t.equal(cookie.read(odd), undefined, JSON.stringify(odd.slice(0, 80)))
  }
})

await t.test('a value that no cookie can hold is not read back as another', async (t) => {
  const cookie = cookieOf()
  for (const value of ['ä', 'a b', 'a;b', 'a=b', 'a\n', 'a\0', '%41', '"a"']) t.equal(cookie.read(cookie.sign(value)), undefined, JSON.stringify(value))
})

await t.test('a cookie shows its value and a signature, and no secret', async (t) => {
  const cookie = cookieOf([key, oldKey])
  const text = cookie.sign('a')
  t.match(text, /^v1\.a\.[A-Za-z0-9_-]{43}$/)
  for (const { secret } of [key, oldKey]) t.notOk(text.includes(secret) || JSON.stringify(cookie).includes(secret) || Object.values(cookie).some((part) => String(part).includes(secret)))
})
