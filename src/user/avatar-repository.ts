// Room `user`: the pictures in MongoDB, on no instance's disk. A picture is written once and never changed.
import type { Db, Filter, FindOptions } from 'mongodb'
import type { AvatarRecord } from './avatar-record.ts'
import { acknowledgedCollection, bounded } from './store-options.ts'

/** A picture without its bytes. */
export type AvatarOwner = Pick<AvatarRecord, '_id' | 'userId'>

export interface AvatarRepository {
  ensureIndexes: () => Promise<void>
  insert: (avatar: AvatarRecord) => Promise<void>
  find: (id: string) => Promise<AvatarRecord | null>
  /** @param key what the ids of one account's pictures begin with */
  findNewest: (key: string) => Promise<AvatarRecord | null>
  delete: (id: string) => Promise<void>
  /** Whose the pictures are, by user and id, from behind `after` on: a walk through the index, in bounded steps. */
  listOwners: (after: AvatarOwner | null, limit: number) => Promise<AvatarOwner[]>
  /** Deletes those of these that are older. @returns how many */
  deleteOld: (ids: readonly string[], before: Date) => Promise<number>
}

const owners = { userId: 1, _id: 1 } as const

/** The driver would wrap bytes; the embedded store gives buffers anyway. */
const withBytes: FindOptions = { promoteBuffers: true, ...bounded }

export function createAvatarRepository (db: Db): AvatarRepository {
  const avatars = acknowledgedCollection<AvatarRecord>(db, 'avatars')

  const walk = (filter: Filter<AvatarRecord>, limit: number): Promise<AvatarOwner[]> =>
    avatars.find<AvatarOwner>(filter, { projection: { _id: 1, userId: 1 }, sort: owners, hint: owners, limit, ...bounded }).toArray()

  return {
    async ensureIndexes () { await avatars.createIndex(owners) },
    async insert (avatar) { await avatars.insertOne(avatar) },
    find: (id) => avatars.findOne({ _id: id }, withBytes),
    findNewest: (key) => avatars.findOne({ _id: { $gte: `${key}.`, $lt: `${key}/` } }, { sort: { createdAt: -1 }, ...withBytes }),
    async delete (id) { await avatars.deleteOne({ _id: id }) },
    async listOwners (after, limit) {
      if (after === null) return await walk({}, limit)
      // in two parts: for one query with `$or` the server would read the pictures
      const same = await walk({ userId: after.userId, _id: { $gt: after._id } }, limit)
      return same.length === limit ? same : [...same, ...await walk({ userId: { $gt: after.userId } }, limit - same.length)]
    },
    async deleteOld (ids, before) {
      const { deletedCount } = await avatars.deleteMany({ _id: { $in: [...ids] }, createdAt: { $lt: before } }, bounded)
      return deletedCount
    }
  }
}
