// For the tests of visits, and of other rooms that write to MongoDB: a database of this run's engine, instances of the
// service that share it and a store of guests, and calls that a test can hold or fail.
import { randomBytes } from 'node:crypto'
import { MongoClient, MongoNetworkError, type Db } from 'mongodb'
import type { Test } from 'tap'
import { openEmbeddedClient } from '../../../src/embedded/embedded-client.ts'
import { createSessionRepository, type SessionRepository } from '../../../src/session/session-repository.ts'
import type { SessionRecord } from '../../../src/session/session-rules.ts'
import type { GuestStore } from '../../../src/visit/guest-store.ts'
import { createLocalGuestStore } from '../../../src/visit/local-guest-store.ts'
import { createRunningVisits, type Running, type RunningVisits } from '../../../src/visit/running-visits.ts'
import { createVisitArchive, type VisitArchive } from '../../../src/visit/visit-archive.ts'
import { createVisitJob, type VisitJob } from '../../../src/visit/visit-job.ts'
import { createVisitLog, type LogRecord, type VisitLog } from '../../../src/visit/visit-log.ts'
import { createVisitNotes, type Outcome, type VisitNotes } from '../../../src/visit/visit-notes.ts'
import { createVisitRepository, type VisitRecord, type VisitRepository } from '../../../src/visit/visit-repository.ts'
import type { Member } from '../../../src/session/session-rules.ts'
import { entryOf, type EntryKind, type PageEntry } from '../../../src/visit/visit-rules.ts'
import { createStillClock, type TestClock } from '../../helper/clock.ts'
import { mongodbUri } from '../../helper/engines.ts'
import type { Gate } from '../../helper/gates.ts'

export const idleMs = 1_800_000

/** From the archiving of a visit until nothing of it is left in the log. */
export const clearedMs = idleMs + 3_600_000

/** A database of its own on this run's engine, gone with the test. */
export async function openDb (t: Test, clock: TestClock): Promise<Db> {
  const client = mongodbUri === undefined
    ? await openEmbeddedClient({ dir: null, clock })
    : await new MongoClient(mongodbUri, { ignoreUndefined: true }).connect()
  const db = client.db(`room_${randomBytes(6).toString('hex')}`)
  t.teardown(async () => {
    await db.dropDatabase()
    await client.close()
  })
  return db
}

/** An object whose calls a test can count, hold or fail. */
export interface Trapped<T> {
  /** To be handed to what is tested. */
  readonly calls: T
  /** How often a method was called. */
  count: (method: keyof T) => number
  /** Holds the next such call, `before` it is made or `after` it was made; see gates.ts for the same below a client. */
  hold: (method: keyof T, when: 'before' | 'after') => Gate
}

interface Held { method: PropertyKey, when: 'before' | 'after', arrive: () => void, released: Promise<Error | undefined> }

export function trap<T extends object> (target: T): Trapped<T> {
  const held: Held[] = []
  const counts = new Map<PropertyKey, number>()

  async function pass (method: PropertyKey, when: Held['when']): Promise<void> {
    const at = held.findIndex((gate) => gate.method === method && gate.when === when)
    if (at < 0) return
    const [gate] = held.splice(at, 1) as [Held]
    gate.arrive()
    const error = await gate.released
    if (error !== undefined) throw error
  }

  const calls = new Proxy(target, {
    get (inner, method) {
      const member: unknown = Reflect.get(inner, method)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        counts.set(method, (counts.get(method) ?? 0) + 1)
        const call = () => Reflect.apply(member, inner, args) as unknown
        if (!held.some((gate) => gate.method === method)) return call()
        return (async () => {
          await pass(method, 'before')
          const answer = await call()
          await pass(method, 'after')
          return answer
        })()
      }
    }
  })
  return {
    calls,
    count: (method) => counts.get(method) ?? 0,
    hold (method, when) {
      let arrive = () => { /* set below */ }
      let release = (_error?: Error) => { /* set below */ }
      const reached = new Promise<void>((resolve) => { arrive = resolve })
      const released = new Promise<Error | undefined>((resolve) => { release = resolve })
      held.push({ method, when, arrive, released })
      return { reached, open: () => { release() }, fail: (error) => { release(error) } }
    }
  }
}

/** What the driver throws when the connection breaks. */
export const brokenConnection = (): Error => new MongoNetworkError('the connection broke')

