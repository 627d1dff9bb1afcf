// Room `visit`: the entries of users' running visits in MongoDB, a document each, moved into the visit's own when it is
// archived. Entries are numbered without gaps, and the number is in the `_id`: the unique key decides who was first,
// counts, keeps the order and holds the bound, whichever instance writes; every read is a look-up of ids, so no other
// index is paid for. The end of a list is a number that is taken for good: nothing comes behind it, and nobody has to
// look at the visit after having written to it (docs/decisions/0008).
import type { Db } from 'mongodb'
import { isDuplicateKey, unavailable } from '../errors.ts'
import { acknowledgedCollection, bounded } from '../user/store-options.ts'
import type { ActionEntry, Entry, EntryKind, PageEntry } from './visit-rules.ts'

/** One entry; null is the end of its list. */
export interface LogRecord { _id: string, entry: Entry | null }

/** One entry to be stored under its number. */
export interface NumberedRecord extends LogRecord { readonly n: number }

/** How many entries a list has, and when the last was noted: milliseconds since the epoch, 0 if none. */
export interface Tail { readonly count: number, readonly lastAt: number }

export type Counts = Readonly<Record<EntryKind, number>>

export interface VisitLog {
  /** Inserts records under their numbers. @returns those whose number was taken, with what stands there */
  insert: (records: readonly NumberedRecord[]) => Promise<Map<NumberedRecord, Entry | null>>
  /** @param brought numbers at which the lists begin */
  findTails: (visitId: string, brought: Counts) => Promise<Record<EntryKind, Tail>>
  /** Entries from number `first` on, in order. */
  findFrom: (visitId: string, kind: EntryKind, first: number, limit: number) => Promise<Entry[]>
  /** Ends the lists of a visit for good, and reads them. @param brought numbers at which they begin */
  close: (visitId: string, brought: Counts) => Promise<{ pages: PageEntry[], actions: ActionEntry[] }>
  /** Takes out records that came behind an end. */
  remove: (records: readonly NumberedRecord[]) => Promise<void>
  /** Takes out the lists of a visit, their ends and whatever stands behind those. @param counts entries of the whole visit */
  clear: (visitId: string, counts: Counts) => Promise<void>
}

const kinds: readonly EntryKind[] = ['page', 'action']

const idOf = (visitId: string, kind: EntryKind, n: number): string => `${visitId}:${kind}:${n}`

export const logRecord = (visitId: string, kind: EntryKind, n: number, entry: Entry | null): NumberedRecord => ({ _id: idOf(visitId, kind, n), n, entry })

/** Ids that one query asks for when a list is read whole. */
const atOnce = 500

/** The place where a list ends is looked for in steps of this many, then one by one: two queries. */
const step = 64

const range = (from: number, count: number, by = 1): number[] => Array.from({ length: count }, (_, i) => from + i * by)

