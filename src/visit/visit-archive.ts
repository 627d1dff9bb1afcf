// Room `visit`: how a visit is ended and comes into the archive, exactly once, whatever crashes in between: every step is
// a conditional write or can be repeated, and the job repeats what was left half done.
import type { Clock } from '../clock.ts'
import type { GuestStore } from './guest-store.ts'
import type { VisitLog } from './visit-log.ts'
import type { VisitHead, VisitRecord, VisitRepository } from './visit-repository.ts'
import type { EndedVisit } from './visit-rules.ts'

export interface VisitArchive {
  /**
   * Ends a user's visit and archives it with everything that was noted in it.
   * @returns the archived visit for the caller that ended it; null if it was over or never was
   */
  end: (visitId: string, endTime: Date) => Promise<VisitRecord | null>
  /** Archives a user's visit that has been ended. @returns it, or null if it runs or never was */
  complete: (visitId: string) => Promise<VisitRecord | null>
  /**
   * Takes an archived visit out of the log, when no instance can believe any more that it runs: one that lags behind
   * would otherwise find a number free and note something in a visit that is over.
   */
  forget: (visit: VisitHead) => Promise<void>
  /** Archives a guest's visit that has been ended in the store, then drops it there. */
  keepGuest: (visit: EndedVisit) => Promise<void>
}

export interface VisitArchiveOptions {
  visits: VisitRepository
  log: VisitLog
  guests: GuestStore
  clock: Clock
  idleMs: number
}

/** Milliseconds by which the clocks of instances may differ, and with room. */
const marginMs = 3_600_000

export function createVisitArchive ({ visits, log, guests, clock, idleMs }: VisitArchiveOptions): VisitArchive {
  async function complete (visitId: string): Promise<VisitRecord | null> {
    const visit = await visits.find(visitId)
    if (visit === null || visit.state === 'running') return null
    if (visit.state === 'archived') return visit
    const { pages, actions } = await log.close(visitId, { page: visit.pageCount, action: visit.actionCount })
    const lists = { pages: [...visit.pages, ...pages], actions: [...visit.actions, ...actions] }
    await visits.archive(visitId, lists, new Date(clock.wall() + idleMs + marginMs))
    return { ...visit, ...lists, state: 'archived', pageCount: lists.pages.length, actionCount: lists.actions.length }
  }

  return {
    async end (visitId, endTime) {
      return await visits.end(visitId, endTime) ? await complete(visitId) : null
    },
    complete,
    async forget ({ _id, pageCount, actionCount }) {
      await log.clear(_id, { page: pageCount, action: actionCount })
      await visits.settle(_id)
    },
    async keepGuest (visit) {
      await visits.insertArchived(visit)
      await guests.drop(visit.id).catch(() => { /* the job finds it archived and drops it */ })
    }
  }
}
