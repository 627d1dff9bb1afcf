// Room `token`: signing out, of this device and of all. It forgives dead tokens (RFC 7009 section 2.2), and what a token
// may end depends on what it proves.
import type { TieredCache } from '../cache/tiered-cache.ts'
import type { Clock } from '../clock.ts'
import { LatchkeyError } from '../errors.ts'
import type { SessionRepository } from '../session/session-repository.ts'
import { isLive } from '../session/session-rules.ts'
import type { UserRepository } from '../user/user-repository.ts'
import type { AccessTokens } from './access-token.ts'
import type { RefreshClaim, RefreshTokens } from './refresh-token.ts'
import type { Audit } from './audit.ts'
import type { Tell } from './host-hooks.ts'
import { forgettingOnFailure, type Client, type Revoke, type RevokeOlder, type SignedOut } from './revocation.ts'
import type { SessionCopy } from './session-copy.ts'

/** Tokens that a request brought, as texts. */
export interface Presented { readonly access: string | undefined, readonly refresh: string | undefined }

export interface SignOut {
  /** Ends the sessions of the tokens presented, expired access tokens included. */
  logout: (presented: Presented, client: Client) => Promise<SignedOut>
  /**
   * Ends every session of the user.
   * @throws LatchkeyError `token_missing`, `token_invalid`, `token_expired`, `refresh_token_invalid`, `unavailable`
   */
  logoutAll: (presented: Presented, client: Client) => Promise<SignedOut>
}

export interface SignOutOptions {
  users: UserRepository
  sessions: SessionRepository
  cache: TieredCache<SessionCopy>
  revoke: Revoke
  revokeOlder: RevokeOlder
  accessTokens: AccessTokens
  refreshTokens: RefreshTokens
  clock: Clock
  /** Milliseconds after a rotation in which the spent token still counts. */
  graceMs: number
  audit: Audit
  tellHost: Tell
}

const nothing: SignedOut = Object.freeze({ revoked: 0, sids: [] })

export function createSignOut ({ users, sessions, cache, revoke, revokeOlder, accessTokens, refreshTokens, clock, graceMs, audit, tellHost }: SignOutOptions): SignOut {
  /** Sessions that the presented tokens name; a token that proves nothing names none. */
  function sidsOf ({ access, refresh }: Presented): Set<string> {
    const sids = new Set<string>()
    try {
      if (access !== undefined) sids.add(accessTokens.read(access, { expired: true }).sid)
    } catch { /* not ours: names nothing */ }
    const claim = refresh === undefined ? undefined : refreshTokens.parse(refresh)
    if (claim !== undefined) sids.add(claim.sid)
    return sids
  }

  /** The session and user that the presented tokens prove, by the first token that is still good. */
  async function provenBy ({ access, refresh }: Presented): Promise<{ sid: string, userId: string } | undefined> {
    try {
      if (access !== undefined) {
        const { sid, sub } = accessTokens.read(access)
        return { sid, userId: sub }
      }
    } catch (error) {
      if (refresh === undefined) throw error
    }
    if (refresh === undefined) throw new LatchkeyError('token_missing')
    const claim = refreshTokens.parse(refresh)
    const found = claim === undefined ? null : await sessions.findSinceRotation(claim.sid)
    if (found === null) {
      if (claim === undefined) throw new LatchkeyError('refresh_token_invalid')
      return undefined
    }
    const { session, sinceRotationMs } = found
    const spent = session.generation - (claim as RefreshClaim).generation
    // a token that was spent before the grace may be a thief's: it may end its own session, not all of them
    if (spent > 1 || (spent === 1 && sinceRotationMs >= graceMs)) throw new LatchkeyError('refresh_token_invalid')
    return { sid: session._id, userId: session.userId }
  }

  return {
    async logout (presented, client) {
      if (presented.access === undefined && presented.refresh === undefined) throw new LatchkeyError('token_missing')
      const sids = [...sidsOf(presented)]
      let revoked = 0
      for (const sid of sids) {
        const userId = await revoke(sid, 'logout')
        if (userId === null) continue
        revoked++
        audit('logout', client, { userId, sid })
        await tellHost('onSignedOut', client, { userId, sid, reason: 'logout', revoked: 1 })
      }
      return { revoked, sids }
    },

    async logoutAll (presented, client) {
      const proven = await provenBy(presented)
      if (proven === undefined) return nothing
      const { sid, userId } = proven
      const [session, user] = await Promise.all([sessions.find(sid), users.findById(userId)])
      if (session === null || user === null) return nothing
      // a dead session may not end others, but it finishes what a logout-all began that died half-way
      const tokenVersion = isLive(session, user, clock.wall()) ? await users.bumpTokenVersion(userId) : user.tokenVersion
      if (tokenVersion === null) return nothing
      const { revoked, sids } = await forgettingOnFailure(cache, [sid], () => revokeOlder(userId, tokenVersion, 'logout_all'))
      if (revoked > 0) {
        audit('logout_all', client, { userId, sid })
        await tellHost('onSignedOut', client, { userId, sid, reason: 'logout_all', revoked })
      }
      return { revoked, sids }
    }
  }
}
