// Room `visit`: the visits of users. MongoDB has them from their start, so every device and every instance sees the same;
// one runs for each login. What is noted is there before anybody is told so (visit-notes.ts).
import type { Clock } from '../clock.ts'
import { LatchkeyError, unavailable } from '../errors.ts'
import { parseTimeCursor, timeCursor } from '../schemas/time-cursor.ts'
import type { Running, RunningVisits } from './running-visits.ts'
import type { VisitArchive } from './visit-archive.ts'
import type { VisitLog } from './visit-log.ts'
import type { VisitNotes } from './visit-notes.ts'
import type { VisitHead, VisitRecord, VisitRepository } from './visit-repository.ts'
import type { Member } from '../session/session-rules.ts'
import { entryOf, isIdle, newVisitorId, shown, sliceOf, visitorText, type Entry, type ListPage, type NoteInput, type Shown, type Slice } from './visit-rules.ts'

/** One of several visits of a user; `isCurrent` is that of the login that asks. */
export interface Listed extends Shown { readonly isCurrent: boolean }

/** What came of noting something. */
export interface Noted { readonly at: Date, readonly count: number }

export interface MemberVisits {
  /** The running visit, renewed, or a new one; `begun` is for the cookie then, by which a later login finds it again. */
  open: (member: Member, page: ListPage) => Promise<{ visit: Shown, begun: string | null }>
  /** @throws LatchkeyError `visit_not_found` */
  show: (member: Member, page: ListPage) => Promise<Shown>
  /** One of the user's visits, running on any device or archived. @throws LatchkeyError `visit_not_found` */
  showById: (member: Member, visitId: string, page: ListPage) => Promise<Shown>
  /** @returns the visit as it stands in the archive. @throws LatchkeyError `visit_not_found` */
  end: (member: Member, page: ListPage) => Promise<Shown>
  /** Notes a page or an action; begins a visit if none runs. @throws LatchkeyError `visit_full`, `unavailable` */
  note: (member: Member, input: NoteInput) => Promise<Noted>
  /** The user's visits on all devices that run, or that are over; newest first. */
  list: (member: Member, which: 'running' | 'archived', page: { limit: number, cursor?: string | undefined }) => Promise<{ visits: Listed[], nextCursor: string | null }>
}

export interface MemberVisitsOptions {
  visits: VisitRepository
  log: VisitLog
  archive: VisitArchive
  known: RunningVisits
  notes: VisitNotes
  clock: Clock
  randomBytes: (size: number) => Buffer
  idleMs: number
}

/** Pages of each visit that a list of visits shows. */
const firstPages: Slice = { kind: 'page', offset: 0, limit: 50 }