/** @param mostEntries of one list */
export function createVisitLog (db: Db, mostEntries: number): VisitLog {
  const log = acknowledgedCollection<LogRecord>(db, 'visitlog')

  async function findByIds (ids: readonly string[]): Promise<Map<string, Entry | null>> {
    const found = await log.find({ _id: { $in: [...ids] } }, bounded).toArray()
    return new Map(found.map(({ _id, entry }) => [_id, entry]))
  }

  async function takenAmong (records: readonly NumberedRecord[], error: unknown): Promise<Map<NumberedRecord, Entry | null>> {
    const { writeErrors = [], result } = error as { writeErrors?: { index: number, code?: number }[], result?: { getWriteConcernError?: () => unknown } }
    // the driver tells of write errors first, and of a majority that did not confirm the others only when asked
    if (result?.getWriteConcernError?.() !== undefined) throw unavailable(error)
    if (writeErrors.length === 0 || !writeErrors.every(isDuplicateKey)) throw error
    const taken = writeErrors.map(({ index }) => records[index] as NumberedRecord)
    const there = await findByIds(taken.map((record) => record._id))
    return new Map(taken.map((record) => [record, there.get(record._id) ?? null]))
  }

  /** The entries of a list from a number on as far as they are there; an end among them is null. */
  async function readList (visitId: string, kind: EntryKind, first: number, most: number): Promise<(Entry | null)[]> {
    const list: (Entry | null)[] = []
    while (list.length < most) {
      const ids = range(first + list.length, Math.min(atOnce, most - list.length)).map((n) => idOf(visitId, kind, n))
      const found = await findByIds(ids)
      const missing = ids.findIndex((id) => !found.has(id))
      list.push(...ids.slice(0, missing < 0 ? ids.length : missing).map((id) => found.get(id) as Entry | null))
      if (missing >= 0) break
    }
    return list
  }

  async function closeList (visitId: string, kind: EntryKind, brought: number): Promise<Entry[]> {
    const list: (Entry | null)[] = []
    for (;;) {
      list.push(...await readList(visitId, kind, brought + list.length, Infinity))
      const end = list.indexOf(null)
      if (end >= 0) return list.slice(0, end) as Entry[]
      const ending: LogRecord = { _id: idOf(visitId, kind, brought + list.length), entry: null }
      await log.insertOne(ending).catch((error: unknown) => { if (!isDuplicateKey(error)) throw error }) // the next reading tells
    }
  }

  async function removeIds (ids: string[]): Promise<void> {
    await log.deleteMany({ _id: { $in: ids } })
  }

  return {
    async insert (records) {
      try {
        await log.bulkWrite(records.map(({ _id, entry }) => ({ insertOne: { document: { _id, entry } } })), { ordered: false })
        return new Map()
      } catch (error) {
        return await takenAmong(records, error)
      }
    },
    async findTails (visitId, brought) {
      const idsAt = (places: (kind: EntryKind) => number[]) => kinds.flatMap((kind) => places(kind).map((n) => idOf(visitId, kind, n)))
      const steps = await findByIds(idsAt((kind) => range(brought[kind], Math.ceil((mostEntries + 1) / step), step)))
      const stepsOf = (kind: EntryKind) => range(brought[kind], Math.ceil((mostEntries + 1) / step), step).filter((n) => steps.has(idOf(visitId, kind, n)))
      const near = { page: stepsOf('page').at(-1), action: stepsOf('action').at(-1) }
      const rest = await findByIds(idsAt((kind) => near[kind] === undefined ? [] : range(near[kind] + 1, step - 1)))
      const tailOf = async (kind: EntryKind): Promise<Tail> => {
        const from = near[kind]
        if (from === undefined) return { count: brought[kind], lastAt: 0 }
        const last = range(from + 1, step - 1).filter((n) => rest.has(idOf(visitId, kind, n))).at(-1) ?? from
        // a list may be longer than it could be made today
        const beyond = last === from + step - 1 ? await readList(visitId, kind, last + 1, Infinity) : []
        const entry = beyond.at(-1) ?? rest.get(idOf(visitId, kind, last)) ?? steps.get(idOf(visitId, kind, last))
        return { count: last + 1 + beyond.length, lastAt: entry?.at.getTime() ?? 0 }
      }
      return { page: await tailOf('page'), action: await tailOf('action') }
    },
    async findFrom (visitId, kind, first, limit) {
      return (await readList(visitId, kind, first, limit)).filter((entry) => entry !== null)
    },
    async close (visitId, brought) {
      const [pages, actions] = await Promise.all(kinds.map((kind) => closeList(visitId, kind, brought[kind])))
      return { pages: pages as PageEntry[], actions: actions as ActionEntry[] }
    },
    remove: (records) => removeIds(records.map((record) => record._id)),
    clear: (visitId, counts) => removeIds(kinds.flatMap((kind) => range(0, counts[kind] + atOnce).map((n) => idOf(visitId, kind, n))))
  }
}
