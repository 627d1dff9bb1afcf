// Preferences: language tags in one spelling, and a cookie of which nothing is believed that would not be accepted today.
import t from 'tap'
import { canonical, chosenIn, cookieText, languageTag, type Chosen } from '../../../src/preference/preference-rules.ts'

/** A cookie that says whatever it wants. */
const cookieOf = (json: string): string => Buffer.from(json).toString('base64url')

const lawful: Record<string, string> = {
  en: 'en',
  EN: 'en',
  'en-us': 'en-US',
  'PT-br': 'pt-BR',
  'zh-hans-cn': 'zh-Hans-CN',
  'ZH-HANT': 'zh-Hant',
  'es-419': 'es-419',
  'sl-ROZAJ': 'sl-rozaj',
  'de-DE-u-co-phonebk': 'de-DE-u-co-phonebk',
  'en-x-Private': 'en-x-private',
  iw: 'he'
}

const unlawful = [
  '', ' ', 'e', 'en_US', 'en-', '-en', 'en--US', 'en US', ' en', 'en ', 'en\n', 'en-US-', 'toolonglanguage', '12', 'en-12', 'en-a', 'en-u',
  'x-private', 'i-klingon', // of RFC 5646, but of no language that Unicode has
  'de-1996-1996', 'e\u0301n', 'ёж', 'en\u0000', '<script>', '../en', '*', 'en,de', 'en;q=1', '\ud800'
]

await t.test('a language tag has one spelling', async (t) => {
  for (const [text, tag] of Object.entries(lawful)) {
    t.equal(languageTag(text), tag, text)
    t.equal(languageTag(tag), tag, 'and is its own')
    t.strictSame(canonical({ language: text }), { language: tag })
  }
})

await t.test('what is no language tag is refused, by name', async (t) => {
  for (const text of unlawful) {
    t.equal(languageTag(text), undefined, JSON.stringify(text))
    t.throws(() => canonical({ theme: 'dark', language: text }), { code: 'validation_failed', extras: { errors: [{ path: '/body/language' }] } })
  }
})

await t.test('what was not chosen stays unchosen', async (t) => {
  t.strictSame(canonical({}), {})
  t.strictSame(canonical({ theme: 'dark' }), { theme: 'dark' })
  t.strictSame(canonical({ notifications: false, language: 'DE' }), { notifications: false, language: 'de' })
})

await t.test('a cookie says what was written into it', async (t) => {
  const chosen: Chosen[] = [
    {}, { theme: 'light' }, { theme: 'dark' }, { theme: 'system' }, { notifications: true }, { notifications: false },
    { theme: 'dark', notifications: false, language: 'zh-Hant-TW' }, ...Object.values(lawful).map((language) => ({ language }))
  ]
  for (const one of chosen) {
    const text = cookieText(one)
    t.match(text, /^[\w-]+$/, 'in characters that any cookie takes')
    t.strictSame(chosenIn(text), one)
  }
  t.strictSame(chosenIn(undefined), {}, 'and none says nothing')
})

await t.test('anything unlawful in a cookie makes all of it unsaid', async (t) => {
  const texts = [
    '', 'null', 'true', '5', '"dark"', '[]', '[{"theme":"dark"}]', '{', '{"theme":"dark"', '{"theme":"dark"}}', "{theme:'dark'}", 'not json', '\u0000',
    '{"theme":"dark","colour":"red"}', '{"theme":"dark","Theme":"dark"}', '{"theme":"dark","":1}', '{"theme":"dark","0":1}',
    '{"theme":"pink"}', '{"theme":"DARK"}', '{"theme":null}', '{"theme":["dark"]}', '{"theme":{"$ne":1}}', '{"theme":"dark","theme":"pink"}',
    '{"theme":"dark","notifications":"true"}', '{"notifications":1}', '{"notifications":null}',
    '{"theme":"dark","language":5}', '{"language":null}', '{"language":["en"]}', '{"language":{}}'
  ]
  for (const text of texts) t.strictSame(chosenIn(cookieOf(text)), {}, text)
})

await t.test('a language that is spelt otherwise was not written by us', async (t) => {
  for (const [text, tag] of Object.entries(lawful).filter(([text, tag]) => text !== tag)) {
    t.strictSame(chosenIn(cookieOf(JSON.stringify({ theme: 'dark', language: text }))), {}, text)
    t.strictSame(chosenIn(cookieOf(JSON.stringify({ theme: 'dark', language: tag }))), { theme: 'dark', language: tag })
  }
  for (const language of unlawful) t.strictSame(chosenIn(cookieOf(JSON.stringify({ theme: 'dark', language }))), {})
})

await t.test('keys of prototypes are unknown keys, and reach no prototype', async (t) => {
  for (const key of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']) {
    for (const value of ['{}', '{"theme":"dark"}', 'null', '1', '"x"']) {
      const chosen = chosenIn(cookieOf(`{"${key}":${value},"theme":"dark"}`))
      t.strictSame([Object.keys(chosen), Object.getPrototypeOf(chosen)], [[], Object.prototype], `${key}: ${value}`)
    }
  }
  t.notOk('theme' in {}, 'no object has a theme of its own')
})

await t.test('what is not in the cookie\'s alphabet says nothing', async (t) => {
  for (const text of ['', '.', '***', '{}', '{"theme":"dark"}', 'null', '\u{1f512}']) t.strictSame(chosenIn(text), {}, text)
})
