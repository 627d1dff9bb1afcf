// What nobody should send: texts, keys and JSON that have broken services before, and whatever else fits into a request.
// Bodies are made as text and not as values, because some of it no value can say: a key twice, `-0`, a number without bound.
import fc from 'fast-check'

/** Marks of direction, zero-width characters, half pairs, NUL, and names that mean something to somebody's code. */
const oddTexts = [
  '', ' ', '\0', 'a\0b', '\u202e\u2066x\u2069', '\u200b\u200d\ufeff', '\ud800', '\udc00x', '\u{1f468}\u200d\u{1f469}', 'e\u0301'.repeat(40), '\r\n', '\u2028',
  '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '$gt', '$where', 'a.b', 'a[b]', '../../etc/passwd', '<script>', '{{7*7}}', '$' + '{7*7}', "' OR 1=1--",
  'true', 'null', 'NaN', '1e308', '-0', 'x'.repeat(5000), 'x'.repeat(66_000), '\u0130\u0131\u212a', 'a@b', 'a@b.example'
]

/** Any text, well-formed or not. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...oddTexts) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...oddTexts), fc.string()).map(([odd, text]) => text + odd + text) }
)

const deep = (open: string, close: string): fc.Arbitrary<string> =>
  fc.integer({ min: 1, max: 3000 }).map((levels) => `${open.repeat(levels)}1${close.repeat(levels)}`)

/** Any JSON value, as text. */
export const hostileJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('null', 'true', '0', '-0', '1e308', '-1e308', '1e999', '1e-999', '9007199254740993', '""', '[]', '{}', '[[]]', '{"$gt":""}', '{"$ne":null}', '{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}', '{"toString":1}', '{"length":1e9}', '["x"]', '"\\ud800"') },
  { weight: 3, arbitrary: hostileText.map((text) => JSON.stringify(text)) },
  { weight: 2, arbitrary: fc.json({ depthSize: 'small' }) },
  { weight: 1, arbitrary: fc.oneof(deep('[', ']'), deep('{"a":', '}')) }
)

/** Members of an object as they are written: keys as texts, values as JSON. */
export type Members = readonly (readonly [key: string, json: string])[]

export const membersOf = (value: object): Members => Object.entries(value).map(([key, member]) => [key, JSON.stringify(member)])

export const bodyOf = (members: Members): string => `{${members.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`

interface Change { readonly kind: 'drop' | 'rename' | 'replace' | 'repeat' | 'add', readonly at: number, readonly key: string, readonly json: string }

const change: fc.Arbitrary<Change> = fc.record({ kind: fc.constantFrom('drop', 'rename', 'replace', 'repeat', 'add'), at: fc.nat(20), key: hostileText, json: hostileJson })

function changed (members: Members, { kind, at, key, json }: Change): Members {
  const place = members.length === 0 ? 0 : at % members.length
  const here = members[place]
  if (kind === 'add' || here === undefined) return [...members.slice(0, place), [key, json], ...members.slice(place)]
  if (kind === 'repeat') return [...members, [here[0], json]]
  const instead: Members = kind === 'drop' ? [] : kind === 'rename' ? [[key, here[1]]] : [[here[0], json]]
  return [...members.slice(0, place), ...instead, ...members.slice(place + 1)]
}

/** Lawful objects with one to three things wrong, as text. */
export const nearlyLawful = (lawful: fc.Arbitrary<unknown>): fc.Arbitrary<string> =>
  fc.tuple(lawful, fc.array(change, { minLength: 1, maxLength: 3 })).map(([value, changes]) => bodyOf(changes.reduce(changed, membersOf(value as object))))

/** Text with a piece cut off its end, or with something in it that does not belong there. */
export const brokenText = (whole: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(whole, fc.nat(), fc.boolean(), hostileText).map(([text, at, isCut, insert]) => {
    const place = at % (text.length + 1)
    return isCut ? text.slice(0, place) : text.slice(0, place) + insert + text.slice(place)
  })

/** As it can stand in an address; halves of pairs become U+FFFD, as in any encoder. */
export const encoded = (text: string): string => encodeURIComponent(Buffer.from(text).toString())
