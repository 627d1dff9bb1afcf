// Room `embedded`: an index from the values of some fields to the ids of the documents that hold them. It answers
// equality on all of its fields or on the leading ones and guards uniqueness; it knows no order.
import { resolve } from 'mingo/util'
import { encode, type Doc, type StoredDoc } from './value-codec.ts'

export interface IndexSpec {
  readonly name: string
  readonly keys: Readonly<Record<string, 1 | -1>>
  readonly unique: boolean
  /** Documents are removed this many seconds after the date in the index's field. */
  readonly expireAfterSeconds?: number
  /** A query that a document must match to be in the index at all. */
  readonly partialFilterExpression?: Doc
}

export interface HashIndex {
  readonly spec: IndexSpec
  /** Whether the index is unique and another document holds the key of `doc`. */
  conflicts: (doc: StoredDoc) => boolean
  add: (doc: StoredDoc) => void
  remove: (doc: StoredDoc) => void
  /**
   * @param equal values that a wanted document must have, by field
   * @returns the ids of all that can match and how many fields said so, or undefined if the index is of no use here
   */
  lookup: (equal: ReadonlyMap<string, unknown>) => { ids: Iterable<string>, fields: number } | undefined
}

/** @param accepts whether a document belongs into the index: the test for `spec.partialFilterExpression` */
export function createHashIndex (spec: IndexSpec, accepts: (doc: StoredDoc) => boolean): HashIndex {
  const fields = Object.keys(spec.keys)
  // A key that only one document has, as in every unique index, is held without a Set: 100,000 of those are 20 MB.
  const holders = new Map<string, string | Set<string>>()

  // The keys of all fields; several if a field holds an array, whose elements count each.
  const keysOf = (doc: StoredDoc): string[][] => accepts(doc) ? fields.reduce<string[][]>((keys, field) => textsOf(resolve(doc, field)).flatMap((text) => keys.map((key) => [...key, text])), [[]]) : []
  const prefixesOf = (key: string[]): string[] => key.map((_, i) => key.slice(0, i + 1).join())

  function add (key: string, id: string): void {
    const held = holders.get(key)
    if (held === undefined) holders.set(key, id)
    else if (typeof held !== 'string') held.add(id)
    else if (held !== id) holders.set(key, new Set([held, id]))
  }

  function remove (key: string, id: string): void {
    const held = holders.get(key)
    if (held === id) holders.delete(key)
    else if (held instanceof Set && held.delete(id) && held.size === 0) holders.delete(key)
  }

  return {
    spec,
    conflicts: (doc) => spec.unique && keysOf(doc).some((key) => {
      const held = holders.get(key.join())
      return held !== undefined && held !== doc._id
    }),
    add (doc) { for (const key of keysOf(doc)) for (const prefix of prefixesOf(key)) add(prefix, doc._id) },
    remove (doc) { for (const key of keysOf(doc)) for (const prefix of prefixesOf(key)) remove(prefix, doc._id) },
    lookup (equal) {
      const missing = fields.findIndex((field) => !isKey(equal.get(field)))
      const known = missing === -1 ? fields.length : missing
      if (known === 0 || spec.partialFilterExpression) return undefined
      const held = holders.get(fields.slice(0, known).map((field) => encode(normal(equal.get(field)))).join())
      return { ids: held === undefined ? [] : typeof held === 'string' ? [held] : held, fields: known }
    }
  }
}

// null is left to the scan: it also matches what is missing inside of arrays.
const isKey = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value instanceof Date

const normal = (value: unknown): unknown => value === 0 ? 0 : value ?? null // -0 equals 0, missing equals null

function textsOf (value: unknown): string[] {
  if (!Array.isArray(value)) return [encode(normal(value))]
  const texts = new Set(value.flat(Infinity).map((item) => encode(normal(item))))
  return texts.size === 0 ? ['[]'] : [...texts]
}
