// Room `visit`: which visit of a login runs: known in this process, else asked of MongoDB, else begun. The login's own
// document points at its visit, and moving that pointer on decides between two that begin one at the same time.
import { createBoundedMap, homeless, type Home } from '../cache/bounded-map.ts'
import type { Clock } from '../clock.ts'
import { LatchkeyError, unavailable } from '../errors.ts'
import type { SessionRepository } from '../session/session-repository.ts'
import type { VisitArchive } from './visit-archive.ts'
import type { VisitLog } from './visit-log.ts'
import type { VisitHead, VisitRecord, VisitRepository } from './visit-repository.ts'
import type { Member } from '../session/session-rules.ts'
import { isIdle, newVisitId, type EntryKind, type VisitLimits } from './visit-rules.ts'

/** What this process knows of a running visit. One object for all requests of its login: whoever writes moves it on. */
export interface Running {
  home: Home
  readonly visitId: string
  /** The login under which this process knows it; two know the same one after a second login in the same browser. */
  readonly sid: string
  readonly startTime: Date
  /** Entries that the visit's own document has; the log's begin behind them. */
  readonly brought: Readonly<Record<EntryKind, number>>
  /** The number that the next entry is given, which is how many there are. */
  next: Record<EntryKind, number>
  /** Milliseconds since the epoch; may be earlier than the truth, never later. */
  lastSeen: number
  /** Its lists have ended, or how far they are is uncertain: nothing may be numbered by it any more. */
  isVoid: boolean
}

export interface RunningVisits {
  /** The visit as this process knows it, if that is enough to write to it. */
  peek: (member: Member) => Running | undefined
  /** Asks MongoDB. Ends a visit that has been idle for too long. */
  find: (member: Member) => Promise<Running | null>
  /** The visit of a login that was ended and is not in the archive yet. @returns its id */
  findUnarchived: (member: Member) => Promise<string | null>
  /** @returns the running visit, begun if there was none. @throws LatchkeyError `session_revoked`, `unavailable` */
  findOrBegin: (member: Member) => Promise<{ running: Running, isNew: boolean }>
  /** What MongoDB knows of a running visit beside its document; null if it has just been ended. */
  describe: (head: VisitHead) => Promise<Running | null>
  /** Asks MongoDB again how far the lists of a visit are. @returns false if it is over */
  reload: (running: Running) => Promise<boolean>
  /** Makes it void, for whoever holds it, too. */
  forget: (running: Running) => void
}

export interface RunningVisitsOptions extends VisitLimits {
  visits: VisitRepository
  log: VisitLog
  archive: VisitArchive
  sessions: SessionRepository
  clock: Clock
  randomBytes: (size: number) => Buffer
  /** Most visits known at a time. */
  capacity?: number
}

export function newVisit (visitId: string, { userId, sid }: Member, now: number, idleMs: number): VisitRecord {
  const time = new Date(now)
  return {
    _id: visitId,
    userId,
    sid,
    state: 'running',
    startTime: time,
    lastSeenAt: time,
    endTime: null,
    pages: [],
    actions: [],
    pageCount: 0,
    actionCount: 0,
    pending: true,
    dueAt: new Date(now + idleMs)
  }
}

/** A visit before its log is looked at. */
const startOf = ({ _id, startTime, lastSeenAt, pageCount, actionCount }: VisitHead, sid: string): Running => ({
  home: homeless(),
  visitId: _id,
  sid,
  startTime,
  brought: { page: pageCount, action: actionCount },
  next: { page: pageCount, action: actionCount },
  lastSeen: lastSeenAt.getTime(),
  isVoid: false
})

export function createRunningVisits ({ visits, log, archive, sessions, clock, randomBytes, idleMs, capacity = 100_000 }: RunningVisitsOptions): RunningVisits {
  const known = createBoundedMap<Running>(capacity)
  const flights = new Map<string, Promise<{ running: Running, isNew: boolean }>>()

  async function describe (head: VisitHead, sid = head.sid as string): Promise<Running | null> {
    const running = startOf(head, sid)
    return await reload(running) ? running : null
  }

  async function reload (running: Running): Promise<boolean> {
    const { page, action } = await log.findTails(running.visitId, running.brought)
    // looked at once more, afterwards: while it ran, no list had an end, so these were entries
    if ((await visits.findHead(running.visitId))?.state !== 'running') return false
    running.next = { page: page.count, action: action.count }
    running.lastSeen = Math.max(running.lastSeen, page.lastAt, action.lastAt)
    return true
  }

  /** The one object for a visit in this process: who reads it anew must not number beside those who are writing. */
  function keep (running: Running): Running {
    const held = known.get(running.sid)
    if (held !== undefined && held.visitId === running.visitId && !held.isVoid) {
      held.lastSeen = Math.max(held.lastSeen, running.lastSeen)
      for (const kind of ['page', 'action'] as const) held.next[kind] = Math.max(held.next[kind], running.next[kind])
      return held
    }
    known.set(running.sid, running)
    return running
  }

  /** The pointer of a login, and the visit that it points at if that runs. */
  async function look (member: Member): Promise<{ pointer: string | null, isMissing: boolean, running: Running | null }> {
    const login = await sessions.visitOf(member.sid)
    if (login === null || login.isRevoked) throw new LatchkeyError('session_revoked')
    const pointer = login.visitId
    const head = pointer === null ? null : await visits.findHead(pointer)
    if (head === null || head.state !== 'running') return { pointer, isMissing: pointer !== null && head === null, running: null }
    const running = await describe(head, member.sid)
    if (running !== null && !isIdle(running.lastSeen, clock.wall(), idleMs)) return { pointer, isMissing: false, running }
    if (running !== null) await archive.end(running.visitId, new Date(running.lastSeen))
    return { pointer, isMissing: false, running: null }
  }

  async function begin (member: Member): Promise<{ running: Running, isNew: boolean }> {
    for (let tries = 0; tries < 5; tries++) {
      const { pointer, isMissing, running } = await look(member)
      if (running !== null) return { running: keep(running), isNew: false }
      // a pointer to nothing: whoever moved it has not come to insert the visit yet, or never will
      const visitId = isMissing ? pointer as string : newVisitId(randomBytes)
      if (!isMissing && !await sessions.pointAtVisit(member.sid, pointer, visitId)) continue
      const visit = newVisit(visitId, member, clock.wall(), idleMs)
      if (await visits.insert(visit)) return { running: keep(startOf(visit, member.sid)), isNew: true }
    }
    throw unavailable(new Error('the visit of a login was changed at each try'))
  }

  return {
    peek (member) {
      const running = known.get(member.sid)
      if (running === undefined || isIdle(running.lastSeen, clock.wall(), idleMs)) return undefined
      known.touch(member.sid, running)
      return running
    },
    async find (member) {
      const { running } = await look(member)
      return running
    },
    async findUnarchived ({ sid }) {
      const pointer = (await sessions.visitOf(sid))?.visitId
      const head = pointer == null ? null : await visits.findHead(pointer)
      return head?.state === 'ended' ? head._id : null
    },
    async findOrBegin (member) {
      const under = flights.get(member.sid)
      if (under !== undefined) return { running: (await under).running, isNew: false }
      const flight = begin(member).finally(() => { flights.delete(member.sid) })
      flights.set(member.sid, flight)
      return await flight
    },
    describe,
    reload,
    forget (running) {
      running.isVoid = true
      const held = known.get(running.sid)
      if (held?.visitId !== running.visitId) return
      held.isVoid = true
      known.delete(running.sid)
    }
  }
}
