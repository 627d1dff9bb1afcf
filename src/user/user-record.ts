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
  /** What a host keeps with the account: plain JSON of its own making, absent if it keeps nothing. */
  hostData?: Readonly<Record<string, unknown>>
  /** Steps up at each change, so that an older copy is known for one. */
  version: number
  createdAt: Date
  updatedAt: Date
}

const defaultPreferences: Preferences = Object.freeze({ theme: 'system', notifications: true, language: 'en' })

/** What somebody chose, and the defaults for the rest. */
export const wholePreferences = (chosen: Partial<Preferences>): Readonly<Preferences> => Object.freeze({ ...defaultPreferences, ...chosen })

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

/** The account as its owner sees it, frozen like its public part. */
export function profileOf (user: UserRecord): Readonly<Profile> {
  return Object.freeze({
    ...publicUser(user),
    preferences: wholePreferences(user.preferences),
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString()
  })
}

// Nothing that cannot be seen, in the part before the at sign; in the domain nothing of ASCII but letters, digits, dot and
// hyphen, because `domainToASCII` reads a text as a URL does: `victim.example\\x` and `v%69ctim.example` would be its own.
const addressForm = /^[^\s@"<>()[\]\\,;:\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}]{1,64}@[a-z0-9.\-\u0080-\u{10ffff}]{1,253}$/u
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const domainForm = new RegExp(`^(?:${label}\\.)+(?![0-9]+$)${label}$`) // a last label of digits would be an IP address

/**
 * An e-mail address as it is compared: normalised, lower case, the domain in ASCII.
 * @returns undefined if the text is no address (normalised first, then judged: CVE-2026-73420)
 */
export function emailKeyOf (text: string): string | undefined {
  if (text.length > mostAddressText) return undefined
  const address = folded(text.trim())
  if (!addressForm.test(address)) return undefined
  const at = address.lastIndexOf('@')
  const domain = domainToASCII(address.slice(at + 1))
  if (!domainForm.test(domain)) return undefined
  const key = `${address.slice(0, at)}@${domain}`
  return key.length > mostAddress ? undefined : key
}

const mostAddress = 254 // RFC 5321 section 4.5.3.1.3, less the angle brackets
const mostAddressText = mostAddress * 4 // no longer text can fold to an address: a character composes from four at most

/** NFKC and small letters, until nothing changes: each can open work for the other (`T` + diaeresis composes only when small). */
function folded (text: string): string {
  const once = text.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ') // which sigma is small depends on its place
  return once === text ? once : folded(once)
}

export const usernameKeyOf = (username: string): string => username.toLowerCase()
