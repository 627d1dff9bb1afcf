// Room `token`: a user's sessions as a list of devices, each of which can be ended from any other. Nothing of somebody
// else's is told: an id that is not the user's own is not there.
import type { TieredCache } from '../cache/tiered-cache.ts'
import type { Clock } from '../clock.ts'
import { LatchkeyError } from '../errors.ts'
import { parseTimeCursor, timeCursor } from '../schemas/time-cursor.ts'
import type { SessionRepository } from '../session/session-repository.ts'
import type { Member, SessionRecord } from '../session/session-rules.ts'
import type { UserRepository } from '../user/user-repository.ts'
import type { Audit } from './audit.ts'
import type { Tell } from './host-hooks.ts'
import type { Client, Revoke, RevokeOthers, SignedOut } from './revocation.ts'
import type { SessionCopy } from './session-copy.ts'

export interface DevicePage { readonly sessions: readonly SessionRecord[], readonly nextCursor: string | null }

export interface Devices {
  /**
   * Live sessions, newest first.
   * @throws LatchkeyError `validation_failed` for a cursor of another list, `session_revoked` if the account is gone
   */
  list: (member: Member, page: { limit: number, cursor: string | undefined }) => Promise<DevicePage>
  /** Ends one session of the user, also one that had ended. @throws LatchkeyError `not_found` if it is nobody's or somebody else's */
  end: (member: Member, sid: string, client: Client) => Promise<void>
  /** Ends every session of the user but the one that asks. */
  endOthers: (member: Member, client: Client) => Promise<SignedOut>
}

export interface DevicesOptions {
  users: UserRepository
  sessions: SessionRepository
  cache: TieredCache<SessionCopy>
  revoke: Revoke
  revokeOthers: RevokeOthers
  clock: Clock
  audit: Audit
  tellHost: Tell
}

export function createDevices ({ users, sessions, cache, revoke, revokeOthers, clock, audit, tellHost }: DevicesOptions): Devices {
  return {
    async list ({ userId }, { limit, cursor }) {
      const after = parseTimeCursor(cursor)
      const user = await users.findById(userId)
      if (user === null) throw new LatchkeyError('session_revoked')
      const found = await sessions.listLive(userId, user.tokenVersion, new Date(clock.wall()), { limit: limit + 1, after })
      const shown = found.slice(0, limit)
      const last = shown.at(-1)
      return { sessions: shown, nextCursor: found.length > limit && last !== undefined ? timeCursor({ time: last.createdAt, id: last._id }) : null }
    },

    async end ({ userId }, sid, client) {
      const session = await sessions.find(sid)
      if (session === null || session.userId !== userId) throw new LatchkeyError('not_found')
      if (session.revokedAt !== null) return await cache.bury(sid) // whoever ended it may have died before they could tell
      if (await revoke(sid, 'device') === null) return
      audit('session_ended', client, { userId, sid })
      await tellHost('onSignedOut', client, { userId, sid, reason: 'session_ended', revoked: 1 })
    },

    async endOthers (member, client) {
      const ended = await revokeOthers(member, 'other_devices')
      if (ended.revoked > 0) {
        audit('other_sessions_ended', client, member)
        await tellHost('onSignedOut', client, { ...member, reason: 'other_sessions_ended', revoked: ended.revoked })
      }
      return ended
    }
  }
}
