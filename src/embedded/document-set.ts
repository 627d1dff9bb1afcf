// Room `embedded`: the documents of one collection in memory, with their indexes. A change goes in at once and whole, or
// not at all, and can be taken back, because the disk has its say only afterwards.
import { createHashIndex, type HashIndex, type IndexSpec } from './hash-index.ts'
import { matcher } from './query-language.ts'
import { badRequest, duplicateKey } from './store-error.ts'
import { encode, type Doc, type StoredDoc } from './value-codec.ts'

/** One document that appears (no `before`), is replaced, or disappears (no `after`). */
export interface Change { before?: StoredDoc | undefined, after?: StoredDoc | undefined }

export interface DocumentSet {
  readonly get: (id: string) => StoredDoc | undefined
  /** Every document, in the order of insertion; goes on correctly while documents come and go. */
  readonly all: () => Iterable<StoredDoc>
  /** Documents that may match `filter`: all that do, and as few others as the indexes can tell. */
  readonly candidates: (filter: Doc) => Iterable<StoredDoc>
  /**
   * Makes the changes, all or none. @returns what takes them back, if called before any later change is kept
   * @throws StoreError 11000 if a unique index says no
   */
  readonly apply: (changes: readonly Change[]) => () => void
  /**
   * Does nothing if the same index is there.
   * @throws StoreError 11000 if documents contradict a unique index, 86 if another index has the name or the keys
   */
  readonly addIndex: (spec: IndexSpec) => void
  readonly indexes: () => readonly IndexSpec[]
  readonly dropIndexes: () => void
}

/** @param namespace `database.collection`, for messages */
export function createDocumentSet (namespace: string): DocumentSet {
  const docs = new Map<string, StoredDoc>()
  const indexes: HashIndex[] = []

  function swap ({ before, after }: Change): void {
    for (const index of indexes) {
      if (before) index.remove(before)
      if (after) index.add(after)
    }
    if (after) docs.set(after._id, after)
    else if (before) docs.delete(before._id)
  }

  function check ({ before, after }: Change): void {
    if (after === undefined) return
    if (before === undefined && docs.has(after._id)) throw duplicateKey(namespace, '_id_', { _id: 1 })
    const full = indexes.find((index) => index.conflicts(after))
    if (full) throw duplicateKey(namespace, full.spec.name, { ...full.spec.keys })
  }

  function apply (changes: readonly Change[]): () => void {
    const made: Change[] = []
    const takeBack = () => { for (const { before, after } of made.toReversed()) swap({ before: after, after: before }) }
    try {
      for (const change of changes) {
        check(change)
        swap(change)
        made.push(change)
      }
    } catch (error) {
      takeBack()
      throw error
    }
    return takeBack
  }

  function addIndex (spec: IndexSpec): void {
    const same = indexes.find((index) => index.spec.name === spec.name || encode(index.spec.keys) === encode(spec.keys))
    if (same && encode(same.spec) !== encode(spec)) throw badRequest(`another index of ${namespace} has the name or the keys of ${spec.name}`, 86)
    if (same) return
    const index = createHashIndex(spec, matcher(spec.partialFilterExpression ?? {}))
    for (const doc of docs.values()) {
      if (index.conflicts(doc)) throw duplicateKey(namespace, spec.name, { ...spec.keys })
      index.add(doc)
    }
    indexes.push(index)
  }

  function * pick (ids: Iterable<string>): Iterable<StoredDoc> {
    for (const id of ids) {
      const doc = docs.get(id)
      if (doc) yield doc
    }
  }

  // The narrowest set of ids that is sure to hold every match; undefined: only a scan can tell.
  function narrow (filter: Doc): Iterable<string> | undefined {
    const equal = equalities(filter)
    const id = equal.get('_id')
    if (typeof id === 'string') return [id]
    const ids = (filter['_id'] as Doc | null | undefined)?.['$in']
    if (Array.isArray(ids) && ids.every((item) => typeof item === 'string')) return new Set<string>(ids)
    const found = indexes.flatMap((index) => index.lookup(equal) ?? [])
    if (found.length > 0) return found.reduce((best, next) => next.fields > best.fields ? next : best).ids
    if (!Array.isArray(filter['$or'])) return undefined
    const branches = filter['$or'].map((branch) => narrow(branch as Doc))
    return branches.every((branch) => branch !== undefined) ? new Set(branches.flatMap((branch) => [...branch])) : undefined
  }

  return {
    get: (id) => docs.get(id),
    all: () => docs.values(),
    candidates (filter) {
      const ids = narrow(filter)
      return ids ? pick(ids) : docs.values()
    },
    apply,
    addIndex,
    indexes: () => indexes.map(({ spec }) => spec),
    dropIndexes: () => { indexes.length = 0 }
  }
}

// What a match must equal, by field: from the query itself, from $eq and from $and.
function equalities (filter: Doc): Map<string, unknown> {
  const equal = new Map<string, unknown>()
  for (const [field, condition] of Object.entries(filter)) {
    if (field === '$and') for (const part of condition as Doc[]) for (const [name, value] of equalities(part)) equal.set(name, value)
    else equal.set(field, (condition as Doc | null)?.['$eq'] ?? condition)
  }
  return equal
}
