// Texts made of honest tokens: bits flipped, cut, doubled, spliced with another honest one, written with other characters
// that mean the same bytes. What comes out is often almost the honest token, and sometimes is it: `isHonest` tells.
import fc from 'fast-check'

/** What is done to a text; `other` is the honest text that pieces are taken from. */
type Step = (text: string, other: string) => string

const put = (text: string, at: number, instead: string, length: number): string => text.slice(0, at) + instead + text.slice(at + length)
const placeIn = (text: string, at: number): number => text.length === 0 ? 0 : at % text.length

/** Characters of base64url that a lenient decoder takes for the same bytes: the last one has spare bits, and there is padding. */
const spellings = (segment: string): string[] => {
  const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
  const bytes = Buffer.from(segment, 'base64url')
  const same = alphabet.map((last) => segment.slice(0, -1) + last).filter((text) => Buffer.from(text, 'base64url').equals(bytes))
  return [...same, `${segment}=`, `${segment}==`, segment.replaceAll('-', '+').replaceAll('_', '/'), `${segment} `, segment.replace(/.{4}/, '$&\t')]
}

const inSegment = (text: string, at: number, change: (segment: string) => string): string => {
  const segments = text.split('.')
  return segments.map((segment, place) => place === at % segments.length ? change(segment) : segment).join('.')
}

const nat = fc.nat(6000)
const character = fc.oneof(fc.constantFrom('.', '=', '+', '/', ' ', '\t', ',', ';', '"', '%', '\0', '\x7f', '\xff', 'A', '-'), fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)))

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(nat, fc.nat(7)).map(([at, bit]): Step => (text) => put(text, placeIn(text, at), String.fromCharCode((text.charCodeAt(placeIn(text, at)) || 0) ^ 1 << bit), 1)),
  nat.map((at): Step => (text) => text.slice(0, placeIn(text, at))),
  nat.map((at): Step => (text) => text.slice(placeIn(text, at))),
  fc.tuple(nat, fc.integer({ min: 1, max: 60 })).map(([at, length]): Step => (text) => put(text, placeIn(text, at), text.slice(placeIn(text, at), placeIn(text, at) + length).repeat(2), length)),
  fc.tuple(nat, nat).map(([at, from]): Step => (text, other) => text.slice(0, placeIn(text, at)) + other.slice(placeIn(other, from))),
  nat.map((at): Step => (text, other) => { // half of this one and half of that, cut at the same place
    return text.slice(0, placeIn(text, at)) + other.slice(placeIn(text, at))
  }),
  fc.tuple(nat, nat).map(([at, from]): Step => (text, other) => inSegment(text, at, () => other.split('.')[from % other.split('.').length] as string)),
  fc.tuple(nat, nat).map(([at, from]): Step => (text, other) => put(text, placeIn(text, at), other[placeIn(other, from)] ?? '', 1)),
  fc.tuple(nat, nat).map(([at, which]): Step => (text) => inSegment(text, at, (segment) => spellings(segment)[which % spellings(segment).length] as string)),
  nat.map((at): Step => (text) => inSegment(text, at, (segment) => segment.toUpperCase())),
  nat.map((at): Step => (text) => inSegment(text, at, (segment) => [...segment].reverse().join(''))),
  fc.tuple(nat, character).map(([at, one]): Step => (text) => put(text, placeIn(text, at), one, 0)),
  fc.constantFrom('.', '..', ' ', '\0', '.x', ';', ', ').map((tail): Step => (text, other) => text + tail + other),
  fc.constantFrom('rt1', 'rt0', 'v1', 'v0', '').map((head): Step => (text) => text.replace(/^[^.]*/, head)),
  fc.integer({ min: 0, max: 3 }).map((generation): Step => (text) => text.replace(/\.\d+\./, `.${generation}.`))
)

/** Which honest text, which other one, and what is done to it: the texts themselves are known when it runs. */
export interface Recipe { readonly one: number, readonly other: number, readonly steps: readonly Step[] }

export const recipes: fc.Arbitrary<Recipe> = fc.record({ one: fc.nat(100), other: fc.nat(100), steps: fc.array(step, { minLength: 1, maxLength: 3 }) })

/** @returns the mutant, as bytes that one line of a header can hold */
export function mutantOf (honest: readonly string[], { one, other, steps }: Recipe): string {
  const [text, donor] = [honest[one % honest.length] as string, honest[other % honest.length] as string]
  return steps.reduce((made, change) => change(made, donor), text).replace(/[\r\n]/g, ' ').slice(0, 12_000)
}

/** Any bytes that one line of a header can hold. */
export const anyBytes: fc.Arbitrary<string> = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1').replace(/[\r\n]/g, ' '))

/** What a parser of cookies sees of a value: up to a semicolon, without quotes and escapes. */
export function cookieValue (text: string): string {
  const bare = (text.split(';', 1)[0] as string).trim().replace(/^"|"$/g, '')
  try {
    return decodeURIComponent(bare)
  } catch {
    return bare
  }
}

/** Whether a text is one of the honest ones, as whoever reads it would see it. */
export const isHonest = (honest: readonly string[], text: string): boolean => [text, text.trim(), cookieValue(text), cookieValue(text).trim()].some((seen) => honest.includes(seen))
