// Room `visit`: the port behind the visits of guests: identity records and running visits, in Redis or in this process.
// Nothing here is written down for good; what ends is kept until the archive has it and then dropped.
import type { Member } from '../session/session-rules.ts'
import type { EndedVisit, Entry, EntryKind, Slice, VisitorId, VisitView } from './visit-rules.ts'

/** Identity records by cookie id, as the session store keeps them. */
export interface SessionRecords {
  get: (visitor: VisitorId) => Promise<string | null>
  /** Stands for the idle time of a visit from now on. */
  set: (visitor: VisitorId, text: string) => Promise<void>
  delete: (visitor: VisitorId) => Promise<void>
}

/** What came of noting an entry: how many there are now, or why not. `none`: no such visitor, or the visit is over. */
export type Appended = number | 'none' | 'full'

/** Every call takes the present time, milliseconds since the epoch; idleness is judged by it. Rejects when the store does not answer. */
export interface GuestStore {
  readonly records: SessionRecords
  /** Begins a visit. The identity is recorded apart from it. */
  create: (visitId: string, now: number) => Promise<void>
  /** Checks the identity, adds an entry at the end, renews the idle time: one step, one round trip. */
  append: (visitor: VisitorId, kind: EntryKind, entry: Entry, now: number) => Promise<Appended>
  /** Renews the idle time. @returns whether the visit runs */
  touch: (visitId: string, now: number) => Promise<boolean>
  /** A running visit with a part of one of its lists. */
  read: (visitId: string, slice: Slice, now: number) => Promise<VisitView | null>
  /**
   * Ends a running visit, so that it takes nothing any more; it stays until it is dropped. Ending it twice gives the same.
   * @param member who takes it over: the identity is deleted with it, and whoever comes second gets null
   */
  end: (visitor: VisitorId, now: number, member?: Member) => Promise<EndedVisit | null>
  /** Ids of visits that may have to be archived: idle for long enough, or ended and hastened. */
  due: (now: number) => AsyncIterable<string[]>
  /** Ends the visit if it is idle. @returns it if it is over, null if it runs or is gone */
  settle: (visitId: string, now: number) => Promise<EndedVisit | null>
  /** Has a visit that was ended, and could not be archived at once, looked at by the next run of the job. */
  hasten: (visitId: string, now: number) => Promise<void>
  /** Forgets a visit that has been archived. */
  drop: (visitId: string) => Promise<void>
}
