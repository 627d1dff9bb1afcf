// Room `user`: the accounts in MongoDB. One document per account and per change; two unique indexes decide who was first.
import type { Collection, Db } from 'mongodb'
import { isDuplicateKey, LatchkeyError } from '../errors.ts'
import { acknowledged, bounded } from './store-options.ts'
import type { Preferences } from '../schemas/shapes.ts'
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
  /** Sets the preferences that are given and leaves the others alone. @returns the user afterwards, null if there is none */
  setPreferences: (id: string, chosen: Partial<Preferences>, now: Date) => Promise<UserRecord | null>
  /** Sets the preferences that the user has never set. @returns the user afterwards, null if nothing was to be set */
  fillPreferences: (id: string, chosen: Partial<Preferences>, now: Date) => Promise<UserRecord | null>
  /** @returns the user afterwards, null if nobody has this address */
  setRole: (emailKey: string, role: UserRecord['role'], now: Date) => Promise<UserRecord | null>
  /**
   * One write that ends every token of a user.
   * @returns the new tokenVersion, or null if there is no such user
   */
  bumpTokenVersion: (id: string) => Promise<number | null>
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
    setPreferences: (id, chosen, now) => users.findOneAndUpdate(
      { _id: id },
      { $set: { ...Object.fromEntries(Object.entries(chosen).map(([name, value]) => [`preferences.${name}`, value])), updatedAt: now }, $inc: { version: 1 } },
      { returnDocument: 'after', ...bounded }
    ),
    fillPreferences: (id, chosen, now) => users.findOneAndUpdate(
      { _id: id, $or: Object.keys(chosen).map((name) => ({ [`preferences.${name}`]: { $exists: false } })) },
      [{ $set: { preferences: { $mergeObjects: [{ $literal: chosen }, '$preferences'] }, updatedAt: now, version: { $add: ['$version', 1] } } }],
      { returnDocument: 'after', ...bounded }
    ),
    setRole: (emailKey, role, now) => users.findOneAndUpdate(
      { emailKey },
      { $set: { role, updatedAt: now }, $inc: { version: 1 } },
      { returnDocument: 'after', ...bounded }
    ),
    async bumpTokenVersion (id) {
      const user = await users.findOneAndUpdate(
        { _id: id },
        { $inc: { tokenVersion: 1 } }, // nothing that the account shows
        { returnDocument: 'after', projection: { tokenVersion: 1 }, ...bounded }
      )
      return user?.tokenVersion ?? null
    }
  }
}
