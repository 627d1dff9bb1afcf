// Room `user`: the accounts in MongoDB. One document per account and per change; two unique indexes decide who was first.
import type { Db } from 'mongodb'
import { isDuplicateKey, LatchkeyError } from '../errors.ts'
import { acknowledgedCollection, bounded } from './store-options.ts'
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
  /**
   * Changes what the account shows of itself.
   * @param hash if given, only as long as this is the account's: the password that was checked still counts
   * @returns the user afterwards, null if there is none or the hash is another
   * @throws LatchkeyError `email_taken` or `username_taken`
   */
  changeProfile: (id: string, fields: ProfileFields, now: Date, hash?: string) => Promise<UserRecord | null>
  /**
   * One write that replaces the hash and ends every token of the user.
   * @param from the hash of the password that was checked
   * @returns the user afterwards, null if there is none or the hash is another by now
   */
  changePassword: (id: string, from: string, to: string) => Promise<UserRecord | null>
  /** Sets the preferences that are given and leaves the others alone. @returns the user afterwards, null if there is none */
  setPreferences: (id: string, chosen: Partial<Preferences>, now: Date) => Promise<UserRecord | null>
  /** Sets the preferences that the user has never set. @returns the user afterwards, null if nothing was to be set */
  fillPreferences: (id: string, chosen: Partial<Preferences>, now: Date) => Promise<UserRecord | null>
  /** Points at a picture, or at none. @returns the user before, null if there is none or it points there already */
  setAvatar: (id: string, avatarId: string | null, now: Date) => Promise<UserRecord | null>
  /** The pictures that these users point at, null for none; who is not in the answer is gone. */
  findAvatarIds: (ids: readonly string[]) => Promise<Map<string, string | null>>
  /** Replaces what a host keeps with the account; null takes it away. @returns the user afterwards, null if there is none */
  setHostData: (id: string, data: Readonly<Record<string, unknown>> | null, now: Date) => Promise<UserRecord | null>
  /** @returns the user afterwards, null if nobody has this address */
  setRole: (emailKey: string, role: UserRecord['role'], now: Date) => Promise<UserRecord | null>
  /**
   * One write that ends every token of a user.
   * @returns the new tokenVersion, or null if there is no such user
   */
  bumpTokenVersion: (id: string) => Promise<number | null>
}

export type ProfileFields = Partial<Pick<UserRecord, 'email' | 'emailKey' | 'username' | 'usernameKey' | 'fullName'>>

export function createUserRepository (db: Db): UserRepository {
  const users = acknowledgedCollection<UserRecord>(db, 'users')
  return {
    async ensureIndexes () {
      await users.createIndex({ emailKey: 1 }, { unique: true })
      await users.createIndex({ usernameKey: 1 }, { unique: true })
    },
    insert: (user) => namingWhatIsTaken(async () => { await users.insertOne(user) }),
    findById: (id) => users.findOne({ _id: id }, bounded),
    findByEmailKey: (emailKey) => users.findOne({ emailKey }, bounded),
    findByUsernameKey: (usernameKey) => users.findOne({ usernameKey }, bounded),
    async upgradeHash (id, from, to) {
      await users.updateOne({ _id: id, passwordHash: from }, { $set: { passwordHash: to } })
    },
    changeProfile: (id, fields, now, hash) => namingWhatIsTaken(() => users.findOneAndUpdate(
      { _id: id, ...(hash !== undefined && { passwordHash: hash }) },
      { $set: { ...fields, updatedAt: now }, $inc: { version: 1 } },
      { returnDocument: 'after', ...bounded }
    )),
    changePassword: (id, from, to) => users.findOneAndUpdate(
      { _id: id, passwordHash: from },
      { $set: { passwordHash: to }, $inc: { tokenVersion: 1 } },
      { returnDocument: 'after', ...bounded }
    ),
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
    setAvatar: (id, avatarId, now) => users.findOneAndUpdate(
      { _id: id, avatarId: { $ne: avatarId } },
      { $set: { avatarId, updatedAt: now }, $inc: { version: 1 } },
      { returnDocument: 'before', ...bounded }
    ),
    async findAvatarIds (ids) {
      const found = await users.find({ _id: { $in: [...ids] } }, { projection: { avatarId: 1 }, ...bounded }).toArray()
      return new Map(found.map(({ _id, avatarId }) => [_id, avatarId]))
    },
    setHostData: (id, data, now) => users.findOneAndUpdate(
      { _id: id },
      { $set: { ...(data !== null && { hostData: data }), updatedAt: now }, ...(data === null && { $unset: { hostData: '' as const } }), $inc: { version: 1 } },
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

/** Which unique index said no, as a code. */
async function namingWhatIsTaken<T> (write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
    const { keyPattern } = error as { keyPattern?: Record<string, unknown> }
    throw new LatchkeyError(keyPattern !== undefined && 'usernameKey' in keyPattern ? 'username_taken' : 'email_taken')
  }
}
