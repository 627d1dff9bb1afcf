// Room `token`: what the tiers hold of a live session, how the truth is asked for it, and how a text becomes one again.
// Public fields only: a copy in Redis tells a reader nothing that the user's own profile would not.
import { Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { Truth } from '../cache/tiered-cache.ts'
import type { Clock } from '../clock.ts'
import { closed, PublicUser } from '../schemas/shapes.ts'
import type { SessionRepository } from '../session/session-repository.ts'
import { endOf, isLive } from '../session/session-rules.ts'
import { publicUser, type UserRecord } from '../user/user-record.ts'

export interface SessionCopy {
  readonly user: Readonly<PublicUser>
  /** Of the account when it was read: a copy of its profile that is older is out of date. */
  readonly version: number
}

export const sessionCopyOf = (user: UserRecord): SessionCopy => ({ user: publicUser(user), version: user.version })

const copyCheck = TypeCompiler.Compile(closed({ user: PublicUser, version: Type.Integer({ minimum: 0 }) }))

/** @returns undefined for a text that is no copy: somebody else wrote it, or another version of this service */
export function decodeSessionCopy (text: string): SessionCopy | undefined {
  try {
    const copy: unknown = JSON.parse(text)
    return copyCheck.Check(copy) ? { user: Object.freeze(copy.user), version: copy.version } : undefined
  } catch {
    return undefined
  }
}

/** Asks MongoDB for a session and its user. */
export const loadSessionCopy = ({ sessions, clock }: { sessions: Pick<SessionRepository, 'findWithUser'>, clock: Clock }) =>
  async (sid: string): Promise<Truth<SessionCopy>> => {
    const found = await sessions.findWithUser(sid)
    if (found === null || found.user === null || !isLive(found.session, found.user, clock.wall())) return null
    return { value: sessionCopyOf(found.user), expiresAt: endOf(found.session) }
  }
