// Room `import`: the target, many records at a time. Nothing that is there is ever changed: what a unique index refuses
// comes back to the caller.
import type { Db, MongoBulkWriteError } from 'mongodb'
import { isDuplicateKey } from '../errors.ts'
import type { SessionRecord } from '../session/session-rules.ts'
import { acknowledgedCollection, bounded, type AcknowledgedCollection } from '../user/store-options.ts'
import type { UserRecord } from '../user/user-record.ts'

/** What no two accounts may share. */
export type Names = Pick<UserRecord, '_id' | 'emailKey' | 'usernameKey'>

export interface ImportStore {
  /** Collections that hold documents which are none of ours. */
  foreign: () => Promise<string[]>
  /** The names of every account that holds one of these names. */
  findNames: (wanted: readonly Names[]) => Promise<Names[]>
  /** The tokenVersion of each of these users who is there. */
  findVersions: (userIds: readonly string[]) => Promise<Map<string, number>>
  findSids: (sids: readonly string[]) => Promise<Set<string>>
  /** @returns those that a unique index refused */
  insertUsers: (users: readonly UserRecord[]) => Promise<UserRecord[]>
  /** @returns those that were there already */
  insertSessions: (sessions: readonly SessionRecord[]) => Promise<SessionRecord[]>
}

const namesOnly = { projection: { emailKey: 1, usernameKey: 1 }, ...bounded }

export function createImportStore (db: Db): ImportStore {
  const users = acknowledgedCollection<UserRecord>(db, 'users')
  const sessions = acknowledgedCollection<SessionRecord>(db, 'usersession')
  return {
    async foreign () {
      const [user, session] = await Promise.all([
        users.findOne({ emailKey: { $exists: false } }, { projection: { _id: 1 }, ...bounded }),
        sessions.findOne({ absoluteExpiresAt: { $exists: false } }, { projection: { _id: 1 }, ...bounded })
      ])
      return [...(user === null ? [] : ['users']), ...(session === null ? [] : ['usersession'])]
    },
    async findNames (wanted) {
      const known = await users.find({ _id: { $in: wanted.map(({ _id }) => _id) } }, namesOnly).toArray()
      const there = new Set(known.map(({ _id }) => _id))
      const others = wanted.filter(({ _id }) => !there.has(_id)).flatMap(({ emailKey, usernameKey }) => [{ emailKey }, { usernameKey }])
      return others.length === 0 ? known : [...known, ...await users.find({ $or: others }, namesOnly).toArray()]
    },
    async findVersions (userIds) {
      const found = await users.find({ _id: { $in: [...new Set(userIds)] } }, { projection: { tokenVersion: 1 }, ...bounded }).toArray()
      return new Map(found.map(({ _id, tokenVersion }) => [_id, tokenVersion]))
    },
    async findSids (sids) {
      const found = await sessions.find({ _id: { $in: [...sids] } }, { projection: { _id: 1 }, ...bounded }).toArray()
      return new Set(found.map(({ _id }) => _id))
    },
    insertUsers: (records) => insertAll(users, records),
    insertSessions: (records) => insertAll(sessions, records)
  }
}

async function insertAll<T extends { _id: string }> (collection: AcknowledgedCollection<T>, records: readonly T[]): Promise<T[]> {
  if (records.length === 0) return []
  try {
    await collection.bulkWrite(records.map((document) => ({ insertOne: { document } })) as never, { ordered: false })
    return []
  } catch (error) {
    const { writeErrors = [], result } = error as MongoBulkWriteError
    const failures = [writeErrors].flat()
    // beside duplicates, some may not have reached the majority: then nobody may be told that they are in
    const isUnsure = result?.getWriteConcernError?.() !== undefined
    if (failures.length === 0 || isUnsure || !failures.every(isDuplicateKey)) throw error
    return failures.map(({ index }) => records[index] as T)
  }
}
