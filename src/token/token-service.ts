// Room `token`: opens, refreshes and renews sessions. MongoDB is asked first and decides; the tiers hear of it
// afterwards, and a fill that began before a revocation is dropped there (DESIGN 4 and 5).
import type { TieredCache } from '../cache/tiered-cache.ts'
import type { Clock } from '../clock.ts'
import { LatchkeyError, unavailable } from '../errors.ts'
import type { PublicUser } from '../schemas/shapes.ts'
import { deviceOf, mostUserAgentLength } from '../session/device.ts'
import type { SessionRepository } from '../session/session-repository.ts'
import type { Statistics } from '../session/statistics.ts'
import { endOf, isExpired, isLive, type SessionRecord } from '../session/session-rules.ts'
import type { UserRecord } from '../user/user-record.ts'
import type { UserRepository } from '../user/user-repository.ts'
import { plainView, type UserView } from '../user/user-view.ts'
import type { AccessTokens } from './access-token.ts'
import type { Audit } from './audit.ts'
import type { Tell } from './host-hooks.ts'
import type { RefreshClaim, RefreshTokens } from './refresh-token.ts'
import type { Client, Revoke } from './revocation.ts'
import { sessionCopyOf, type SessionCopy } from './session-copy.ts'

/** A session and what its owner gets of it. */
export interface Issued {
  readonly user: Readonly<PublicUser>
  readonly session: SessionRecord
  readonly accessToken: string
  readonly expiresInSeconds: number
  /** Absent when an access token renewed itself. */
  readonly refreshToken?: string
  readonly refreshExpiresInSeconds: number
}

export interface TokenService {
  /**
   * A new session for a user whose password was right.
   * @throws LatchkeyError `invalid_credentials` if the password was changed meanwhile, `unavailable`
   */
  open: (user: UserRecord, client: Client) => Promise<Issued>
  /** @throws LatchkeyError `refresh_token_invalid`, `_expired`, `_reused`, `session_revoked`, `unavailable` */
  refresh: (text: string, client: Client) => Promise<Issued>
  /** A new access token for a still valid one; the session's end stays. @throws LatchkeyError as the check does */
  renew: (accessToken: string) => Promise<Issued>
}

export interface TokenServiceOptions {
  users: UserRepository
  view?: UserView
  sessions: SessionRepository
  cache: TieredCache<SessionCopy>
  revoke: Revoke
  accessTokens: AccessTokens
  refreshTokens: RefreshTokens
  clock: Clock
  randomBytes: (size: number) => Buffer
  /** Milliseconds after which a session that is not refreshed ends. */
  idleMs: number
  /** Milliseconds after which a session ends in any case. */
  absoluteMs: number
  /** Milliseconds after a rotation in which the spent token still gets its successor. */
  graceMs: number
  sessionsPerUser: number
  statistics: Pick<Statistics, 'opened'>
  audit: Audit
  tellHost: Tell
}

