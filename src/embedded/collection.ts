// Room `embedded`: one collection, with the methods of the driver's Collection that repositories use and results of the
// same shape. Writes change the memory in one synchronous step and answer when the log has it; a write that finds nothing
// to do waits as well, because what it saw may still be on its way to the disk.
import { setImmediate as endOfTurn } from 'node:timers/promises'
import { runBulk, type BulkOperation, type BulkResult } from './bulk-write.ts'
import { createCursor, createFindCursor, type Cursor, type FindCursor } from './cursor.ts'
import { payloadOf } from './document-record.ts'
import type { DocumentSet } from './document-set.ts'
import { indexSpecOf, overdue } from './index-options.ts'
import { pipelineIn, project, runPipeline, type Page } from './query-language.ts'
import { badRequest } from './store-error.ts'
import { copyOut, type Doc } from './value-codec.ts'
import type { WriteLog } from './write-log.ts'
import { createWriteSteps, type Apply, type Updated, type UpdateOptions } from './write-steps.ts'

interface UpdateResult { acknowledged: true, matchedCount: number, modifiedCount: number, upsertedCount: number, upsertedId: string | null }
interface DeleteResult { acknowledged: true, deletedCount: number }
type FindAndUpdateOptions = UpdateOptions & { returnDocument?: 'before' | 'after', projection?: Doc }

/** The subset; filters, updates and options are the driver's. Options that only concern servers are ignored. */
export interface EmbeddedCollection {
  readonly collectionName: string
  insertOne: (doc: unknown) => Promise<{ acknowledged: true, insertedId: string }>
  findOne: (filter?: unknown, options?: Page) => Promise<Doc | null>
  find: (filter?: unknown, options?: Page) => FindCursor
  aggregate: (pipeline: unknown) => Cursor
  countDocuments: (filter?: unknown) => Promise<number>
  updateOne: (filter: unknown, update: unknown, options?: UpdateOptions) => Promise<UpdateResult>
  updateMany: (filter: unknown, update: unknown, options?: UpdateOptions) => Promise<UpdateResult>
  findOneAndUpdate: (filter: unknown, update: unknown, options?: FindAndUpdateOptions) => Promise<Doc | null>
  deleteOne: (filter: unknown) => Promise<DeleteResult>
  deleteMany: (filter?: unknown) => Promise<DeleteResult>
  bulkWrite: (operations: readonly BulkOperation[], options?: { ordered?: boolean }) => Promise<BulkResult>
  createIndex: (keys: unknown, options?: Doc) => Promise<string>
  createIndexes: (specs: readonly Doc[]) => Promise<string[]>
  /** Removes what its TTL indexes say is due. @returns how many documents */
  expire: () => Promise<number>
}

/** @param now the time of day, for `$$NOW` and for TTL indexes */
export function createCollection ({ name, set, log, now }: { name: string, set: DocumentSet, log: WriteLog, now: () => Date }): EmbeddedCollection {
  const steps = createWriteSteps(set, now)

  async function write<T> (work: (apply: Apply) => T): Promise<T> {
    const payloads: string[] = []
    const undos: (() => void)[] = []
    const apply: Apply = (changes) => {
      const texts = changes.map(payloadOf) // refuses what cannot be stored, before anything changes
      undos.push(set.apply(changes))
      payloads.push(...texts)
    }
    const outcome = attempt(() => work(apply))
    await log.commit(payloads, () => { for (const undo of undos.toReversed()) undo() })
    return outcome()
  }

  const read = (filter: unknown, page: Page): Doc[] => project(steps.select(filter, page), page.projection)

  async function update (filter: unknown, change: unknown, options: UpdateOptions, scope: 'one' | 'many'): Promise<UpdateResult> {
    const { matched, modified, upsertedId } = await write((apply) => steps.update(apply, filter, change, options, scope))
    return { acknowledged: true, matchedCount: matched, modifiedCount: modified, upsertedCount: upsertedId === null ? 0 : 1, upsertedId }
  }

  async function remove (filter: unknown, scope: 'one' | 'many'): Promise<DeleteResult> {
    return { acknowledged: true, deletedCount: await write((apply) => steps.remove(apply, filter, scope)) }
  }

  async function createIndex (keys: unknown, options: Doc = {}): Promise<string> {
    const spec = indexSpecOf(keys, options)
    set.addIndex(spec)
    return spec.name
  }

  return {
    collectionName: name,
    async insertOne (doc) {
      return { acknowledged: true, insertedId: await write((apply) => steps.insert(apply, doc)) }
    },
    findOne: async (filter, options = {}) => read(filter, { ...options, limit: 1 })[0] ?? null,
    find: (filter, options = {}) => createFindCursor((page) => read(filter, page), options),
    aggregate: (pipeline) => createCursor(() => {
      const stages = pipelineIn(pipeline, now)
      const [first, ...rest] = stages
      const filter = first?.['$match'] // the indexes may help
      const found = filter ? steps.select(filter) : [...set.all()]
      return runPipeline(found.map((doc) => copyOut<Doc>(doc)), filter ? rest : stages).map((doc) => copyOut(doc))
    }),
    countDocuments: async (filter) => steps.select(filter).length,
    updateOne: (filter, change, options = {}) => update(filter, change, options, 'one'),
    updateMany: (filter, change, options = {}) => update(filter, change, options, 'many'),
    async findOneAndUpdate (filter, change, { returnDocument, projection, ...options } = {}) {
      return await write((apply) => {
        const updated = steps.update(apply, filter, change, options, 'one')
        return wanted(updated, returnDocument, projection)
      })
    },
    deleteOne: (filter) => remove(filter, 'one'),
    deleteMany: (filter) => remove(filter, 'many'),
    async bulkWrite (operations, { ordered = true } = {}) {
      if (operations.length === 0) throw badRequest('a bulk write needs at least one operation')
      return await write((apply) => runBulk(steps, apply, operations, ordered))
    },
    createIndex,
    createIndexes: (specs) => Promise.all(specs.map(({ key, ...options }) => createIndex(key, options))),
    async expire () {
      let removed = 0
      for (const due of overdue(set, now().getTime())) {
        if (due.length > 0) await write((apply) => apply(due.map((before) => ({ before }))))
        removed += due.length
        await endOfTurn()
      }
      return removed
    }
  }
}

function attempt<T> (work: () => T): () => T {
  try {
    const value = work()
    return () => value
  } catch (error) {
    return () => { throw error }
  }
}

const wanted = ({ before, after }: Updated, returnDocument: 'before' | 'after' | undefined, projection: Doc | undefined): Doc | null => {
  const doc = returnDocument === 'after' ? after : before
  return doc && (project([doc], projection)[0] ?? null)
}
