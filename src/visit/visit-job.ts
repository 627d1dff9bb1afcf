// Room `visit`: the job that ends what is idle and archives what is over. It may run anywhere and any number of times:
// what it does are conditional writes, and what fails is tried again at the next run.
import type { Clock } from '../clock.ts'
import type { GuestStore } from './guest-store.ts'
import type { RunningVisits } from './running-visits.ts'
import type { VisitArchive } from './visit-archive.ts'
import type { VisitHead, VisitRepository } from './visit-repository.ts'
import { isIdle } from './visit-rules.ts'

/** What one run did. */
export interface Sweep { archived: number, failed: number }

export interface VisitJobOptions {
  store: GuestStore
  visits: VisitRepository
  archive: VisitArchive
  known: RunningVisits
  clock: Clock
  idleMs: number
  /** Told of each visit that could not be archived. */
  onFailure: (error: unknown) => void
}

export interface VisitJob {
  /** Guests' visits that are due. @param now milliseconds since the epoch; Infinity for all that there are */
  sweepGuests: (now?: number) => Promise<Sweep>
  /** Users' visits that are due. */
  sweepMembers: () => Promise<Sweep>
  /** Has a run that is under way come to its end soon; the next one goes on. */
  stop: () => void
}

const atOnce = 100

/** Guests' visits that are archived side by side: one write to the disk for all of them. */
const atATime = 50

/** Of one run: the next one goes on. */
const mostBatches = 1000

export function createVisitJob ({ store, visits, archive, known, clock, idleMs, onFailure }: VisitJobOptions): VisitJob {
  let isStopped = false

  async function attempt (sweep: Sweep, work: () => Promise<boolean>): Promise<void> {
    try {
      if (await work()) sweep.archived++
    } catch (error) {
      sweep.failed++
      onFailure(error)
    }
  }

  async function sweepGuest (visitId: string, now: number): Promise<boolean> {
    const ended = await store.settle(visitId, now)
    if (ended === null) return false
    await archive.keepGuest(ended)
    return true
  }

  async function sweepMember (head: VisitHead): Promise<boolean> {
    if (head.state === 'archived') {
      await archive.forget(head)
      return false
    }
    const running = head.state === 'running' ? await known.describe(head) : null
    if (running === null) return await archive.complete(head._id) !== null
    const { lastSeen } = running
    if (isIdle(lastSeen, clock.wall(), idleMs)) return await archive.end(head._id, new Date(lastSeen)) !== null
    await visits.postpone(head._id, new Date(lastSeen), new Date(lastSeen + idleMs))
    return false
  }

  return {
    async sweepGuests (now = clock.wall()) {
      const sweep = { archived: 0, failed: 0 }
      const isLast = now === Infinity // whatever is not archived now is lost
      for await (const visitIds of store.due(now)) {
        for (let from = 0; from < visitIds.length; from += atATime) {
          if (isStopped && !isLast) return sweep
          await Promise.all(visitIds.slice(from, from + atATime).map((visitId) => attempt(sweep, () => sweepGuest(visitId, now))))
        }
      }
      return sweep
    },
    async sweepMembers () {
      const sweep = { archived: 0, failed: 0 }
      for (let batches = 0; batches < mostBatches; batches++) {
        const failedBefore = sweep.failed
        const due = await visits.listDue(new Date(clock.wall()), atOnce)
        for (const head of due) if (!isStopped) await attempt(sweep, () => sweepMember(head))
        if (isStopped || due.length < atOnce || sweep.failed > failedBefore) break
      }
      return sweep
    },
    stop () { isStopped = true }
  }
}
