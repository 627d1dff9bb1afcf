// Room `job`: takes out what is over and of no use any more: sessions past their end, counters of what has ended, pictures
// that nobody points at. In bounded batches, so that nobody else waits for it; what is left is the next run's.
import { setTimeout as sleep } from 'node:timers/promises'
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
 * What a batch may take: MongoDB works on it all that time, and nobody is to wait for 50 ms. How much that is depends on who else
 * is there (measured with MongoDB's own engine, finding and deleting 100 sessions: 4 ms alone, 20 to 90 beside a million others
 * on two cores), so each batch is as large as the last one says.
 */
const batchMs = 10
const [firstBatch, leastBatch, mostBatch] = [20, 5, 100]

export function createCleanUp ({ sessions, avatars, sets, clock }: CleanUpOptions): CleanUp {
  let isStopped = false

  return {
    async run () {
      const done: CleanedUp = { sessions: 0, counted: 0, avatars: 0, longestBatchMs: 0 }

      /** Repeats a batch until it finds less than it may take; between two of them everybody else has as long as one took. */
      async function inBatches (batch: (size: number) => Promise<number>): Promise<number> {
        for (let all = 0, size = firstBatch; ;) {
          const begin = clock.mono()
          const taken = await batch(size)
          const ms = clock.mono() - begin
          done.longestBatchMs = Math.max(done.longestBatchMs, Math.round(ms))
          all += taken
          if (isStopped || taken < size) return all
          size = Math.min(mostBatch, Math.max(leastBatch, ms > batchMs ? Math.floor(size * batchMs / ms) : Math.ceil(size * 1.25)))
          await sleep(ms)
        }
      }

      const cutoff = new Date(clock.wall() - keptSeconds * 1000)
      let from: Date | undefined
      done.sessions = await inBatches(async (size) => {
        const ended = await sessions.findEnded(cutoff, size, from)
        from = ended.at(-1)?.endedAt
        return ended.length > 0 && await sessions.deleteEnded(ended.map(({ sid }) => sid), cutoff) > 0 ? ended.length : 0
      })
      for (const set of sets) done.counted += await inBatches((size) => set.trim(clock.wall(), size))
      done.avatars = await avatars(() => isStopped)
      return done
    },
    stop () { isStopped = true }
  }
}
