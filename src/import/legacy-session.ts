// Room `import`: from a session of the old service to one of ours. Pure. Of the token only its hash stays, as the sid; so a
// session is taken over if its token will be admitted by LEGACY_TOKENS, and ends when the token or the document said so.
import { deviceOf, mostUserAgentLength } from '../session/device.ts'
import type { SessionRecord } from '../session/session-rules.ts'
import { legacySid, unverifiedClaims } from '../token/legacy-token.ts'
import { dateOf, fieldIn, idOf, textIn, type LegacyDocument } from './legacy-document.ts'
import type { Mapped } from './legacy-user.ts'

/** A session before it is known which tokenVersion it was opened under. */
export type UntiedSession = Omit<SessionRecord, 'tokenVersion'>

export interface SessionRules {
  readonly now: Date
  /** Milliseconds that a session lives of which neither the document nor the token says when it ends. */
  readonly idleMs: number
}

/** Fields by which services say that a session is over while its document is still there. */
const endedIf: Record<string, (value: unknown) => boolean> = {
  revokedAt: () => true,
  revoked: (value) => value === true,
  isRevoked: (value) => value === true,
  active: (value) => value === false,
  isActive: (value) => value === false,
  valid: (value) => value === false,
  isValid: (value) => value === false
}

/** @returns null for a session that is over */
export function sessionFrom (document: LegacyDocument, { now, idleMs }: SessionRules): Mapped<UntiedSession> | null {
  if (Object.entries(endedIf).some(([name, isEnd]) => isEndBy(isEnd, fieldIn(document, name)))) return null
  const token = textIn(document, 'token', 'accessToken')
  if (token === undefined) return { reason: 'it has no token' }
  const claims = unverifiedClaims(token)
  if (claims === undefined) return { reason: 'its token is no JWT of the kind that LEGACY_TOKENS admits (HS256, no kid, an id of the user in its payload)' }
  const owner = ownerIn(document)
  if (owner !== undefined && idOf(owner) !== claims.userId) return { reason: 'its token names another user' }
  const stated = fieldIn(document, 'expiresAt')
  const statedEnd = dateOf(stated)
  if (stated !== undefined && statedEnd === undefined) return { reason: 'its expiresAt is no date' }

  const ends = [statedEnd?.getTime(), claims.exp === undefined ? undefined : claims.exp * 1000].filter((end) => end !== undefined)
  const end = new Date(ends.length > 0 ? Math.min(...ends) : now.getTime() + idleMs)
  if (end <= now) return null
  const begun = dateOf(fieldIn(document, 'createdAt')) ?? dateOf(claims.iat) ?? now
  const createdAt = begun > now ? now : begun
  const userAgent = (textIn(document, 'userAgent', 'deviceInfo') ?? '').slice(0, mostUserAgentLength)
  return {
    record: {
      _id: legacySid(token),
      userId: claims.userId,
      generation: 0,
      rotatedAt: null,
      device: deviceOf(userAgent),
      ip: (textIn(document, 'ip', 'ipAddress') ?? '').slice(0, mostAddressLength),
      userAgent,
      createdAt,
      lastSeenAt: createdAt,
      expiresAt: end,
      absoluteExpiresAt: end,
      revokedAt: null,
      revokedReason: null
    }
  }
}

/** An IPv6 address with an IPv4 one inside, written whole. */
const mostAddressLength = 45

const isEndBy = (isEnd: (value: unknown) => boolean, value: unknown): boolean => value !== undefined && isEnd(value)

/** The user whom the document names: an id, or a document that was filled in for it; undefined if it names none. */
function ownerIn (document: LegacyDocument): unknown {
  const owner = fieldIn(document, 'userId', 'user')
  const isDocument = typeof owner === 'object' && owner !== null && Object.getPrototypeOf(owner) === Object.prototype
  return isDocument ? fieldIn(owner as LegacyDocument, '_id', 'id') ?? null : owner
}