/** One process of a deployment. */
export interface Instance {
  visits: Trapped<VisitRepository>
  log: Trapped<VisitLog>
  sessions: Trapped<SessionRepository>
  store: Trapped<GuestStore>
  archive: VisitArchive
  known: RunningVisits
  notes: VisitNotes
  job: VisitJob
  /** What the job was told of, oldest first. */
  failures: unknown[]
  /** Notes a page, into the visit that runs for a login as the doors find it, or into one that was found before. */
  note: (to: Member | Running, pageId: string) => Promise<Outcome>
}

export interface VisitKit {
  db: Db
  clock: TestClock
  /** What all instances share, untrapped. */
  visits: VisitRepository
  log: VisitLog
  store: GuestStore
  sessions: SessionRepository
  createInstance: () => Instance
  /** A login of a user of its own. */
  signIn: () => Promise<Member>
  /** Documents of the log for a visit, by id. */
  logged: (visitId: string) => Promise<LogRecord[]>
  archived: (visitId: string) => Promise<VisitRecord>
}

export interface VisitKitOptions { mostEntries?: number }

export async function createVisitKit (t: Test, { mostEntries = 1000 }: VisitKitOptions = {}): Promise<VisitKit> {
  const clock = createStillClock()
  const db = await openDb(t, clock)
  const visits = createVisitRepository(db)
  const log = createVisitLog(db, mostEntries)
  const sessions = createSessionRepository(db)
  const limits = { idleMs, mostEntries }
  const store = createLocalGuestStore({ now: clock.wall, ...limits })
  await visits.ensureIndexes()

  function createInstance (): Instance {
    const own = { visits: trap(visits), log: trap(log), sessions: trap(sessions), store: trap(store) }
    const given = { visits: own.visits.calls, log: own.log.calls, sessions: own.sessions.calls, clock }
    const archive = createVisitArchive({ ...given, guests: own.store.calls, idleMs })
    const known = createRunningVisits({ ...given, archive, randomBytes, ...limits })
    const notes = createVisitNotes({ ...given, archive, known, mostEntries })
    const failures: unknown[] = []
    return {
      ...own,
      archive,
      known,
      notes,
      failures,
      job: createVisitJob({ ...given, store: own.store.calls, archive, known, idleMs, onFailure: (error) => { failures.push(error) } }),
      async note (to, pageId) {
        const running = 'visitId' in to ? to : known.peek(to) ?? (await known.findOrBegin(to)).running
        return await notes.add({ running, kind: 'page', entry: pageEntry(pageId, clock.wall()) })
      }
    }
  }

  return {
    db,
    clock,
    visits,
    log,
    store,
    sessions,
    createInstance,
    async signIn () {
      const session = sessionRecord(clock.wall())
      await sessions.insert(session)
      return { userId: session.userId, sid: session._id }
    },
    logged: (visitId) => db.collection<LogRecord>('visitlog').find({ _id: { $in: idsOf(visitId) } }, { sort: { _id: 1 } }).toArray(),
    async archived (visitId) {
      const visit = await visits.find(visitId)
      if (visit?.state !== 'archived') throw new Error(`the visit is not archived: ${visit?.state}`)
      return visit
    }
  }
}

const idsOf = (visitId: string): string[] =>
  (['page', 'action'] as const).flatMap((kind) => Array.from({ length: 300 }, (_, n) => `${visitId}:${kind}:${n}`))

export const pageEntry = (pageId: string, at: number): PageEntry =>
  entryOf({ kind: 'page', pageId }, randomBytes(9).toString('base64url'), at) as PageEntry

/** `count` names from `first` on: p0, p1, ... */
export const names = (count: number, first = 0): string[] => Array.from({ length: count }, (_, i) => `p${first + i}`)

/** Names of pages, in order. */
export const pagesOf = (visit: { pages: readonly PageEntry[] }): string[] => visit.pages.map(({ pageId }) => pageId)

export const none: Readonly<Record<EntryKind, number>> = { page: 0, action: 0 }

/** As src/token/token-service.ts makes one. */
function sessionRecord (now: number): SessionRecord {
  return {
    _id: randomBytes(16).toString('base64url'),
    userId: randomBytes(16).toString('base64url'),
    tokenVersion: 0,
    generation: 0,
    rotatedAt: null,
    device: { type: 'unknown', os: null, browser: null },
    ip: '203.0.113.1',
    userAgent: '',
    createdAt: new Date(now),
    lastSeenAt: new Date(now),
    expiresAt: new Date(now + 7 * 86_400_000),
    absoluteExpiresAt: new Date(now + 30 * 86_400_000),
    revokedAt: null,
    revokedReason: null
  }
}
