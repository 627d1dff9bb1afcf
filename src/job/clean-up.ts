// Room `job`: takes out what is over and of no use any more: sessions past their end, counters of what has ended, pictures
// that nobody points at. In bounded batches, so that nobody else waits for it; what is left is the next run's.
import type { EndingSet } from '../cache/ending-set.ts'
import type { Clock } from '../clock.ts'
import { keptSeconds, type SessionRepository } from '../session/session-repository.ts'

/** What one run took out, and the longest that one batch took in milliseconds. */
export interface CleanedUp { sessions: number, counted: number, avatars: number, longestBatchMs: number }

export interface CleanUp {
  run: () => Promise<CleanedUp>
  /** Has a run that is under way come to its end soon. */
  stop: () => void
}

export interface CleanUpOptions {
  sessions: SessionRepository
  /** Takes out pictures that nobody points at. @returns how many */
  avatars: (isStopped: () => boolean) => Promise<number>
  /** Sets of which ended keys are taken out. */
  sets: readonly EndingSet[]
  clock: Clock
}

/**
 * Documents or keys of one batch. Measured with MongoDB's own engine, finding and deleting: 200 took 8 ms, 500 took 18, 1000
 * took 30, and three times that beside other work, more while MongoDB writes a checkpoint; nobody is to wait for 50. In Redis
 * 200 take 0.5 ms.
 */
const batchSize = 100

export function createCleanUp ({ sessions, avatars, sets, clock }: CleanUpOptions): CleanUp {
  let isStopped = false

  return {
    async run () {
      const done: CleanedUp = { sessions: 0, counted: 0, avatars: 0, longestBatchMs: 0 }

      /** Repeats a batch until it finds less than it may take. */
      async function inBatches (batch: () => Promise<number>): Promise<number> {
        for (let all = 0; ;) {
          const begin = clock.mono()
          const taken = await batch()
          done.longestBatchMs = Math.max(done.longestBatchMs, Math.round(clock.mono() - begin))
          all += taken
          if (isStopped || taken < batchSize) return all
        }
      }

      const cutoff = new Date(clock.wall() - keptSeconds * 1000)
      done.sessions = await inBatches(async () => {
        const sids = await sessions.findEnded(cutoff, batchSize)
        return sids.length > 0 && await sessions.deleteEnded(sids, cutoff) > 0 ? sids.length : 0
      })
      for (const set of sets) done.counted += await inBatches(() => set.trim(clock.wall(), batchSize))
      done.avatars = await avatars(() => isStopped)
      return done
    },
    stop () { isStopped = true }
  }
}
