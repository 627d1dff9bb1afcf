// Room `embedded`: what createIndex was asked for, and TTL indexes at work. Options that would change what an index
// means, and that this store does not have, are refused rather than ignored.
import { resolve } from 'mingo/util'
import type { DocumentSet } from './document-set.ts'
import type { IndexSpec } from './hash-index.ts'
import { badRequest } from './store-error.ts'
import { copyIn, type Doc, type StoredDoc } from './value-codec.ts'

const understood = new Set(['name', 'unique', 'expireAfterSeconds', 'partialFilterExpression'])
const ofNoMeaningHere = new Set(['background', 'commitQuorum', 'writeConcern', 'maxTimeMS', 'comment'])

/**
 * @param keys `{ field: 1 | -1, ... }`
 * @throws StoreError 67 for other kinds of index and for options that the embedded store does not have
 */
export function indexSpecOf (keys: unknown, options: Doc): IndexSpec {
  const fields = Object.entries(keys as Doc)
  if (fields.length === 0 || fields.some(([, direction]) => direction !== 1 && direction !== -1)) throw badRequest('the embedded store indexes { field: 1 } or { field: -1 }', 67)
  const foreign = Object.keys(options).find((option) => !understood.has(option) && !ofNoMeaningHere.has(option))
  if (foreign !== undefined) throw badRequest(`the embedded store has no index option ${foreign}`, 67)
  const { name = fields.flat().join('_'), unique = false, expireAfterSeconds, partialFilterExpression } = copyIn(options) as Partial<IndexSpec>
  return {
    name,
    keys: copyIn(keys) as IndexSpec['keys'],
    unique,
    ...(expireAfterSeconds !== undefined && { expireAfterSeconds }),
    ...(partialFilterExpression && { partialFilterExpression })
  }
}

// A sweep looks at this many documents before it lets the event loop go on.
const sweepAtOnce = 1000

/** The documents that are due at `now` (milliseconds since the epoch), in portions, empty ones too: pause between them. */
export function * overdue (set: DocumentSet, now: number): Iterable<StoredDoc[]> {
  const ttls = set.indexes().flatMap(({ keys, expireAfterSeconds }) => expireAfterSeconds === undefined ? [] : Object.keys(keys).slice(0, 1).map((field) => ({ field, bound: now - expireAfterSeconds * 1000 })))
  if (ttls.length === 0) return
  let due: StoredDoc[] = []
  let seen = 0
  for (const doc of set.all()) {
    if (ttls.some(({ field, bound }) => isPast(resolve(doc, field), bound))) due.push(doc)
    seen += 1
    if (seen % sweepAtOnce !== 0) continue
    yield due
    due = []
  }
  yield due
}

const isPast = (value: unknown, bound: number): boolean =>
  Array.isArray(value) ? value.some((item) => isPast(item, bound)) : value instanceof Date && value.getTime() <= bound
