// Room `session`: the three numbers of the health answer (MISSION row 14), from counters and never from a look at each key.
import type { EndingSet } from '../cache/ending-set.ts'
import type { Clock } from '../clock.ts'

/** What seed 002 calls `sessionStats`. */
export interface SessionStats {
  /** Sessions that live. */
  readonly activeSessions: number
  /** Profiles that have a copy in Redis. */
  readonly cachedProfiles: number
  /** Sessions that were ended while tokens of theirs may still be about. */
  readonly blacklistedTokens: number
}

export interface Statistics {
  readonly active: EndingSet
  readonly profiles: EndingSet
  readonly blacklist: EndingSet
  /** A session was opened, or its end moved. @param endsAt milliseconds since the epoch */
  opened: (sid: string, endsAt: number) => void
  /** A session is over. */
  ended: (sid: string) => void
  /** Rejects when the sets do not answer. */
  read: () => Promise<SessionStats>
  /** The numbers as they were read last. */
  last: () => SessionStats
}

export interface StatisticsOptions extends Pick<Statistics, 'active' | 'profiles' | 'blacklist'> {
  clock: Clock
  /** Milliseconds for which tokens of a session that has ended may be about. */
  tokensMs: number
}

export function createStatistics ({ active, profiles, blacklist, clock, tokensMs }: StatisticsOptions): Statistics {
  let last: SessionStats = { activeSessions: 0, cachedProfiles: 0, blacklistedTokens: 0 }
  return {
    active,
    profiles,
    blacklist,
    opened (sid, endsAt) { active.add(sid, endsAt) },
    ended (sid) {
      active.remove(sid)
      blacklist.add(sid, clock.wall() + tokensMs)
    },
    async read () {
      const now = clock.wall()
      const [activeSessions, cachedProfiles, blacklistedTokens] = await Promise.all([active.count(now), profiles.count(now), blacklist.count(now)])
      last = { activeSessions, cachedProfiles, blacklistedTokens }
      return last
    },
    last: () => last
  }
}
