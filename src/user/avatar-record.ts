// Room `user`: the record of a picture and its id. The id cannot be guessed and does not show the account; all pictures of
// an account begin alike, so that an address that is out of date leads to the one that replaced it.
import { createHash } from 'node:crypto'
import type { PictureType } from './avatar-format.ts'

/** One document of `avatars`. The account points at one of its own; others of it are on their way in or out. */
export interface AvatarRecord {
  _id: string
  userId: string
  type: PictureType
  bytes: Buffer
  createdAt: Date
}

const form = /^([\w-]{22})\.[\w-]{22}$/

/** @param randomBytes 16 of them go into the id */
export function newAvatarId (userId: string, randomBytes: (size: number) => Buffer): string {
  const key = createHash('sha256').update(`avatar\0${userId}`).digest('base64url').slice(0, 22)
  return `${key}.${randomBytes(16).toString('base64url')}`
}

/** What all pictures of an account begin with; undefined if the text is no id. */
export const avatarKeyOf = (id: string): string | undefined => form.exec(id)?.[1]
