// Room `session`: when sessions were last seen. A request costs one comparison; the first one of a session in a round
// leaves a note, and what was noted is written by a job, many at a time (MISSION row 27: never on the request path).
import type { SessionRepository } from './session-repository.ts'

export interface LastSeen {
  /** The number of the present round: a session that was noted in it needs no further note. Read on every check, hence a field. */
  readonly round: number
  /** @param at milliseconds since the epoch */
  note: (sid: string, at: number) => void
  /** Begins the next round and writes what the last one has noted; what cannot be written is lost. @returns how many were written */
  flush: () => Promise<number>
}

export interface LastSeenOptions {
  sessions: Pick<SessionRepository, 'markSeen'>
  /** Most sessions that are noted in one round; more are not noted. */
  capacity?: number
}

/**
 * Sessions of one command, all seen within a second and written with the last of their times. One update each, in bulk writes of 500,
 * held the event loop for 8 to 31 ms at a time and took six times as long as one update of many (measured with 1,000 sessions).
 */
const batchSize = 100
const togetherMs = 1000

/** Commands under way at a time: where sessions come one by one a minute has sixty, and who closes does not wait for sixty journeys. */
const mostCommands = 8

interface Batch { readonly sids: string[], readonly from: number, at: number }

function * batchesOf (notes: ReadonlyMap<string, number>): Generator<Batch> {
  let batch: Batch | undefined
  for (const [sid, at] of notes) {
    if (batch !== undefined && (batch.sids.length === batchSize || Math.abs(at - batch.from) >= togetherMs)) {
      yield batch
      batch = undefined
    }
    batch ??= { sids: [], from: at, at }
    batch.sids.push(sid)
    batch.at = Math.max(batch.at, at)
  }
  if (batch !== undefined) yield batch
}

export function createLastSeen ({ sessions, capacity = 200_000 }: LastSeenOptions): LastSeen {
  let noted = new Map<string, number>()
  const lastSeen = {
    round: 1,
    note (sid: string, at: number) {
      if (noted.size < capacity) noted.set(sid, at)
    },
    async flush () {
      const notes = noted
      lastSeen.round++
      noted = new Map()
      let [together, under]: [number, Array<Promise<void>>] = [0, []]
      for (const { sids, at } of batchesOf(notes)) {
        if (together + sids.length > batchSize || under.length === mostCommands) {
          await Promise.all(under);
          [together, under] = [0, []]
        }
        together += sids.length
        under.push(sessions.markSeen(sids, new Date(at)))
      }
      await Promise.all(under)
      return notes.size
    }
  }
  return lastSeen
}
