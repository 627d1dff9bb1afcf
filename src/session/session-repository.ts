// Room `session`: the sessions in MongoDB, the truth about who is signed in. Each change of state is one conditional
// write that says who was first; whoever lost is told so.
import type { Db } from 'mongodb'
import type { TimeCursor } from '../schemas/time-cursor.ts'
import { acknowledgedCollection, bounded, isEmbedded } from '../user/store-options.ts'
import type { UserRecord } from '../user/user-record.ts'
import type { RevokedReason, SessionRecord } from './session-rules.ts'

export interface SessionWithUser { readonly session: SessionRecord, readonly user: UserRecord | null }

export interface SessionRepository {
  ensureIndexes: () => Promise<void>
  insert: (session: SessionRecord) => Promise<void>
  find: (sid: string) => Promise<SessionRecord | null>
  /** A session and the account that it belongs to, null if that is gone. */
  findWithUser: (sid: string) => Promise<SessionWithUser | null>
  /**
   * Moves a live session from one generation to the next.
   * @param now time of the caller, milliseconds; `rotatedAt` is MongoDB's
   * @param expiresAt new end by idleness; the absolute end stays where it is
   * @returns the session after the move, or null for the one who lost
   */
  rotate: (sid: string, generation: number, now: number, expiresAt: Date) => Promise<SessionRecord | null>
  /** A session and the milliseconds since its last rotation by MongoDB's clock (Infinity before the first). */
  findSinceRotation: (sid: string) => Promise<{ session: SessionRecord, sinceRotationMs: number } | null>
  /** @returns the user's id for the caller that ended it, null if it had ended or never was */
  revoke: (sid: string, reason: RevokedReason, now: Date) => Promise<string | null>
  /** Sids opened under an older tokenVersion that are live or were ended since `since`: copies of them may still be about. */
  findOlder: (userId: string, tokenVersion: number, since: Date, now: Date) => Promise<string[]>
  /** Ends the live sessions that were opened under an older tokenVersion. @returns how many this call ended */
  revokeOlder: (userId: string, tokenVersion: number, reason: RevokedReason, now: Date) => Promise<number>
  /** Sids of the user's other sessions that are live or were ended since `since`. */
  findOthers: (userId: string, sid: string, since: Date, now: Date) => Promise<string[]>
  /** Ends those that are live. @returns how many this call ended */
  revokeMany: (sids: readonly string[], reason: RevokedReason, now: Date) => Promise<number>
  /** A user's live sessions that were opened under `tokenVersion`, newest first. */
  listLive: (userId: string, tokenVersion: number, now: Date, page: { limit: number, after?: TimeCursor | undefined }) => Promise<SessionRecord[]>
  /**
   * Sessions that ended at `cutoff` or before, those that ended first first.
   * @param from leaves out what ended earlier: walked past once already. MongoDB's index would otherwise walk through what was
   * just taken out there, again with every batch, until its next checkpoint
   */
  findEnded: (cutoff: Date, limit: number, from?: Date) => Promise<{ sid: string, endedAt: Date }[]>
  /** Takes out those of them that did. @returns how many */
  deleteEnded: (sids: readonly string[], cutoff: Date) => Promise<number>
  /** Sessions in the order of their ids behind `after`, live or not; ends in milliseconds since the epoch, 0 for one that was revoked. */
  walkEnds: (after: string, limit: number) => Promise<[sid: string, endsAt: number][]>
  /** Those of the sids whose sessions live. */
  liveAmong: (sids: readonly string[], now: Date) => Promise<Set<string>>
  /** Notes when sessions were seen, unless they were seen later; best effort. */
  markSeen: (sids: readonly string[], at: Date) => Promise<void>
  /** Sids of the user's live sessions, newest first, beyond the newest `keep`. */
  liveSids: (userId: string, now: Date, keep?: number) => Promise<string[]>
  /** The visit that a session points at, null if at none yet; null for a session that never was. */
  visitOf: (sid: string) => Promise<{ visitId: string | null, isRevoked: boolean } | null>
  /** Moves that pointer on. @returns false for the one who lost */
  pointAtVisit: (sid: string, from: string | null, to: string) => Promise<boolean>
}

