// Room `visit`: what happens to a visit when a guest becomes a user, and when a user signs out. The guest's visit goes on
// as the user's, with its id, start, pages and actions; the cookie gets a new id of its own. Nothing here may fail a login
// or a logout: callers get an answer in any case, and the job archives what was left half done.
import { within, type Clock } from '../clock.ts'
import type { GuestStore } from './guest-store.ts'
import type { GuestVisits } from './guest-visits.ts'
import type { VisitHandover } from './visit-handover.ts'
import type { Member } from '../session/session-rules.ts'
import { newVisitorId, parseVisitor, visitorText, type VisitorId } from './visit-rules.ts'

export interface Membership {
  /** @param visitor as the cookie says. @returns what it says from now on, or null if there was nothing to carry */
  become: (visitor: string, member: Member) => Promise<string | null>
  /** A login takes the place of an earlier one of the same user: the visit goes on. */
  follow: (sid: string, member: Member) => Promise<void>
  /** Ends the visits of logins that are over. */
  leave: (sids: readonly string[]) => Promise<void>
}

export interface MembershipOptions {
  guests: GuestVisits
  handover: VisitHandover
  store: GuestStore
  clock: Clock
  randomBytes: (size: number) => Buffer
  /** Told of what could not be done. */
  onFailure: (error: unknown) => void
}

const patienceMs = 1000

export function createMembership ({ guests, handover, store, clock, randomBytes, onFailure }: MembershipOptions): Membership {
  async function carry (visitor: VisitorId, member: Member): Promise<boolean> {
    const visit = await guests.take(visitor, member)
    if (visit === null) return await handover.resume(member, visitor.visitId)
    const isCarried = await handover.adopt(member, visit).catch(async (error: unknown) => {
      await store.hasten(visit.id, clock.wall()) // the job puts it into the user's archive
      throw error
    })
    await store.drop(visit.id).catch(() => { /* the job finds it in MongoDB and drops it */ })
    return isCarried
  }

  /** A login or a logout waits for this long at most; the work goes on, and the job has what is left of it. */
  const bestEffort = async (work: () => Promise<void>): Promise<void> => await within(patienceMs, work().catch(onFailure), () => { /* it goes on */ })

  return {
    async become (text, member) {
      const visitor = parseVisitor(text)
      if (visitor === undefined) return null
      let isCarried = false
      await bestEffort(async () => { isCarried = await carry(visitor, member) })
      return isCarried ? visitorText(newVisitorId(randomBytes, visitor.visitId)) : null
    },
    follow: (sid, member) => bestEffort(async () => { await handover.follow(member, sid) }),
    leave: (sids) => bestEffort(() => handover.leave(sids))
  }
}
