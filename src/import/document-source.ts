// Room `import`: where the old documents come from: a file as mongoexport writes it, or the old service's collection. Both
// are read as they are needed, so their size does not matter.
import { createReadStream } from 'node:fs'
import { BSON, type Db } from 'mongodb'
import { ImportError } from './import-error.ts'
import { objectsIn } from './json-objects.ts'
import type { LegacyDocument } from './legacy-document.ts'

/** Documents in their order; undefined stands for one that cannot be read. */
export type DocumentSource = AsyncIterable<LegacyDocument | undefined>

/** @throws ImportError while it is read, for a file that is not there or not what it should be; the message names it */
export async function * fileSource (file: string): AsyncGenerator<LegacyDocument | undefined> {
  try {
    for await (const text of objectsIn(createReadStream(file))) yield parse(text)
  } catch (error) {
    if (error instanceof ImportError) throw new ImportError(`${file} cannot be taken over: ${error.message}`)
    const { code, syscall } = error as NodeJS.ErrnoException
    if (syscall === undefined) throw error
    throw new ImportError(`${file} cannot be read (${code})`, { cause: error })
  }
}

function parse (text: string): LegacyDocument | undefined {
  try {
    return BSON.EJSON.parse(text) as LegacyDocument
  } catch {
    return undefined
  }
}

/** The oldest ids first: of two accounts that cannot both be taken over, the older one is. */
export const collectionSource = (db: Db, name: string): DocumentSource => db.collection(name).find({}, { sort: { _id: 1 } })
