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
  /** Is told of a batch that took longer than any should, milliseconds: somebody may have waited for it. */
  onSlow?: (batch: { batchMs: number, size: number }) => void
}

/**
 * What a batch may take: MongoDB works on it all that time, and nobody is to wait for 50 ms. How much that is depends on who else
 * is there (measured with MongoDB's own engine, finding and deleting 100 sessions: 4 ms alone, 20 to 90 beside a million others
 * on two cores), so each batch is as large as the last one says. Finding and deleting are batches of their own: between them, too,
 * everybody else is served.
 */
const aimMs = 5
const slowMs = 50
/** Who waits behind one long batch is served within this. */
const mostPauseMs = 1000
const [firstBatch, leastBatch, mostBatch] = [20, 5, 100]

export function createCleanUp ({ sessions, avatars, sets, clock, onSlow }: CleanUpOptions): CleanUp {
  const stopping = new AbortController()
  const isStopped = (): boolean => stopping.signal.aborted

  return {
    async run () {
      const done: CleanedUp = { sessions: 0, counted: 0, avatars: 0, longestBatchMs: 0 }

      /** Works on a batch, and lets everybody else have as long as it took. @returns what came of it, and the milliseconds */
      async function work<T> (size: number, batch: (size: number) => Promise<T>): Promise<[result: T, ms: number]> {
        const begin = clock.mono()
        const result = await batch(size)
        const ms = clock.mono() - begin
        done.longestBatchMs = Math.max(done.longestBatchMs, Math.round(ms))
        if (ms > slowMs) onSlow?.({ batchMs: Math.round(ms), size })
        await sleep(Math.min(ms, mostPauseMs), undefined, { signal: stopping.signal }).catch(() => { /* told to stop */ })
        return [result, ms]
      }

      const sizeAfter = (size: number, ms: number): number =>
        Math.min(mostBatch, Math.max(leastBatch, ms > aimMs ? Math.floor(size * aimMs / ms) : Math.ceil(size * 1.25)))

      async function takeOutSessions (): Promise<void> {
        const cutoff = new Date(clock.wall() - keptSeconds * 1000)
        let from: Date | undefined
        for (let size = firstBatch; ;) {
          const [ended, findMs] = await work(size, (limit) => sessions.findEnded(cutoff, limit, from))
          if (ended.length === 0) return
          const [deleted, deleteMs] = await work(ended.length, () => sessions.deleteEnded(ended.map(({ sid }) => sid), cutoff))
          done.sessions += deleted
          const last = ended.at(-1)?.endedAt
          // where somebody else took the batch out there may be more behind it; where nothing moved there would be no end
          const hasMoved = deleted > 0 || last?.getTime() !== from?.getTime()
          if (isStopped() || !hasMoved || ended.length < size) return
          from = last
          size = sizeAfter(size, Math.max(findMs, deleteMs))
        }
      }

      async function trim (set: EndingSet): Promise<void> {
        for (let size = firstBatch; ;) {
          const [taken, ms] = await work(size, (limit) => set.trim(clock.wall(), limit))
          done.counted += taken
          if (isStopped() || taken < size) return
          size = sizeAfter(size, ms)
        }
      }

      await takeOutSessions()
      for (const set of sets) if (!isStopped()) await trim(set)
      if (!isStopped()) done.avatars = await avatars(isStopped)
      return done
    },
    stop () { stopping.abort() }
  }
}
