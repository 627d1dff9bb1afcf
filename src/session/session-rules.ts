// Room `session`: what a session is and when it counts. Pure: a record and a time in, an answer out.

/** One document of `usersession`: one login on one device. Its `_id` is the sid. */
export interface SessionRecord {
  _id: string
  userId: string
  /** The user's tokenVersion when the session was opened; if the user's has moved on, the session is over. */
  tokenVersion: number
  /** How often the refresh token was rotated; the one token that may be used carries this number. */
  generation: number
  /** When it was last rotated, by MongoDB's clock. */
  rotatedAt: Date | null
  device: Device
  ip: string
  userAgent: string
  createdAt: Date
  lastSeenAt: Date
  /** End by idleness; moved by each rotation, never past `absoluteExpiresAt`. */
  expiresAt: Date
  absoluteExpiresAt: Date
  revokedAt: Date | null
  revokedReason: RevokedReason | null
  /** The visit that was begun under it last; absent before the first. */
  visitId?: string
}

/** The account and the login on one device behind a request. */
export interface Member { readonly userId: string, readonly sid: string }

/** ... as a request brings it, with the version of the account that the copy of the session has. */
export interface SeenMember extends Member { readonly accountVersion: number }

/** What a person would call the device. */
export interface Device { type: string, os: string | null, browser: string | null }

export type RevokedReason = 'logout' | 'logout_all' | 'password_changed' | 'device' | 'other_devices' | 'refresh_token_reused' | 'session_limit' | 'token_version_moved'

/** Milliseconds since the epoch at which the session ends unless something is done. */
export const endOf = (session: Pick<SessionRecord, 'expiresAt' | 'absoluteExpiresAt'>): number =>
  Math.min(session.expiresAt.getTime(), session.absoluteExpiresAt.getTime())

export const isExpired = (session: Pick<SessionRecord, 'expiresAt' | 'absoluteExpiresAt'>, now: number): boolean => endOf(session) <= now

/** Whether the session may answer for its user. A user who is gone has no sessions. */
export const isLive = (session: SessionRecord, user: { _id: string, tokenVersion: number } | null, now: number): boolean =>
  session.revokedAt === null && !isExpired(session, now) &&
  user !== null && user._id === session.userId && user.tokenVersion === session.tokenVersion
