// Room `visit`: the visits in MongoDB, one document each. A user's stands there from its start; a guest's when it is over.
// `running` takes entries (visit-log.ts holds them), `ended` takes none, `archived` has them all in itself. Each step is
// one conditional write, so it happens once, whoever tries.
import type { Db, Filter } from 'mongodb'
import { isDuplicateKey } from '../errors.ts'
import type { TimeCursor } from '../schemas/time-cursor.ts'
import { acknowledgedCollection, bounded } from '../user/store-options.ts'
import type { ActionEntry, EndedVisit, Entry, PageEntry, Slice } from './visit-rules.ts'

export interface VisitRecord {
  _id: string
  /** Null for a guest. */
  userId: string | null
  /** The login that it belongs to. */
  sid: string | null
  state: 'running' | 'ended' | 'archived'
  startTime: Date
  /** When it was last begun, renewed or looked at by the job; entries may be later. */
  lastSeenAt: Date
  endTime: Date | null
  /** While it runs, what it brought from its time as a guest's; archived, everything. */
  pages: PageEntry[]
  actions: ActionEntry[]
  /** Lengths of the two lists. */
  pageCount: number
  actionCount: number
  /** Something is left to do, at this time at the latest. */
  pending?: true
  dueAt?: Date
}

/** A visit without its lists. */
export type VisitHead = Omit<VisitRecord, 'pages' | 'actions'>

export interface VisitRepository {
  ensureIndexes: () => Promise<void>
  /** @returns false if there is a visit of that id */
  insert: (visit: VisitRecord) => Promise<boolean>
  find: (visitId: string) => Promise<VisitRecord | null>
  findHead: (visitId: string) => Promise<VisitHead | null>
  /** A part of one list as it stands in the document of a visit that is there. */
  findSlice: (visitId: string, slice: Slice) => Promise<{ head: VisitHead, entries: Entry[] }>
  /** @returns whether it runs */
  touch: (visitId: string, now: Date) => Promise<boolean>
  /** Gives a running visit of the same user to another login. @returns whether it could */
  move: (visitId: string, userId: string, sid: string, now: Date) => Promise<boolean>
  /** From `running` to `ended`. @returns whether this call did it */
  end: (visitId: string, endTime: Date) => Promise<boolean>
  /** From `ended` to `archived`, with its whole lists; something is left to do at `dueAt`. */
  archive: (visitId: string, lists: { pages: PageEntry[], actions: ActionEntry[] }, dueAt: Date) => Promise<void>
  /** Puts a visit that is over into the archive, once. */
  insertArchived: (visit: EndedVisit) => Promise<void>
  /** Nothing is left to do. */
  settle: (visitId: string) => Promise<void>
  postpone: (visitId: string, lastSeenAt: Date, dueAt: Date) => Promise<void>
  listDue: (now: Date, limit: number) => Promise<VisitHead[]>
  /** A user's visits in a state, newest first: running ones by start, archived ones by end; with the first `entries` pages of each. */
  list: (userId: string, state: 'running' | 'archived', page: { limit: number, entries: number, after?: TimeCursor | undefined }) => Promise<Omit<VisitRecord, 'actions'>[]>
}

/** By name: a slice and an exclusion beside it are not the same in every store. */
const headFields = { userId: 1, sid: 1, state: 1, startTime: 1, lastSeenAt: 1, endTime: 1, pageCount: 1, actionCount: 1 }

const withoutLists = { projection: { pages: 0, actions: 0 }, ...bounded }

export function createVisitRepository (db: Db): VisitRepository {
  const visits = acknowledgedCollection<VisitRecord>(db, 'visits')
  return {
    async ensureIndexes () {
      await visits.createIndex({ userId: 1, state: 1, startTime: -1, _id: -1 })
      await visits.createIndex({ userId: 1, state: 1, endTime: -1, _id: -1 })
      await visits.createIndex({ pending: 1, dueAt: 1 })
    },
    async insert (visit) {
      try {
        await visits.insertOne(visit)
        return true
      } catch (error) {
        if (isDuplicateKey(error)) return false
        throw error
      }
    },
    find: (visitId) => visits.findOne({ _id: visitId }, bounded),
    findHead: (visitId) => visits.findOne<VisitHead>({ _id: visitId }, withoutLists),
    async findSlice (visitId, { kind, offset, limit }) {
      const list = kind === 'page' ? 'pages' : 'actions'
      const found = await visits.findOne<VisitRecord>({ _id: visitId }, { projection: { ...headFields, [list]: { $slice: [offset, limit] } }, ...bounded })
      return { head: found as VisitHead, entries: found?.[list] ?? [] }
    },
    async touch (visitId, now) {
      const { matchedCount } = await visits.updateOne({ _id: visitId, state: 'running' }, { $max: { lastSeenAt: now } })
      return matchedCount === 1
    },
    async move (visitId, userId, sid, now) {
      const { matchedCount } = await visits.updateOne({ _id: visitId, userId, state: 'running' }, { $set: { sid }, $max: { lastSeenAt: now } })
      return matchedCount === 1
    },
    async end (visitId, endTime) {
      const { matchedCount } = await visits.updateOne({ _id: visitId, state: 'running' }, { $set: { state: 'ended', endTime, dueAt: endTime } })
      return matchedCount === 1
    },
    async archive (visitId, { pages, actions }, dueAt) {
      await visits.updateOne({ _id: visitId, state: 'ended' }, { $set: { state: 'archived', pages, actions, pageCount: pages.length, actionCount: actions.length, dueAt } })
    },
    async insertArchived ({ id, member, startTime, endTime, pages, actions }) {
      const { _id, ...visit }: VisitRecord = {
        _id: id,
        userId: member?.userId ?? null,
        sid: member?.sid ?? null,
        state: 'archived',
        startTime,
        lastSeenAt: endTime,
        endTime,
        pages: [...pages],
        actions: [...actions],
        pageCount: pages.length,
        actionCount: actions.length
      }
      await visits.updateOne({ _id }, { $setOnInsert: visit }, { upsert: true })
    },
    async settle (visitId) { await visits.updateOne({ _id: visitId, state: 'archived' }, { $unset: { pending: true, dueAt: true } }) },
    async postpone (visitId, lastSeenAt, dueAt) {
      await visits.updateOne({ _id: visitId, state: 'running' }, { $max: { lastSeenAt }, $set: { dueAt } })
    },
    listDue: (now, limit) => visits.find<VisitHead>({ pending: true, dueAt: { $lte: now } }, { ...withoutLists, limit }).toArray(),
    list (userId, state, { limit, entries, after }) {
      const time = state === 'running' ? 'startTime' : 'endTime'
      const filter: Filter<VisitRecord> = { userId, state }
      if (after !== undefined) filter.$or = [{ [time]: { $lt: after.time } }, { [time]: after.time, _id: { $lt: after.id } }]
      return visits.find(filter, { projection: { ...headFields, pages: { $slice: entries } }, sort: { [time]: -1, _id: -1 }, limit, ...bounded }).toArray()
    }
  }
}
