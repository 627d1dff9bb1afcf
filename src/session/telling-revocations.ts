// Room `session`: tells how many sessions were ended and why, by whatever way: all of them go through the repository.
import type { SessionRepository } from './session-repository.ts'
import type { RevokedReason } from './session-rules.ts'

/** @param tell called with the sessions that a call has ended, 1 or more; not with those that had ended before */
export function tellingRevocations (sessions: SessionRepository, tell: (reason: RevokedReason, count: number) => void): SessionRepository {
  return {
    ...sessions,
    async revoke (sid, reason, now) {
      const userId = await sessions.revoke(sid, reason, now)
      if (userId !== null) tell(reason, 1)
      return userId
    },
    async revokeOlder (userId, tokenVersion, reason, now) {
      const count = await sessions.revokeOlder(userId, tokenVersion, reason, now)
      if (count > 0) tell(reason, count)
      return count
    },
    async revokeMany (sids, reason, now) {
      const count = await sessions.revokeMany(sids, reason, now)
      if (count > 0) tell(reason, count)
      return count
    }
  }
}
