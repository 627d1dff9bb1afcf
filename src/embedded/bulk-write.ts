// Room `embedded`: many writes as one, which reach the disk with one sync: what a group commit is made of.
import { BulkWriteError, badRequest, type BulkFailure } from './store-error.ts'
import type { Doc } from './value-codec.ts'
import type { Apply, UpdateOptions, WriteSteps } from './write-steps.ts'

/** One operation of a bulk write, under its name. */
export interface BulkOperation {
  insertOne?: { document: unknown }
  updateOne?: { filter: unknown, update: unknown } & UpdateOptions
  deleteOne?: { filter: unknown }
}

/** The counts of the driver's BulkWriteResult; ids by the operation's place in the list. */
export interface BulkResult {
  insertedCount: number
  matchedCount: number
  modifiedCount: number
  deletedCount: number
  upsertedCount: number
  insertedIds: Record<number, string>
  upsertedIds: Record<number, string>
}

/**
 * Makes the operations one after the other, in one synchronous step.
 * @param ordered whether to stop at the first that fails; what was made stays made
 * @throws BulkWriteError with the failures and with the counts of the others
 */
export function runBulk (steps: WriteSteps, apply: Apply, operations: readonly BulkOperation[], ordered: boolean): BulkResult {
  const result: BulkResult = { insertedCount: 0, matchedCount: 0, modifiedCount: 0, deletedCount: 0, upsertedCount: 0, insertedIds: {}, upsertedIds: {} }
  const failures: BulkFailure[] = []
  for (const [index, operation] of operations.entries()) {
    try {
      runOne(steps, apply, operation, index, result)
    } catch (error) {
      const { code, message } = error as { code?: number, message: string }
      if (code === undefined) throw error
      failures.push({ index, code, errmsg: message })
      if (ordered) break
    }
  }
  if (failures.length > 0) throw new BulkWriteError(failures, result)
  return result
}

function runOne (steps: WriteSteps, apply: Apply, operation: BulkOperation, index: number, result: BulkResult): void {
  const { insertOne, updateOne, deleteOne } = operation
  if (insertOne) {
    result.insertedIds[index] = steps.insert(apply, insertOne.document)
    result.insertedCount += 1
  } else if (updateOne) {
    const { matched, modified, upsertedId } = steps.update(apply, updateOne.filter, updateOne.update, updateOne, 'one')
    result.matchedCount += matched
    result.modifiedCount += modified
    if (upsertedId === null) return
    result.upsertedCount += 1
    result.upsertedIds[index] = upsertedId
  } else if (deleteOne) {
    result.deletedCount += steps.remove(apply, deleteOne.filter, 'one')
  } else {
    throw badRequest(`the embedded store has no bulk operation ${Object.keys(operation as Doc).join()}`)
  }
}
