// Room `token`: what the tiers hold of a live session, how the truth is asked for it, and how a text becomes one again.
// Public fields only: a copy in Redis tells a reader nothing that the user's own profile would not.
import type { Truth } from '../cache/tiered-cache.ts'
import type { Clock } from '../clock.ts'
import type { PublicUser } from '../schemas/shapes.ts'
import type { SessionRepository } from '../session/session-repository.ts'
import { endOf, isLive } from '../session/session-rules.ts'
import type { UserRecord } from '../user/user-record.ts'
import { deepFrozen, plainView, type UserView } from '../user/user-view.ts'

export interface SessionCopy {
  readonly user: Readonly<PublicUser>
  /** Of the account when it was read: a copy of its profile that is older is out of date. */
  readonly version: number
}

export const sessionCopyOf = (view: UserView, user: UserRecord): SessionCopy => ({ user: view.publicUser(user), version: user.version })

/** @returns undefined for a text that is no copy: somebody else wrote it, or another version of this service */
export function decodeSessionCopy (text: string, view: UserView = plainView): SessionCopy | undefined {
  try {
    const { user, version, ...others } = JSON.parse(text) as { user: unknown, version: unknown }
    const isWhole = Number.isSafeInteger(version) && (version as number) >= 0 && Object.keys(others).length === 0
    return isWhole && view.isPublicUser(user) ? { user: deepFrozen(user), version: version as number } : undefined
  } catch {
    return undefined
  }
}

/** Asks MongoDB for a session and its user. */
export const loadSessionCopy = ({ sessions, view = plainView, clock }: { sessions: Pick<SessionRepository, 'findWithUser'>, view?: UserView, clock: Clock }) =>
  async (sid: string): Promise<Truth<SessionCopy>> => {
    const found = await sessions.findWithUser(sid)
    if (found === null || found.user === null || !isLive(found.session, found.user, clock.wall())) return null
    return { value: sessionCopyOf(view, found.user), expiresAt: endOf(found.session) }
  }
