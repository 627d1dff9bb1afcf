// Accounts: which spellings are one address, and what of a record may be seen.
import t from 'tap'
import { emailKeyOf, profileOf, publicUser, usernameKeyOf, type UserRecord } from '../../../src/user/user-record.ts'
import { createRandom } from '../random.ts'

await t.test('spellings that people hold for the same address have one key', async (t) => {
  const key = 'ada@leak-mark.example'
  for (const text of ['ada@leak-mark.example', 'ADA@Leak-Mark.EXAMPLE', '  ada@leak-mark.example\t', 'ａｄａ@leak-mark.example', 'ada＠leak-mark.example', 'ada@leak-mark。example', '\u00a0ada@leak-mark.example']) {
    t.equal(emailKeyOf(text), key, JSON.stringify(text))
  }
  t.equal(emailKeyOf('jos\u00e9@x.example'), emailKeyOf('jose\u0301@x.example'), 'composed or not')
  t.equal(emailKeyOf('JOSÉ@x.example'), 'josé@x.example')
})

await t.test('capitals that only their small letters compose are the same letters', async (t) => {
  for (const [capital, small] of [['T\u0308', '\u1e97'], ['J\u030c', '\u01f0'], ['H\u0331', '\u1e96'], ['W\u030a', '\u1e98'], ['\u0130\u1dcf', 'i\u1dcf\u0307']] as const) {
    t.equal(emailKeyOf(`${capital}a@x.example`), emailKeyOf(`${small}a@x.example`), small)
  }
})

await t.test('a sigma is a sigma, wherever in the word it stands', async (t) => {
  for (const text of ['ασ@x.example', 'ας@x.example', 'ΑΣ@X.EXAMPLE', 'α\u03f9@x.example', 'α\u03f2@x.example']) t.equal(emailKeyOf(text), 'ασ@x.example', text)
})

await t.test('a domain counts in ASCII, whatever script it is typed in', async (t) => {
  for (const text of ['a@bücher.example', 'a@BÜCHER.example', 'a@bu\u0308cher.example', 'a@xn--bcher-kva.example', 'a@XN--BCHER-KVA.example']) t.equal(emailKeyOf(text), 'a@xn--bcher-kva.example', text)
  t.equal(emailKeyOf('почта@пример.рф'), 'почта@xn--e1afmkfd.xn--p1ai')
})

await t.test('different addresses stay different', async (t) => {
  const keys = ['ada@x.example', 'a.da@x.example', 'ada+shop@x.example', 'ada@y.example', 'ada@sub.x.example', 'аda@x.example', 'ada-@x.example', "o'hara@x.example", '!#$%&*/=?^_`{|}~@x.example'].map(emailKeyOf)
  t.notOk(keys.includes(undefined))
  t.equal(new Set(keys).size, keys.length)
})

await t.test('what is no address has no key', async (t) => {
  const refused = [
    '', ' ', '@', 'ada', 'ada@', '@x.example', 'ada@x', 'ada@localhost', 'ada@@x.example', 'ada@b@x.example', 'a da@x.example', 'ada@x .example', 'ada@x.example.', 'ada@x.example,bob@x.example',
    '"ada"@x.example', 'ada<x>@x.example', 'Ada <ada@x.example>', 'a:da@x.example', 'a(d)a@x.example', 'a[d]a@x.example', 'a\\da@x.example', 'a\0da@x.example', 'ada\n@x.example', 'ada@x.\u0007example',
    'ada@x/y.example', 'ada@x.example?y', 'ada@x.example#y', 'ada@x.example:25', 'ada@[127.0.0.1]', 'ada@[::1]', 'ada@x<y.example', 'ada@x|y.example', 'ada@xn--a.example', 'ada@x\u200d.example'
  ]
  for (const text of refused) t.equal(emailKeyOf(text), undefined, JSON.stringify(text))
})

await t.test('a domain is read as a name, not as part of a web address', async (t) => {
  // a URL parser takes these for `victim.example`: whoever typed them would own the key of somebody else's address
  for (const text of ['ada@victim.example\\evil', 'ada@victim%2eexample', 'ada@v%69ctim.example']) t.equal(emailKeyOf(text), undefined, text)
})

await t.test('a domain is made of labels that a name server could hold', async (t) => {
  for (const text of ['ada@.x.example', 'ada@x..example', 'ada@x;y.example', 'ada@x,y.example', 'ada@(x).example', 'ada@"x".example', 'ada@x!.example', 'ada@-x.example', 'ada@x-.example', 'ada@1.2', 'ada@127.0.0.1', 'ada@0x7f.1']) {
    t.equal(emailKeyOf(text), undefined, text)
  }
})

