// Room `session`: when sessions were last seen. A request costs one comparison; the first one of a session in a round
// leaves a note, and what was noted is written by a job, many at a time (MISSION row 27: never on the request path).
import type { Seen, SessionRepository } from './session-repository.ts'

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

/** Updates of one bulk write: well under 50 ms of the engine's time. */
const batchSize = 500

export function createLastSeen ({ sessions, capacity = 200_000 }: LastSeenOptions): LastSeen {
  let noted = new Map<string, number>()
  const lastSeen = {
    round: 1,
    note (sid: string, at: number) {
      if (noted.size < capacity) noted.set(sid, at)
    },
    async flush () {
      const seen: Seen[] = [...noted].map(([sid, at]) => ({ sid, at }))
      lastSeen.round++
      noted = new Map()
      for (let from = 0; from < seen.length; from += batchSize) await sessions.markSeen(seen.slice(from, from + batchSize))
      return seen.length
    }
  }
  return lastSeen
}
