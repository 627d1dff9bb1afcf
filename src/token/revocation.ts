// Room `token`: ends sessions. The truth first: a revocation is done when MongoDB acknowledged it; then this process
// forgets, then every other one is told (DESIGN 4).
import type { TieredCache } from '../cache/tiered-cache.ts'
import type { Clock } from '../clock.ts'
import type { SessionRepository } from '../session/session-repository.ts'
import type { Member, RevokedReason } from '../session/session-rules.ts'
import type { Statistics } from '../session/statistics.ts'
import type { SessionCopy } from './session-copy.ts'

/** Where a request came from, and its id in the log. */
export interface Client { readonly address: string, readonly userAgent: string, readonly requestId: string }

/** Milliseconds beyond which no copy of a session can answer, whatever VERDICT_TTL_SECONDS is. */
const longestCopyMs = 3_600_000

/** Ends one session. @returns its user for the caller that ended it, null if it had ended or never was */
export type Revoke = (sid: string, reason: RevokedReason) => Promise<string | null>

export function createRevoke ({ sessions, cache, statistics, clock }: RevokingOptions): Revoke {
  return async (sid, reason) => {
    let userId: string | null
    try {
      userId = await sessions.revoke(sid, reason, new Date(clock.wall()))
    } catch (error) {
      cache.forget(sid) // the write may have been applied: ask the truth at the next check
      throw error
    }
    if (userId !== null) statistics.ended(sid)
    await cache.bury(sid) // also when somebody else had ended it: they may have died before they could tell
    return userId
  }
}

/** `revoked`: sessions that the call ended; `sids`: those that are over now, whoever ended them. */
export interface SignedOut { readonly revoked: number, readonly sids: readonly string[] }

/** Ends the sessions of a user that were opened under an older tokenVersion. @throws when MongoDB does not answer */
export type RevokeOlder = (userId: string, tokenVersion: number, reason: RevokedReason) => Promise<SignedOut>

export interface RevokingOptions {
  sessions: SessionRepository
  cache: TieredCache<SessionCopy>
  statistics: Pick<Statistics, 'ended'>
  clock: Clock
}

/** A write that failed may have been applied: the truth is asked at the next check. */
export async function forgettingOnFailure<T> (cache: TieredCache<SessionCopy>, sids: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    for (const sid of sids) cache.forget(sid)
    throw error
  }
}

export function createRevokeOlder ({ sessions, cache, statistics, clock }: RevokingOptions): RevokeOlder {
  return async (userId, tokenVersion, reason) => {
    const now = new Date(clock.wall())
    // also what somebody else has just ended: they may have died before they could tell
    const sids = await sessions.findOlder(userId, tokenVersion, new Date(now.getTime() - longestCopyMs), now)
    const revoked = await forgettingOnFailure(cache, sids, () => sessions.revokeOlder(userId, tokenVersion, reason, now))
    for (const sid of sids) statistics.ended(sid)
    await Promise.all(sids.map((sid) => cache.bury(sid)))
    return { revoked, sids }
  }
}

/** Ends the sessions of a user on every other device. @throws when MongoDB does not answer */
export type RevokeOthers = (member: Member, reason: RevokedReason) => Promise<SignedOut>

export function createRevokeOthers ({ sessions, cache, statistics, clock }: RevokingOptions): RevokeOthers {
  return async ({ userId, sid }, reason) => {
    const now = new Date(clock.wall())
    const sids = await sessions.findOthers(userId, sid, new Date(now.getTime() - longestCopyMs), now)
    const revoked = await forgettingOnFailure(cache, sids, () => sessions.revokeMany(sids, reason, now))
    for (const other of sids) statistics.ended(other)
    await Promise.all(sids.map((other) => cache.bury(other)))
    return { revoked, sids }
  }
}
