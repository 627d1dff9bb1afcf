// Room `user`: the accounts in MongoDB. One document per account and per change; two unique indexes decide who was first.
import type { Collection, Db } from 'mongodb'
import { isDuplicateKey, LatchkeyError } from '../errors.ts'
import { acknowledged, bounded } from './store-options.ts'
import type { UserRecord } from './user-record.ts'

export interface UserRepository {
  /** Makes the unique indexes; until this has resolved nobody may register. */
  ensureIndexes: () => Promise<void>
  /** @throws LatchkeyError `email_taken` or `username_taken` */
  insert: (user: UserRecord) => Promise<void>
  findById: (id: string) => Promise<UserRecord | null>
  findByEmailKey: (emailKey: string) => Promise<UserRecord | null>
  findByUsernameKey: (usernameKey: string) => Promise<UserRecord | null>
  /** Replaces a hash by one of the same password, unless it was changed meanwhile. */
  upgradeHash: (id: string, from: string, to: string) => Promise<void>
  /**
   * One write that ends every token of a user.
   * @returns the new tokenVersion, or null if there is no such user
   */
  bumpTokenVersion: (id: string, now: Date) => Promise<number | null>
}

export function createUserRepository (db: Db): UserRepository {
  const users: Collection<UserRecord> = db.collection<UserRecord>('users', acknowledged)
  return {
    async ensureIndexes () {
      await users.createIndex({ emailKey: 1 }, { unique: true })
      await users.createIndex({ usernameKey: 1 }, { unique: true })
    },
    async insert (user) {
      try {
        await users.insertOne(user)
      } catch (error) {
        if (!isDuplicateKey(error)) throw error
        const { keyPattern } = error as { keyPattern?: Record<string, unknown> }
        throw new LatchkeyError(keyPattern !== undefined && 'usernameKey' in keyPattern ? 'username_taken' : 'email_taken')
      }
    },
    findById: (id) => users.findOne({ _id: id }, bounded),
    findByEmailKey: (emailKey) => users.findOne({ emailKey }, bounded),
    findByUsernameKey: (usernameKey) => users.findOne({ usernameKey }, bounded),
    async upgradeHash (id, from, to) {
      await users.updateOne({ _id: id, passwordHash: from }, { $set: { passwordHash: to } })
    },
    async bumpTokenVersion (id, now) {
      const user = await users.findOneAndUpdate(
        { _id: id },
        { $inc: { tokenVersion: 1, version: 1 }, $set: { updatedAt: now } },
        { returnDocument: 'after', projection: { tokenVersion: 1 }, ...bounded }
      )
      return user?.tokenVersion ?? null
    }
  }
}