/** Seconds that a session is kept after its end, so that a late refresh is told what happened. */
export const keptSeconds = 3600

/**
 * For many ids with a condition on their end. Unasked, MongoDB takes the index on ends from 200 ids on and walks through
 * everything that has ended (measured: 100,000 documents and 600 ms for each batch of 200; by their ids 3 ms).
 */
const byId = Object.freeze({ hint: { _id: 1 } })

/** For what may be lost with a crash, because it is done again or nobody misses it: no request waits for a disk behind it. */
const unjournaled = Object.freeze({ writeConcern: { w: 1 as const } })

export function createSessionRepository (db: Db): SessionRepository {
  const sessions = acknowledgedCollection<SessionRecord>(db, 'usersession')
  const users = acknowledgedCollection<UserRecord>(db, 'users')

  /** One command costs the driver half of what two cost, which is what a check that MongoDB answers consists of (docs/performance). */
  async function findTogether (sid: string): Promise<SessionWithUser | null> {
    const [found] = await sessions.aggregate<SessionRecord & { users: UserRecord[] }>([
      { $match: { _id: sid } },
      { $lookup: { from: 'users', localField: 'userId', foreignField: '_id', as: 'users' } }
    ], bounded).toArray()
    if (found === undefined) return null
    const { users: [user = null], ...session } = found
    return { session, user }
  }

  /** The embedded store would look at every account. */
  async function findApart (sid: string): Promise<SessionWithUser | null> {
    const session = await sessions.findOne({ _id: sid }, bounded)
    return session && { session, user: await users.findOne({ _id: session.userId }, bounded) }
  }

  return {
    async ensureIndexes () {
      await sessions.createIndex({ userId: 1, createdAt: -1, _id: -1 })
      await sessions.createIndex({ expiresAt: 1 }, { expireAfterSeconds: keptSeconds }) // beside the job; it may be late or off
    },
    async insert (session) { await sessions.insertOne(session) },
    find: (sid) => sessions.findOne({ _id: sid }, bounded),
    findWithUser: isEmbedded(db) ? findApart : findTogether,
    rotate: (sid, generation, now, expiresAt) => sessions.findOneAndUpdate(
      { _id: sid, generation, revokedAt: null, expiresAt: { $gt: new Date(now) }, absoluteExpiresAt: { $gt: new Date(now) } },
      [{
        $set: {
          generation: generation + 1,
          rotatedAt: '$$NOW',
          lastSeenAt: new Date(now),
          expiresAt: { $min: [expiresAt, '$absoluteExpiresAt'] }
        }
      }],
      { returnDocument: 'after', ...bounded }
    ),
    async findSinceRotation (sid) {
      const [found] = await sessions.aggregate<SessionRecord & { sinceRotationMs: number | null }>([
        { $match: { _id: sid } },
        { $set: { sinceRotationMs: { $subtract: ['$$NOW', '$rotatedAt'] } } }
      ], bounded).toArray()
      if (found === undefined) return null
      const { sinceRotationMs, ...session } = found
      return { session, sinceRotationMs: sinceRotationMs ?? Infinity }
    },
    async revoke (sid, revokedReason, now) {
      const ended = await sessions.findOneAndUpdate(
        { _id: sid, revokedAt: null },
        { $set: { revokedAt: now, revokedReason } },
        { projection: { userId: 1 }, ...bounded }
      )
      return ended?.userId ?? null
    },
    async findOlder (userId, tokenVersion, since, now) {
      const about = { userId, tokenVersion: { $lt: tokenVersion }, expiresAt: { $gt: now }, $or: [{ revokedAt: null }, { revokedAt: { $gt: since } }] }
      const found = await sessions.find(about, { projection: { _id: 1 }, ...bounded }).toArray()
      return found.map((session) => session._id)
    },
    async revokeOlder (userId, tokenVersion, revokedReason, now) {
      const older = { userId, revokedAt: null, tokenVersion: { $lt: tokenVersion }, expiresAt: { $gt: now } }
      const { modifiedCount } = await sessions.updateMany(older, { $set: { revokedAt: now, revokedReason } }, bounded)
      return modifiedCount
    },
    async findOthers (userId, sid, since, now) {
      const about = { userId, _id: { $ne: sid }, expiresAt: { $gt: now }, $or: [{ revokedAt: null }, { revokedAt: { $gt: since } }] }
      return (await sessions.find(about, { projection: { _id: 1 }, ...bounded }).toArray()).map((session) => session._id)
    },
    async revokeMany (sids, revokedReason, now) {
      if (sids.length === 0) return 0
      const { modifiedCount } = await sessions.updateMany({ _id: { $in: [...sids] }, revokedAt: null }, { $set: { revokedAt: now, revokedReason } }, bounded)
      return modifiedCount
    },
    listLive (userId, tokenVersion, now, { limit, after }) {
      const place = after && { $or: [{ createdAt: { $lt: after.time } }, { createdAt: after.time, _id: { $lt: after.id } }] }
      return sessions.find({ userId, tokenVersion, revokedAt: null, expiresAt: { $gt: now }, ...place }, { sort: { createdAt: -1, _id: -1 }, limit, ...bounded }).toArray()
    },
    async findEnded (cutoff, limit, from) {
      const found = await sessions.find({ expiresAt: { ...(from && { $gte: from }), $lte: cutoff } }, { projection: { expiresAt: 1 }, sort: { expiresAt: 1 }, limit, ...bounded }).toArray()
      return found.map(({ _id, expiresAt }) => ({ sid: _id, endedAt: expiresAt }))
    },
    async deleteEnded (sids, cutoff) {
      const { deletedCount } = await sessions.deleteMany({ _id: { $in: [...sids] }, expiresAt: { $lte: cutoff } }, { ...byId, ...bounded, ...unjournaled })
      return deletedCount
    },
    async walkEnds (after, limit) {
      const found = await sessions.find({ _id: { $gt: after } }, { projection: { expiresAt: 1, revokedAt: 1 }, sort: { _id: 1 }, limit, ...bounded }).toArray()
      return found.map(({ _id, expiresAt, revokedAt }) => [_id, revokedAt === null ? expiresAt.getTime() : 0])
    },
    async liveAmong (sids, now) {
      const live = await sessions.find({ _id: { $in: [...sids] }, revokedAt: null, expiresAt: { $gt: now } }, { projection: { _id: 1 }, ...byId, ...bounded }).toArray()
      return new Set(live.map((session) => session._id))
    },
    async markSeen (sids, at) {
      await sessions.updateMany({ _id: { $in: [...sids] }, revokedAt: null }, { $max: { lastSeenAt: at } }, { ...byId, ...bounded, ...unjournaled }) // lists alone read it
    },
    async liveSids (userId, now, keep = 0) {
      const live = { userId, revokedAt: null, expiresAt: { $gt: now } }
      const found = await sessions.find(live, { projection: { _id: 1 }, sort: { createdAt: -1 }, skip: keep, ...bounded }).toArray()
      return found.map((session) => session._id)
    },
    async visitOf (sid) {
      const session = await sessions.findOne({ _id: sid }, { projection: { visitId: 1, revokedAt: 1 }, ...bounded })
      return session === null ? null : { visitId: session.visitId ?? null, isRevoked: session.revokedAt !== null }
    },
    async pointAtVisit (sid, from, to) {
      const { matchedCount } = await sessions.updateOne({ _id: sid, revokedAt: null, ...(from === null ? { visitId: { $exists: false } } : { visitId: from }) }, { $set: { visitId: to } })
      return matchedCount === 1
    }
  }
}