export function createTokenService (options: TokenServiceOptions): TokenService {
  const { users, view = plainView, sessions, cache, revoke, accessTokens, refreshTokens, clock, randomBytes, idleMs, absoluteMs, graceMs, sessionsPerUser, statistics, audit, tellHost } = options

  function issued (user: Readonly<PublicUser>, session: SessionRecord, withRefresh = true): Issued {
    const end = endOf(session)
    const access = accessTokens.issue(user, session._id, end)
    return {
      user,
      session,
      accessToken: access.text,
      expiresInSeconds: access.expiresInSeconds,
      ...(withRefresh && { refreshToken: refreshTokens.derive({ sid: session._id, generation: session.generation }) }),
      refreshExpiresInSeconds: Math.max(0, Math.round((end - clock.wall()) / 1000))
    }
  }

  function recordFor (user: UserRecord, client: Client): SessionRecord {
    const now = clock.wall()
    const userAgent = client.userAgent.slice(0, mostUserAgentLength)
    return {
      _id: randomBytes(16).toString('base64url'),
      userId: user._id,
      tokenVersion: user.tokenVersion,
      generation: 0,
      rotatedAt: null,
      device: deviceOf(userAgent),
      ip: client.address,
      userAgent,
      createdAt: new Date(now),
      lastSeenAt: new Date(now),
      expiresAt: new Date(now + Math.min(idleMs, absoluteMs)),
      absoluteExpiresAt: new Date(now + absoluteMs),
      revokedAt: null,
      revokedReason: null
    }
  }

  async function enforceLimit (userId: string): Promise<void> {
    for (const sid of await sessions.liveSids(userId, new Date(clock.wall()), sessionsPerUser)) await revoke(sid, 'session_limit')
  }

  /** The session for the loser of a rotation: the successor inside the grace, else an error. */
  async function settleLoss ({ sid, generation }: RefreshClaim, client: Client): Promise<SessionRecord> {
    const found = await sessions.findSinceRotation(sid)
    if (found === null || found.session.generation < generation) throw new LatchkeyError('refresh_token_invalid')
    const { session, sinceRotationMs } = found
    if (session.revokedAt !== null) throw new LatchkeyError('session_revoked')
    if (isExpired(session, clock.wall())) throw new LatchkeyError('refresh_token_expired')
    if (session.generation === generation) throw unavailable(new Error('a live session was not rotated'))
    if (session.generation === generation + 1 && sinceRotationMs < graceMs) return session
    await revoke(sid, 'refresh_token_reused')
    audit('refresh_token_reused', client, { userId: session.userId, sid })
    await tellHost('onReuseDetected', client, { userId: session.userId, sid })
    throw new LatchkeyError('refresh_token_reused')
  }

  return {
    async open (user, client) {
      for (let current = user, tries = 0; tries < 3; tries++) {
        view.publicUser(current) // a host's function that fails does so before anything is written
        const since = cache.now()
        const session = recordFor(current, client)
        await sessions.insert(session)
        const seen = await users.findById(user._id)
        if (seen?.tokenVersion === session.tokenVersion) {
          statistics.opened(session._id, endOf(session))
          await enforceLimit(user._id)
          const copy = sessionCopyOf(view, seen)
          await cache.fill(session._id, { value: copy, expiresAt: endOf(session) }, since)
          return issued(copy.user, session)
        }
        await revoke(session._id, 'token_version_moved')
        if (seen === null || seen.passwordHash !== user.passwordHash) throw new LatchkeyError('invalid_credentials')
        current = seen
      }
      throw unavailable(new Error('the account was changed at each try'))
    },

    async refresh (text, client) {
      const claim = refreshTokens.parse(text)
      if (claim === undefined) throw new LatchkeyError('refresh_token_invalid')
      const since = cache.now()
      const now = clock.wall()
      const found = await sessions.findWithUser(claim.sid)
      if (found === null) throw new LatchkeyError('refresh_token_invalid')
      const { user } = found
      if (user === null || user.tokenVersion !== found.session.tokenVersion) {
        await revoke(claim.sid, 'token_version_moved')
        throw new LatchkeyError('session_revoked')
      }
      // last of what MongoDB is asked: whatever fails has spent nothing, and what was spent is answered (docs/decisions/0021)
      const session = await sessions.rotate(claim.sid, claim.generation, now, new Date(now + idleMs)) ?? await settleLoss(claim, client)
      statistics.opened(session._id, endOf(session))
      const copy = sessionCopyOf(view, user)
      await cache.fill(session._id, { value: copy, expiresAt: endOf(session) }, since)
      await tellHost('onRefreshed', client, { userId: user._id, sid: session._id, user: copy.user })
      return issued(copy.user, session)
    },

    async renew (accessToken) {
      const { sid, sub } = accessTokens.read(accessToken)
      const [session, user] = await Promise.all([sessions.find(sid), users.findById(sub)])
      if (session === null || user === null || !isLive(session, user, clock.wall())) throw new LatchkeyError('session_revoked')
      return issued(view.publicUser(user), session, false)
    }
  }
}
