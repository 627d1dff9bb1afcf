// Room `import`: documents through mapping, decision and writing, a batch at a time. What is there already stays as it is,
// so an import can be run again, also after it was cut off.
import type { DocumentSource } from './document-source.ts'
import { labelOf, type LegacyDocument } from './legacy-document.ts'
import type { Mapped } from './legacy-user.ts'

export type CollectionName = 'users' | 'usersession'

/** What became of one document. */
export type Outcome = 'imported' | 'there' | 'ended' | { readonly skipped: string }

/** Told of each document once it is decided; the label is its id, or its place among the documents. */
export type Note = (collection: CollectionName, label: string, outcome: Outcome) => void

/** What a batch meets in the target. */
export interface View<T> {
  /** @returns undefined for a record that is new */
  judge: (record: T) => Outcome | undefined
  /** A new record is on its way: the next ones meet it too. */
  take: (record: T) => void
}

/** One kind of documents. */
export interface Kind<T> {
  readonly collection: CollectionName
  /** @returns null for a document that stands for something that is over */
  map: (document: LegacyDocument) => Mapped<T> | null
  look: (records: readonly T[]) => Promise<View<T>>
  /** @returns those that a unique index refused */
  insert: (records: readonly T[]) => Promise<readonly T[]>
}

/** A record on its way. */
interface Item<T> { readonly label: string, readonly record: T }

const batchSize = 500

/** Somebody may register, or import too, in between: what was refused is looked at again. */
const mostTries = 5

export async function takeOver<T> (kind: Kind<T>, documents: DocumentSource, note: Note): Promise<void> {
  let batch: Item<T>[] = []
  let place = 0
  for await (const document of documents) {
    const label = labelOf(document, ++place)
    const mapped = document === undefined ? { reason: 'it cannot be read' } : kind.map(document)
    if (mapped === null) note(kind.collection, label, 'ended')
    else if ('reason' in mapped) note(kind.collection, label, { skipped: mapped.reason })
    else batch.push({ label, record: mapped.record })
    if (batch.length < batchSize) continue
    await settle(kind, batch, note)
    batch = []
  }
  await settle(kind, batch, note)
}

/** Decides about a batch in its order, writes what is new, and decides anew about what was refused. */
async function settle<T> (kind: Kind<T>, batch: Item<T>[], note: Note): Promise<void> {
  for (let tries = 0; batch.length > 0; tries++) {
    if (tries === mostTries) throw new Error('the target refuses records as duplicates of what it does not hold')
    const { judge, take } = await kind.look(batch.map(({ record }) => record))
    const fresh: Item<T>[] = []
    for (const item of batch) {
      const outcome = judge(item.record)
      if (outcome !== undefined) note(kind.collection, item.label, outcome)
      else {
        take(item.record)
        fresh.push(item)
      }
    }
    const refused = new Set(await kind.insert(fresh.map(({ record }) => record)))
    for (const { label, record } of fresh) if (!refused.has(record)) note(kind.collection, label, 'imported')
    batch = fresh.filter(({ record }) => refused.has(record))
  }
}
