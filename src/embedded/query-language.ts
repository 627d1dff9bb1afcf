// Room `embedded`: MongoDB's query, projection and aggregation language, which is mingo's. Here are only the places where
// mingo must be held: no scripts, `$$NOW` by the injected clock, copies where mingo writes into what it is given, and
// errors that do not repeat the values of a query.
import { Aggregator } from 'mingo/aggregator'
import { Query } from 'mingo/query'
import { operators } from './mingo-operators.ts'
import { badRequest } from './store-error.ts'
import { copyIn, copyOut, type Doc, type StoredDoc } from './value-codec.ts'

export const mingoOptions = { scriptEnabled: false, context: operators } as const

/** What find takes besides its filter. */
export interface Page { sort?: Doc, skip?: number, limit?: number, projection?: Doc }

/** Runs mingo and turns its errors, and those of JavaScript below it, into the store's. */
export function speak<T> (what: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if ((error as { name?: string }).name === 'MongoServerError') throw error
    // mingo quotes what it was given
    const reason = String((error as { message?: string }).message).replace(/'.*'|".*"|[{[/].*/gs, '(...)')
    throw badRequest(`the embedded store cannot run this ${what}: ${reason}`)
  }
}

/**
 * @param filter a query document
 * @param now what `$$NOW` means inside its `$expr`
 * @returns a copy of it that nobody else holds
 */
export const filterIn = (filter: unknown, now: () => Date): Doc => bindFilter(copyIn(filter ?? {}, 'refuse'), now) as Doc

/** @param filter from filterIn; `_id` is left out where the caller has already looked it up */
export function matcher (filter: Doc): (doc: StoredDoc) => boolean {
  if (Object.keys(filter).length === 0) return () => true
  const compiled = speak('query', () => new Query(filter, mingoOptions))
  return (doc) => speak('query', () => compiled.test(doc))
}

/** The part of `docs` that sort, skip and limit ask for, as references into the store. */
export function pageOf (docs: readonly StoredDoc[], { sort, skip = 0, limit = 0 }: Page): readonly StoredDoc[] {
  const order = Object.entries(sort ?? {})
  if (order.some(([, direction]) => direction !== 1 && direction !== -1)) throw badRequest('the embedded store sorts by { field: 1 } or { field: -1 }')
  const sorted = order.length > 0
    ? speak('sort', () => new Query({}, mingoOptions).find<StoredDoc>(docs as StoredDoc[]).sort(sort as Record<string, 1 | -1>).all())
    : docs
  return skip === 0 && limit === 0 ? sorted : sorted.slice(skip, limit === 0 ? undefined : skip + Math.abs(limit))
}

/** Copies of `docs` for the caller, with the fields that `projection` asks for. */
export function project (docs: readonly StoredDoc[], projection: Doc | undefined): Doc[] {
  const copies = docs.map((doc) => copyOut<Doc>(doc))
  if (projection === undefined || Object.keys(projection).length === 0) return copies
  return speak('projection', () => new Query({}, mingoOptions).find<Doc>(copies, projection).all())
}

/** @param stages from pipelineIn. @param docs are written to: hand over copies */
export const runPipeline = (docs: Doc[], stages: readonly Doc[]): Doc[] =>
  speak('pipeline', () => new Aggregator(stages as Doc[], mingoOptions).run<Doc>(docs))

/**
 * @param stages an aggregation pipeline
 * @param now what `$$NOW` means in it: mingo would ask the system's clock
 */
export function pipelineIn (stages: unknown, now: () => Date): Doc[] {
  if (!Array.isArray(stages)) throw badRequest('a pipeline is an array of stages', 14)
  return bindExpression(copyIn(stages), now) as Doc[]
}

function bindExpression (value: unknown, now: () => Date): unknown {
  if (value === '$$NOW') return now()
  return mapFields(value, (field, item) => {
    if (field === '$literal') return item
    return field === '$match' ? bindFilter(item, now) : bindExpression(item, now)
  })
}

// In a query '$$NOW' is only a string, except inside $expr.
function bindFilter (value: unknown, now: () => Date): unknown {
  return mapFields(value, (field, item) => field === '$expr' ? bindExpression(item, now) : bindFilter(item, now))
}

function mapFields (value: unknown, map: (field: string, item: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => map('', item))
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([field, item]) => [field, map(field, item)]))
}
