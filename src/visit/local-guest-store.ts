// Room `visit`: the visits of guests in this process, for a service without Redis. A visit that was begun here is known
// here only, and its guests are lost with the process unless it closes in good order.
import { unavailable } from '../errors.ts'
import type { GuestStore } from './guest-store.ts'
import type { Member } from '../session/session-rules.ts'
import { isIdle, visitorText, type ActionEntry, type EndedVisit, type PageEntry, type VisitLimits } from './visit-rules.ts'

interface Held { startTime: number, lastSeen: number, endTime: number | null, member: Member | null, page: PageEntry[], action: ActionEntry[] }

export interface LocalGuestOptions extends VisitLimits {
  now: () => number
  /** Most visits held at a time; above it nobody can begin one until some have ended. */
  capacity?: number
}

export function createLocalGuestStore ({ now: clockNow, idleMs, mostEntries, capacity = 100_000 }: LocalGuestOptions): GuestStore {
  const visits = new Map<string, Held>()
  const records = new Map<string, { text: string, until: number }>()

  const recordOf = (key: string, now: number): string | null => {
    const record = records.get(key)
    return record === undefined || record.until <= now ? null : record.text
  }

  function running (visitId: string, now: number): Held | undefined {
    const visit = visits.get(visitId)
    return visit === undefined || visit.endTime !== null || isIdle(visit.lastSeen, now, idleMs) ? undefined : visit
  }

  const ended = (id: string, { startTime, endTime, member, page, action }: Held): EndedVisit =>
    ({ id, member, startTime: new Date(startTime), endTime: new Date(endTime as number), pages: page, actions: action })

  return {
    records: {
      get: async (visitor) => recordOf(visitorText(visitor), clockNow()),
      async set (visitor, text) { records.set(visitorText(visitor), { text, until: clockNow() + idleMs }) },
      async delete (visitor) { records.delete(visitorText(visitor)) }
    },
    async create (visitId, now) {
      if (visits.size >= capacity) throw unavailable(new Error('this process holds as many visits as it may'))
      visits.set(visitId, { startTime: now, lastSeen: now, endTime: null, member: null, page: [], action: [] })
    },
    async append (visitor, kind, entry, now) {
      const record = records.get(visitorText(visitor))
      const visit = running(visitor.visitId, now)
      if (record === undefined || record.until <= now || visit === undefined) return 'none'
      const list = visit[kind] as unknown[]
      if (list.length >= mostEntries) return 'full'
      visit.lastSeen = Math.max(visit.lastSeen, now)
      record.until = now + idleMs
      return list.push(entry)
    },
    async touch (visitId, now) {
      const visit = running(visitId, now)
      if (visit === undefined) return false
      visit.lastSeen = Math.max(visit.lastSeen, now)
      return true
    },
    async read (visitId, { kind, offset, limit }, now) {
      const visit = running(visitId, now)
      if (visit === undefined) return null
      const { startTime, page, action } = visit
      return { id: visitId, startTime: new Date(startTime), endTime: null, pageCount: page.length, actionCount: action.length, entries: visit[kind].slice(offset, offset + limit) }
    },
    async end (visitor, now, member) {
      const visit = visits.get(visitor.visitId)
      if (visit === undefined || recordOf(visitorText(visitor), now) === null) return null
      if (visit.endTime === null && isIdle(visit.lastSeen, now, idleMs)) return null
      if (member !== undefined) {
        if (visit.endTime !== null) return null
        visit.member = member
        records.delete(visitorText(visitor))
      }
      visit.endTime ??= now
      return ended(visitor.visitId, visit)
    },
    async * due (now) {
      for (const [key, { until }] of records) if (until <= now) records.delete(key)
      yield [...visits].filter(([, { endTime, lastSeen }]) => endTime !== null || isIdle(lastSeen, now, idleMs)).map(([id]) => id)
    },
    async settle (visitId, now) {
      const visit = visits.get(visitId)
      if (visit === undefined) return null
      if (visit.endTime === null && !isIdle(visit.lastSeen, now, idleMs)) return null
      visit.endTime ??= visit.lastSeen
      return ended(visitId, visit)
    },
    async hasten () { /* what is over is due already */ },
    async drop (visitId) { visits.delete(visitId) }
  }
}
