// Room `embedded`: the errors of the store, in the shape of the MongoDB server's, so that src/errors.ts judges both
// alike. No message holds a value of a document or of a query: messages reach the log, and an e-mail may not.

/** What the MongoDB driver throws when the server says no: judge it by `code`. */
export class StoreError extends Error {
  readonly code: number
  /** The keys of the unique index that said no; only with code 11000. */
  readonly keyPattern?: Readonly<Record<string, 1 | -1>>

  constructor (code: number, message: string, { cause, keyPattern }: { cause?: unknown, keyPattern?: Record<string, 1 | -1> } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'MongoServerError'
    this.code = code
    if (keyPattern) this.keyPattern = keyPattern
  }
}

/** One operation of a bulk write that failed: its place in the list, the code, the text. */
export interface BulkFailure { index: number, code: number, errmsg: string }

/** Some operations of a bulk write failed; `result` counts those that did not. */
export class BulkWriteError extends StoreError {
  readonly writeErrors: BulkFailure[]
  readonly result: object

  constructor (failures: BulkFailure[], result: object) {
    super(failures[0]?.code ?? 2, failures[0]?.errmsg ?? 'a bulk write failed')
    this.name = 'MongoBulkWriteError'
    this.writeErrors = failures
    this.result = result
  }
}

/** The caller asked for something that MongoDB, or this subset of it, refuses (MongoDB's BadValue unless told otherwise). */
export const badRequest = (message: string, code = 2): StoreError => new StoreError(code, message)

/** A unique index said no (code 11000, see isDuplicateKey). */
export const duplicateKey = (namespace: string, index: string, keyPattern: Record<string, 1 | -1>): StoreError =>
  new StoreError(11000, `E11000 duplicate key error collection: ${namespace} index: ${index}`, { keyPattern })

/** The disk would not take a write (code 14031, see isStoreFault); whatever had not been acknowledged is undone. */
export const diskFault = (namespace: string, cause: unknown): StoreError =>
  new StoreError(14031, `the write to ${namespace} could not be made durable`, { cause })

/**
 * A folder that cannot be opened until a person does something about it; the message says what.
 * `ELOCKED`: somebody else has it open. `EUNREADABLE`: a file in it is damaged, of another kind or of a later version.
 */
export const cannotOpen = (code: 'ELOCKED' | 'EUNREADABLE', message: string): Error & { code: string } =>
  Object.assign(new Error(message), { code })

/** The store has been closed (code 91, see isStoreFault). */
export const storeClosed = (namespace: string): StoreError => new StoreError(91, `the store of ${namespace} is closed`)
