// Room `user`: the account's record and what of it may be seen. Names are compared by their keys: two spellings that
// people hold for the same address or username are the same account.
import { domainToASCII } from 'node:url'
import type { Preferences, Profile, PublicUser } from '../schemas/shapes.ts'

/** One document of `users`. */
export interface UserRecord {
  _id: string
  email: string
  /** The address as it is compared: unique. */
  emailKey: string
  username: string
  /** The username as it is compared: unique. */
  usernameKey: string
  fullName: string | null
  role: 'user' | 'admin'
  passwordHash: string
  /** Sessions carry the number they were opened under; one step up ends them all. */
  tokenVersion: number
  /** Only what the user chose; the rest are defaults. */
  preferences: Partial<Preferences>
  avatarId: string | null
  /** Steps up at each change, so that an older copy is known for one. */
  version: number
  createdAt: Date
  updatedAt: Date
}

const defaultPreferences: Preferences = Object.freeze({ theme: 'system', notifications: true, language: 'en' })

/** The public part, frozen: requests share it. */
export function publicUser (user: Pick<UserRecord, '_id' | 'username' | 'email' | 'fullName' | 'role' | 'avatarId'>): Readonly<PublicUser> {
  return Object.freeze({
    id: user._id,
    _id: user._id,
    username: user.username,
    email: user.email,
    fullName: user.fullName,
    role: user.role,
    avatarUrl: user.avatarId === null ? null : `/api/avatars/${user.avatarId}`
  })
}

export function profileOf (user: UserRecord): Profile {
  return {
    ...publicUser(user),
    preferences: { ...defaultPreferences, ...user.preferences },
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString()
  }
}

const addressForm = /^[^\s@"<>()[\]\\,;:\p{Cc}]{1,64}@[^\s@/?#:\p{Cc}]{1,253}$/u

/**
 * An e-mail address as it is compared: normalised, lower case, the domain in ASCII.
 * @returns undefined if the text is no address (normalised first, then judged: CVE-2026-73420)
 */
export function emailKeyOf (text: string): string | undefined {
  const address = text.normalize('NFKC').trim().toLowerCase()
  if (!addressForm.test(address)) return undefined
  const at = address.lastIndexOf('@')
  const domain = domainToASCII(address.slice(at + 1))
  if (domain === '' || !domain.includes('.') || domain.endsWith('.')) return undefined
  const key = `${address.slice(0, at)}@${domain}`
  return key.length > 254 ? undefined : key
}

export const usernameKeyOf = (username: string): string => username.toLowerCase()