await t.test('what cannot be seen is no part of an address', async (t) => {
  for (const text of ['a\u200bda@x.example', 'a\u202eda@x.example', 'a\u2060da@x.example', 'a\u00adda@x.example', 'ada\ufeff@x.example', 'a\ud800da@x.example']) t.equal(emailKeyOf(text), undefined, JSON.stringify(text))
})

await t.test('an address is as long as mail allows, and no longer', async (t) => {
  t.equal(emailKeyOf(`${'a'.repeat(64)}@x.example`)?.length, 74)
  t.equal(emailKeyOf(`${'a'.repeat(65)}@x.example`), undefined)
  const domain = (length: number): string => `${length % 2 === 0 ? 'aa.' : ''}${'a.'.repeat(200)}`.slice(0, length - 7) + 'example'
  t.equal(emailKeyOf(`a@${domain(252)}`)?.length, 254)
  t.equal(emailKeyOf(`aa@${domain(253)}`), undefined)
  t.equal(emailKeyOf(`${'ж'.repeat(60)}@${'ж.'.repeat(40)}example`), undefined, 'counted as it is compared')
  for (const huge of ['a'.repeat(1_000_000), '@'.repeat(1_000_000), 'a@' + '.'.repeat(1_000_000), 'ﷺ'.repeat(100_000)]) {
    const begin = performance.now()
    t.equal(emailKeyOf(huge), undefined)
    t.ok(performance.now() - begin < 500, 'and a huge text is refused at once')
  }
})

await t.test('a key is its own key, whatever was typed', async (t) => {
  const random = createRandom()
  const unstable: string[] = []
  const look = (text: string): void => {
    const key = emailKeyOf(text)
    if (key !== undefined && (emailKeyOf(key) !== key || emailKeyOf(key.toUpperCase()) === undefined)) unstable.push(text)
  }
  for (let round = 0; round < 20_000; round++) {
    const letter = (): string => String.fromCodePoint(random.pick([random.below(0x250), random.below(0x3000), 0xfb00 + random.below(0x500), random.below(0xd800), 0x10000 + random.below(0x10000)]))
    look(`${letter()}${letter()}a@${letter()}b.example`)
  }
  for (const text of ['ΟΔΟΣ@x.example', 'İ@x.example', 'ŉ@x.example', 'ẞ@ẞ.example', 'Ǆ@x.example', 'ſ@x.example', '㏇@x.example', '℡@x.example']) look(text)
  t.strictSame(unstable, [], `seed ${random.seed}`)
})

await t.test('usernames are one whatever their case', async (t) => {
  t.equal(usernameKeyOf('Ada.L_1-x'), 'ada.l_1-x')
  t.equal(usernameKeyOf(usernameKeyOf('ADA')), usernameKeyOf('ada'))
})

const record: UserRecord & { later: string } = {
  _id: 'id-1',
  email: 'Ada@x.example',
  emailKey: 'ada@x.example-key',
  username: 'Ada',
  usernameKey: 'ada-key',
  fullName: 'Ada Lovelace',
  role: 'admin',
  passwordHash: '$2b$12$hash',
  tokenVersion: 91,
  preferences: { theme: 'dark' },
  avatarId: null,
  version: 92,
  createdAt: new Date('2026-01-02T03:04:05.006Z'),
  updatedAt: new Date('2026-02-03T04:05:06.007Z'),
  later: 'a field that a later version adds'
}
const shown = { id: 'id-1', _id: 'id-1', username: 'Ada', email: 'Ada@x.example', fullName: 'Ada Lovelace', role: 'admin', avatarUrl: null }

await t.test('the public part is these fields and no others, and cannot be changed', async (t) => {
  const user = publicUser(record)
  t.strictSame(user, shown)
  t.ok(Object.isFrozen(user))
  t.equal(publicUser({ ...record, avatarId: 'pic' }).avatarUrl, '/api/avatars/pic')
})

await t.test('a profile adds preferences and times, and nothing secret', async (t) => {
  const profile = profileOf(record)
  t.strictSame(profile, {
    ...shown,
    preferences: { theme: 'dark', notifications: true, language: 'en' },
    createdAt: '2026-01-02T03:04:05.006Z',
    updatedAt: '2026-02-03T04:05:06.007Z'
  })
  t.notMatch(JSON.stringify([profile, publicUser(record)]), /\$2b|hash|-key|9[12]|later/)
  t.strictSame(profileOf({ ...record, preferences: {} }).preferences, { theme: 'system', notifications: true, language: 'en' })
  t.strictSame(profileOf(record).preferences, profile.preferences, 'the defaults are not used up')
})

await t.test('a profile cannot be changed', async (t) => {
  t.ok(Object.isFrozen(profileOf(record)))
})
