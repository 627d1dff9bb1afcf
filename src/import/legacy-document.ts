// Room `import`: reading documents that another service wrote. Nothing is known of them: a field may be missing, of any
// type, or called like a member of every object.
import { ObjectId } from 'mongodb'

export type LegacyDocument = Readonly<Record<string, unknown>>

/** @returns the first of these fields that is there and not null */
export function fieldIn (document: LegacyDocument, ...names: string[]): unknown {
  const name = names.find((one) => Object.hasOwn(document, one) && document[one] !== undefined && document[one] !== null)
  return name === undefined ? undefined : document[name]
}

/** @returns the first of these fields that is there, if it is a text with something in it */
export function textIn (document: LegacyDocument, ...names: string[]): string | undefined {
  const value = fieldIn(document, ...names)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** What can be an id here: it stands in keys of Redis, in tokens and in log lines, where an e-mail address may not. */
const idForm = /^[A-Za-z0-9._:-]{1,128}$/

/** @returns an ObjectId as its 24 hexadecimal characters, a text as it is; undefined for anything else */
export function idOf (value: unknown): string | undefined {
  if (value instanceof ObjectId) return value.toHexString()
  return typeof value === 'string' && idForm.test(value) ? value : undefined
}

/** What a document can be called in a report: its id, unless that could be a token or an address, else its place. */
export function labelOf (document: LegacyDocument | undefined, place: number): string {
  const id = document === undefined ? undefined : idOf(fieldIn(document, '_id'))
  return id !== undefined && id.length <= 64 ? id : `no. ${place}`
}

/** Below this a number is seconds since the epoch (until the year 5138), else milliseconds (since 1973). */
const leastMilliseconds = 100_000_000_000

/** @returns a date, a text of ISO 8601, or a number of seconds or milliseconds since the epoch; undefined for anything else */
export function dateOf (value: unknown): Date | undefined {
  const date = new Date(timeOf(value))
  return Number.isNaN(date.getTime()) ? undefined : date
}

function timeOf (value: unknown): number {
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : NaN
  if (typeof value !== 'number') return NaN
  return value < leastMilliseconds ? value * 1000 : value
}
