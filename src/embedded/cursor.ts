// Room `embedded`: cursors, as far as repositories use them. Nothing is read before the first result is asked for, and
// then everything at once.
import type { Page } from './query-language.ts'
import type { Doc } from './value-codec.ts'

export interface Cursor extends AsyncIterable<Doc> {
  toArray: () => Promise<Doc[]>
}

export interface FindCursor extends Cursor {
  sort: (sort: Doc) => FindCursor
  skip: (skip: number) => FindCursor
  limit: (limit: number) => FindCursor
  project: (projection: Doc) => FindCursor
}

/** @param run makes the results; its errors are those of toArray and of the iteration */
export const createCursor = (run: () => Doc[]): Cursor => ({
  toArray: async () => run(),
  async * [Symbol.asyncIterator] () { yield * run() }
})

/** @param page what find's options said already */
export function createFindCursor (run: (page: Page) => Doc[], page: Page): FindCursor {
  const next = (more: Page): FindCursor => createFindCursor(run, { ...page, ...more })
  return {
    ...createCursor(() => run(page)),
    sort: (sort) => next({ sort }),
    skip: (skip) => next({ skip }),
    limit: (limit) => next({ limit }),
    project: (projection) => next({ projection })
  }
}
