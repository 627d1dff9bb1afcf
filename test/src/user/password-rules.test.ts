// Which passwords are taken: long enough, whole for bcrypt, and not what anybody would guess.
import t from 'tap'
import { LatchkeyError } from '../../../src/errors.ts'
import { canonicalPassword, checkNewPassword, isHashable, mostPasswordBytes } from '../../../src/user/password-rules.ts'
import { emailMark, passwordMark } from '../../helper/evidence.ts'
import { createRandom } from '../random.ts'

const known = [`Ada.Lovelace@${emailMark}`, `ada.lovelace@${emailMark}`, 'CountessAda', 'Ada King Lovelace']

/** The code of a refusal, or undefined for a password that is taken. */
function refusalOf (password: string, minLength = 8, names: readonly string[] = known): string | undefined {
  try {
    checkNewPassword(canonicalPassword(password), names, minLength)
  } catch (error) {
    if (error instanceof LatchkeyError) return error.code
    throw error
  }
  return undefined
}

await t.test('length counts in characters as people count them in code', async (t) => {
  for (const letter of ['x7', 'ж!', '\u{1F511}\u{1F6AA}']) {
    const text = (length: number): string => Array.from({ length }, (_, at) => [...letter][at % 2]).join('')
    t.equal(refusalOf(text(7)), 'password_too_short', letter)
    t.equal(refusalOf(text(8)), undefined, letter)
    t.equal(refusalOf(text(11), 12), 'password_too_short', letter)
    t.equal(refusalOf(text(12), 12), undefined, letter)
  }
  t.equal(refusalOf(''), 'password_too_short')
  t.equal(refusalOf('jose\u0301 1234567890'.slice(0, 8)), 'password_too_short', 'e and its accent are one character')
  t.throws(() => { checkNewPassword('x', [], 10) }, { message: 'The password needs at least 10 characters.' })
})

await t.test('72 bytes are taken, one more is refused', async (t) => {
  t.equal(mostPasswordBytes, 72)
  const long = passwordMark + 'xY'.repeat(40)
  t.equal(refusalOf(long.slice(0, 72)), undefined)
  t.equal(refusalOf(long.slice(0, 73)), 'password_too_long')
  t.equal(refusalOf('ж'.repeat(36)), undefined)
  t.equal(refusalOf('ж'.repeat(36) + 'x'), 'password_too_long')
  t.equal(refusalOf('\u{1F511}'.repeat(18)), undefined)
  t.equal(refusalOf('\u{1F511}'.repeat(19)), 'password_too_long')
  t.equal(refusalOf('a\u0301'.repeat(36)), undefined, 'counted in the form that is hashed')
})

await t.test('a NUL is refused wherever it stands', async (t) => {
  for (const text of ['\0abcdefgh12', 'abcd\0efgh12', 'abcdefgh12\0']) {
    t.equal(refusalOf(text), 'validation_failed', JSON.stringify(text))
    t.notOk(isHashable(text))
  }
})

await t.test('half a surrogate pair is refused: all of them would be one password', async (t) => {
  for (const text of ['\ud800abcdefgh12', 'abcd\udc00efgh12', 'abcdefgh12\ud83d']) {
    t.equal(refusalOf(text), 'validation_failed', JSON.stringify(text))
    t.notOk(isHashable(text))
  }
  t.ok(isHashable('\u{1F511}'))
})

await t.test('what bcrypt would not read to its end is not hashable', async (t) => {
  t.ok(isHashable('x'.repeat(72)))
  t.notOk(isHashable('x'.repeat(73)))
  t.notOk(isHashable('ж'.repeat(37)))
  t.ok(isHashable(''))
})

await t.test('common passwords are refused in any case', async (t) => {
  for (const text of ['password123', 'qwertyuiop', '12345678', 'PASSWORD123', 'Qwertyuiop', 'iloveyou', 'trustno1', 'sunshine', 'princess', 'football', '1q2w3e4r', 'password']) t.equal(refusalOf(text), 'password_common', text)
})

await t.test('what is known of the account is refused, dressed up or not', async (t) => {
  const names = [`ada.lovelace@${emailMark}`, 'ada.lovelace', 'countessada', 'ada king lovelace', 'latchkey']
  for (const name of names) {
    for (const text of [name, name.toUpperCase(), `${name}1`, `${name}2024!`, `!!${name}`, `123${name}456`, `***${name[0]?.toUpperCase()}${name.slice(1)}***`, ` ${name} `]) {
      t.equal(refusalOf(text), 'password_common', text)
    }
  }
  t.equal(refusalOf('ada.lovelace99', 8, []), undefined, 'another account may take it')
})

await t.test('names without letters, and names that are not there, refuse nobody', async (t) => {
  for (const names of [[''], ['', ' ', '@', '--'], ['2024', '...'], []]) {
    for (const text of ['48291048571', '2024-11-05!', '!!!???!!!???', '--------9--']) t.equal(refusalOf(text, 8, names), undefined, `${text} beside ${JSON.stringify(names)}`)
  }
  t.equal(refusalOf('20242024', 8, ['20242024']), 'password_common', 'but the very name is refused')
})

await t.test('no composition is asked for: ordinary passphrases are taken as they are', async (t) => {
  const ordinary = [
    'correct horse battery', 'correct horse battery staple', 'ж'.repeat(20), ' lead and trail ', 'the quick brown fox jumps', 'mein hund frißt käse', 'aaaaaaaaaaaaaaaaaaaaaaaab', '84736251948', 'tr0ub4dor&3',
    'Ada likes latchkeys a lot', 'my-latchkey-under-the-mat', 'lovelace was here first', '\u{1F511}'.repeat(8), 'パスワードは秘密です', `${passwordMark}ordinary`
  ]
  for (const text of ordinary) t.equal(refusalOf(text), undefined, text)
})

await t.test('a password is one however a keyboard composes it', async (t) => {
  t.equal(canonicalPassword('cafe\u0301'), 'caf\u00e9')
  t.equal(canonicalPassword('\u1112\u1161\u11ab'), '\ud55c')
  t.equal(canonicalPassword('ﬁ ² Ａ'), 'ﬁ ² Ａ', 'but different characters stay different')
  t.equal(canonicalPassword(' x '), ' x ', 'and no space is lost')
  const random = createRandom()
  let wrong: string | undefined
  for (let round = 0; round < 2000 && wrong === undefined; round++) {
    const text = random.text('aeo\u0301\u0308\u0327é\u00f6\u1112\u1161', random.below(20))
    const canonical = canonicalPassword(text)
    if (canonicalPassword(canonical) !== canonical || canonicalPassword(text.normalize('NFD')) !== canonical) wrong = text
  }
  t.equal(wrong, undefined, `seed ${random.seed}`)
})

await t.test('no refusal repeats the password, and each is one code', async (t) => {
  for (const text of [passwordMark.slice(0, 7), passwordMark.repeat(10), `${passwordMark}\0`, `${passwordMark}`]) {
    const error = ((): unknown => {
      try {
        checkNewPassword(text, [passwordMark], 8)
      } catch (error) {
        return error
      }
      return undefined
    })()
    t.ok(error instanceof LatchkeyError)
    t.notMatch(JSON.stringify(error) + String(error), /Pw7mark/)
    t.equal((error as LatchkeyError).statusCode, 400)
  }
})

await t.test('absurd lengths are judged at once', async (t) => {
  const begin = performance.now()
  for (const text of ['x'.repeat(1_000_000), '!'.repeat(100_000), '\u{1F511}'.repeat(100_000)]) t.equal(refusalOf(text), 'password_too_long')
  t.ok(performance.now() - begin < 1000)
})
