// Room `visit`: visits that change hands: a guest's that becomes a user's, a user's that goes on under a later login, and
// those that end with their login.
import type { Clock } from '../clock.ts'
import type { SessionRepository } from '../session/session-repository.ts'
import { newVisit, type RunningVisits } from './running-visits.ts'
import type { VisitArchive } from './visit-archive.ts'
import type { VisitHead, VisitRepository } from './visit-repository.ts'
import type { Member } from '../session/session-rules.ts'
import { isIdle, type EndedVisit } from './visit-rules.ts'

export interface VisitHandover {
  /** Goes on with a guest's visit that was ended for it. @returns whether it did */
  adopt: (member: Member, visit: EndedVisit) => Promise<boolean>
  /** Goes on with a running visit of the same user from an earlier login. @returns whether it did */
  resume: (member: Member, visitId: string) => Promise<boolean>
  /** Goes on with the running visit of a login that this one takes the place of. @returns whether there was one */
  follow: (member: Member, sid: string) => Promise<boolean>
  /** Ends the visits of logins that are over. */
  leave: (sids: readonly string[]) => Promise<void>
}

export interface VisitHandoverOptions {
  visits: VisitRepository
  archive: VisitArchive
  known: RunningVisits
  sessions: SessionRepository
  clock: Clock
  idleMs: number
}

export function createVisitHandover ({ visits, archive, known, sessions, clock, idleMs }: VisitHandoverOptions): VisitHandover {
  /** A visit that had been idle for too long ended when it was last seen. */
  async function endOf (head: VisitHead): Promise<void> {
    const now = clock.wall()
    const lastSeen = (await known.describe(head))?.lastSeen ?? now
    await archive.end(head._id, new Date(isIdle(lastSeen, now, idleMs) ? lastSeen : now))
  }

  async function resume (member: Member, visitId: string): Promise<boolean> {
    const head = await visits.findHead(visitId)
    if (head === null || head.state !== 'running' || head.userId !== member.userId) return false
    const running = await known.describe(head)
    if (running === null || isIdle(running.lastSeen, clock.wall(), idleMs)) return false
    if (!await visits.move(visitId, member.userId, member.sid, new Date(clock.wall()))) return false
    return await sessions.pointAtVisit(member.sid, null, visitId)
  }

  return {
    async adopt (member, { id, startTime, pages, actions }) {
      const visit = newVisit(id, member, clock.wall(), idleMs)
      const brought = { startTime, pages: [...pages], actions: [...actions], pageCount: pages.length, actionCount: actions.length }
      // the document first: if we die here, the job archives it, and nothing is lost
      if (!await visits.insert({ ...visit, ...brought })) return false
      return await sessions.pointAtVisit(member.sid, null, id)
    },

    resume,

    async follow (member, sid) {
      const visitId = (await sessions.visitOf(sid))?.visitId
      return visitId != null && await resume(member, visitId)
    },

    async leave (sids) {
      await Promise.all(sids.map(async (sid) => {
        const pointer = (await sessions.visitOf(sid))?.visitId
        const head = pointer == null ? null : await visits.findHead(pointer)
        if (head?.state === 'running' && head.sid === sid) await endOf(head)
      }))
    }
  }
}
