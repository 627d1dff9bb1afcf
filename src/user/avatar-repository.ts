// Room `user`: the pictures in MongoDB, on no instance's disk. A picture is written once and never changed.
import type { Collection, Db, FindOptions } from 'mongodb'
import type { AvatarRecord } from './avatar-record.ts'
import { acknowledged, bounded } from './store-options.ts'

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
  const avatars: Collection<AvatarRecord> = db.collection<AvatarRecord>('avatars', acknowledged)
  return {
    async ensureIndexes () { await avatars.createIndex(owners) },
    async insert (avatar) { await avatars.insertOne(avatar) },
    find: (id) => avatars.findOne({ _id: id }, withBytes),
    findNewest: (key) => avatars.findOne({ _id: { $gte: `${key}.`, $lt: `${key}/` } }, { sort: { createdAt: -1 }, ...withBytes }),
    async delete (id) { await avatars.deleteOne({ _id: id }) },
    listOwners (after, limit) {
      // both conditions: the first bounds the walk, the second finds the place among the pictures of one user
      const behind = after === null ? {} : { userId: { $gte: after.userId }, $or: [{ userId: { $gt: after.userId } }, { _id: { $gt: after._id } }] }
      return avatars.find<AvatarOwner>(behind, { projection: { _id: 1, userId: 1 }, sort: owners, hint: owners, limit, ...bounded }).toArray()
    },
    async deleteOld (ids, before) {
      const { deletedCount } = await avatars.deleteMany({ _id: { $in: [...ids] }, createdAt: { $lt: before } }, bounded)
      return deletedCount
    }
  }
}