export function createMemberVisits ({ visits, log, archive, known, notes, clock, randomBytes, idleMs }: MemberVisitsOptions): MemberVisits {
  /** Random once, counted then: they only have to differ, and a random one costs 2 us of each page. */
  const entryIds = randomBytes(9).toString('base64url')
  let entries = 0
  const entryId = (): string => `${entryIds}${(entries++).toString(36)}`

  async function viewOf (running: Running, slice: Slice): Promise<Shown> {
    const { visitId, startTime, next } = running
    const entries = await entriesOf(running, slice)
    return shown({ id: visitId, startTime, endTime: null, pageCount: next.page, actionCount: next.action, entries }, slice, clock.wall())
  }

  /** What the visit brought along stands in its document, the rest in the log. */
  async function entriesOf ({ visitId, brought }: Pick<Running, 'visitId' | 'brought'>, { kind, offset, limit }: Slice): Promise<Entry[]> {
    if (offset >= brought[kind]) return await log.findFrom(visitId, kind, offset, limit)
    const visit = await visits.find(visitId)
    const first = (visit === null ? [] : listOf(visit, kind)).slice(offset, offset + limit)
    if (first.length === limit) return first
    return [...first, ...await log.findFrom(visitId, kind, offset + first.length, limit - first.length)]
  }

  const viewOfArchived = ({ _id, startTime, endTime, pageCount, actionCount }: VisitHead, entries: readonly Entry[], slice: Slice): Shown =>
    shown({ id: _id, startTime, endTime, pageCount, actionCount, entries }, slice, clock.wall())

  async function listRunning (member: Member, found: readonly VisitHead[]): Promise<Listed[]> {
    const listed = await Promise.all(found.map(async (visit) => {
      const running = await known.describe(visit)
      return running === null || isIdle(running.lastSeen, clock.wall(), idleMs) ? [] : [{ ...await viewOf(running, firstPages), isCurrent: visit.sid === member.sid }]
    }))
    return listed.flat()
  }

  /** An end that was asked for before and not answered, because MongoDB went away in the middle of it. */
  async function finish (member: Member): Promise<VisitRecord | null> {
    const visitId = await known.findUnarchived(member)
    return visitId === null ? null : await archive.complete(visitId)
  }

  return {
    async open (member, page) {
      const slice = sliceOf(page)
      for (let tries = 0; tries < 5; tries++) {
        const { running, isNew } = await known.findOrBegin(member)
        const now = clock.wall()
        if (!isNew && !await visits.touch(running.visitId, new Date(now))) continue
        running.lastSeen = Math.max(running.lastSeen, now)
        return { visit: await viewOf(running, slice), begun: isNew ? visitorText(newVisitorId(randomBytes, running.visitId)) : null }
      }
      throw unavailable(new Error('the visit was ended at each try'))
    },

    async show (member, page) {
      const slice = sliceOf(page)
      const running = await known.find(member)
      if (running === null) throw new LatchkeyError('visit_not_found')
      return await viewOf(running, slice)
    },

    async showById (member, visitId, page) {
      const slice = sliceOf(page)
      const visit = await visits.findHead(visitId)
      if (visit === null || visit.userId !== member.userId) throw new LatchkeyError('visit_not_found')
      const running = visit.state === 'running' ? await known.describe(visit) : null
      if (running !== null) return await viewOf(running, slice)
      if (visit.state !== 'archived') await archive.complete(visitId)
      const { head, entries } = await visits.findSlice(visitId, slice)
      return viewOfArchived(head, entries, slice)
    },

    async end (member, page) {
      const slice = sliceOf(page)
      const running = await known.find(member)
      const visit = running === null ? await finish(member) : await archive.end(running.visitId, new Date(clock.wall()))
      if (running !== null) known.forget(running)
      if (visit === null) throw new LatchkeyError('visit_not_found')
      return viewOfArchived(visit, listOf(visit, slice.kind).slice(slice.offset, slice.offset + slice.limit), slice)
    },

    async note (member, input) {
      for (let tries = 0; tries < 5; tries++) {
        const running = known.peek(member) ?? (await known.findOrBegin(member)).running
        const entry = entryOf(input, entryId(), clock.wall())
        const outcome = await notes.add({ running, kind: input.kind, entry })
        if (outcome === 'full') throw new LatchkeyError('visit_full')
        if (outcome !== 'over') return { at: entry.at, count: outcome }
        known.forget(running)
      }
      throw unavailable(new Error('the visit was ended at each try'))
    },

    async list (member, which, { limit, cursor }) {
      const found = await visits.list(member.userId, which, { limit: limit + 1, entries: firstPages.limit, after: parseTimeCursor(cursor) })
      const page = found.slice(0, limit)
      const last = page.at(-1)
      const time = which === 'running' ? last?.startTime : last?.endTime
      return {
        visits: which === 'running'
          ? await listRunning(member, page)
          : page.map((visit) => ({ ...viewOfArchived(visit, visit.pages, firstPages), isCurrent: false })),
        nextCursor: found.length > limit && last !== undefined && time != null ? timeCursor({ time, id: last._id }) : null
      }
    }
  }
}

const listOf = (visit: VisitRecord, kind: Slice['kind']): readonly Entry[] => kind === 'page' ? visit.pages : visit.actions
