// Room `user`: the picture of an account. Each step is one write: the new picture, then the account's pointer to it, then
// the old one out. Whatever happens between two of them, an account points at a whole picture; what nobody points at is
// left to the sweep. Two uploads at a time each take out their own predecessor, so one picture remains.
import type { Clock } from '../clock.ts'
import { LatchkeyError } from '../errors.ts'
import type { Profile } from '../schemas/shapes.ts'
import { makeAvatar, type AvatarImage } from './avatar-image.ts'
import { avatarKeyOf, newAvatarId } from './avatar-record.ts'
import type { AvatarRepository } from './avatar-repository.ts'
import type { AvatarUploads, Upload } from './avatar-upload.ts'
import type { UserRecord } from './user-record.ts'
import type { UserRepository } from './user-repository.ts'
import { plainView, type UserView } from './user-view.ts'

export interface ShownAvatar extends AvatarImage {
  /** Whether this is the picture of that id, and not the one that replaced it. */
  isCurrent: boolean
}

export interface AvatarService {
  /**
   * Reads an upload and makes it the account's picture.
   * @throws LatchkeyError `validation_failed`, `unsupported_media_type`, `payload_too_large`, `request_timeout`, `session_revoked`, `unavailable`
   */
  receive: (userId: string, upload: Upload) => Promise<Readonly<Profile>>
  /** Makes a file the account's picture; throws as `receive`. */
  replace: (userId: string, file: Buffer) => Promise<Readonly<Profile>>
  /** Takes the picture away, if there is one. */
  remove: (userId: string) => Promise<void>
  /** The picture of an id, or the one that replaced it: a page that still has the old address shows a whole one. */
  find: (id: string) => Promise<ShownAvatar | null>
}

export interface AvatarServiceOptions {
  avatars: AvatarRepository
  users: UserRepository
  /** Makes a change to an account, and takes care of its copies. */
  change: <T>(userId: string, work: () => Promise<T>) => Promise<T>
  uploads: AvatarUploads
  view?: UserView
  clock: Clock
  randomBytes: (size: number) => Buffer
  /** Told of each picture that nobody points at any more and that could not be deleted. */
  onLeftover: (error: unknown) => void
}

export function createAvatarService ({ avatars, users, change, uploads, view = plainView, clock, randomBytes, onLeftover }: AvatarServiceOptions): AvatarService {
  const loads = new Map<string, Promise<ShownAvatar | null>>()

  /** @returns the account before, null if it is gone or points there already */
  const point = (userId: string, avatarId: string | null, now: Date): Promise<UserRecord | null> =>
    change(userId, () => users.setAvatar(userId, avatarId, now))

  async function discard (id: string): Promise<void> {
    try {
      await avatars.delete(id)
    } catch (error) {
      onLeftover(error)
    }
  }

  async function replace (userId: string, file: Buffer): Promise<Readonly<Profile>> {
    const { type, bytes } = await makeAvatar(file, clock)
    const now = new Date(clock.wall())
    const avatarId = newAvatarId(userId, randomBytes)
    await avatars.insert({ _id: avatarId, userId, type, bytes, createdAt: now })
    const before = await point(userId, avatarId, now)
    if (before === null) {
      await discard(avatarId)
      throw new LatchkeyError('session_revoked')
    }
    if (before.avatarId !== null) await discard(before.avatarId)
    return view.profileOf({ ...before, avatarId, updatedAt: now })
  }

  async function load (id: string): Promise<ShownAvatar | null> {
    const key = avatarKeyOf(id)
    if (key === undefined) return null
    const found = await avatars.find(id) ?? await avatars.findNewest(key)
    return found && { type: found.type, bytes: found.bytes, isCurrent: found._id === id }
  }

  return {
    receive: (userId, upload) => uploads.take(userId, upload, (file) => replace(userId, file)),
    replace,
    async remove (userId) {
      const before = await point(userId, null, new Date(clock.wall()))
      if (before?.avatarId) await discard(before.avatarId)
    },
    async find (id) {
      // a thousand requests in one packet would hold the picture a thousand times
      const loading = loads.get(id) ?? load(id).finally(() => loads.delete(id))
      loads.set(id, loading)
      return await loading
    }
  }
}
