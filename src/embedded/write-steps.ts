// Room `embedded`: what one write does to the documents, in one synchronous step and therefore atomically: find, decide,
// change. Collections and bulk writes are made of these.
import type { Change, DocumentSet } from './document-set.ts'
import { filterIn, matcher, pageOf, type Page } from './query-language.ts'
import { badRequest } from './store-error.ts'
import { updateIn } from './update-language.ts'
import { copyIn, type Doc, type StoredDoc } from './value-codec.ts'

/** Makes changes to the documents and notes them for the log. */
export type Apply = (changes: readonly Change[]) => void

export interface UpdateOptions { upsert?: boolean, arrayFilters?: unknown, sort?: Doc }

/** `before` and `after`: the first document touched; both the same if the update changed nothing. */
export interface Updated { matched: number, modified: number, before: StoredDoc | null, after: StoredDoc | null, upsertedId: string | null }

export interface WriteSteps {
  /** References into the store: copy before they leave the room. */
  select: (filter: unknown, page?: Page) => readonly StoredDoc[]
  insert: (apply: Apply, doc: unknown) => string
  update: (apply: Apply, filter: unknown, update: unknown, options: UpdateOptions, scope: 'one' | 'many') => Updated
  remove: (apply: Apply, filter: unknown, scope: 'one' | 'many') => number
}

/** @param now what `$$NOW` means */
export function createWriteSteps (set: DocumentSet, now: () => Date): WriteSteps {
  function find (filter: Doc, page: Page): readonly StoredDoc[] {
    const { _id, ...others } = filter
    const matches = matcher(typeof _id === 'string' ? others : filter)
    const enough = page.sort === undefined && page.limit ? (page.skip ?? 0) + Math.abs(page.limit) : Infinity
    const found: StoredDoc[] = []
    for (const doc of set.candidates(filter)) {
      if (matches(doc)) found.push(doc)
      if (found.length >= enough) break
    }
    return pageOf(found, page)
  }

  function withId (doc: StoredDoc): StoredDoc {
    if (typeof doc._id !== 'string') throw badRequest('a document of the embedded store needs a string as its _id')
    return doc
  }

  return {
    select: (filter, page = {}) => find(filterIn(filter, now), page),
    insert (apply, doc) {
      const after = withId(copyIn(doc) as StoredDoc)
      apply([{ after }])
      return after._id
    },
    update (apply, filter, update, { upsert = false, arrayFilters, sort }, scope) {
      const query = filterIn(filter, now)
      const { change, create } = updateIn(update, { now, arrayFilters })
      const found = find(query, { ...(scope === 'one' && { limit: 1 }), ...(sort && { sort }) })
      if (found.length === 0) {
        const after = upsert ? withId(create(query)) : null
        if (after) apply([{ after }])
        return { matched: 0, modified: 0, before: null, after, upsertedId: after && after._id }
      }
      const changes = found.map((before) => ({ before, after: change(before, query) }))
      const made = changes.filter(({ before, after }) => before !== after)
      apply(made)
      return { matched: found.length, modified: made.length, before: found[0] ?? null, after: changes[0]?.after ?? null, upsertedId: null }
    },
    remove (apply, filter, scope) {
      const found = find(filterIn(filter, now), scope === 'one' ? { limit: 1 } : {})
      apply(found.map((before) => ({ before })))
      return found.length
    }
  }
}
