// Room `import`: from an account of the old service to one of ours. Pure. What a person signs in with stays as it is; what
// would not be lawful today and nobody signs in with is left out.
import { ObjectId } from 'mongodb'
import { createHash } from 'node:crypto'
import { lawfulPart } from '../preference/preference-rules.ts'
import { emailKeyOf, usernameKeyOf, type UserRecord } from '../user/user-record.ts'
import { dateOf, fieldIn, idOf, textIn, type LegacyDocument } from './legacy-document.ts'

/** What became of a document: a record, or the reason why it is not taken over. */
export type Mapped<T> = { readonly record: T } | { readonly reason: string }

const hashForm = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/

/** A hash of a higher cost would hold a hashing thread for minutes at each login; the same bound as BCRYPT_COST's. */
const [leastCost, mostCost] = [4, 16]

/** Characters of a username and of a full name: what the doors take. */
const [mostUsername, mostFullName] = [320, 200]

/** @param now for what the document does not say */
export function userFrom (document: LegacyDocument, now: Date): Mapped<UserRecord> {
  const id = fieldIn(document, '_id')
  const _id = idOf(id)
  if (_id === undefined) return { reason: 'its _id is neither an ObjectId nor a text of 1 to 128 letters, digits and . _ : -' }
  const email = textIn(document, 'email')
  const emailKey = emailKeyOf(email ?? '')
  if (email === undefined || emailKey === undefined) return { reason: email === undefined ? 'it has no e-mail address' : 'its e-mail address is not one' }
  const passwordHash = textIn(document, 'password', 'passwordHash') ?? ''
  const cost = Number(hashForm.exec(passwordHash)?.[1])
  if (!(cost >= leastCost && cost <= mostCost)) return { reason: `its password is no bcrypt hash of a cost from ${leastCost} to ${mostCost}` }

  const username = usernameIn(document) ?? usernameFor(_id)
  const createdAt = earlier(dateOf(fieldIn(document, 'createdAt')) ?? (id instanceof ObjectId ? id.getTimestamp() : now), now)
  return {
    record: {
      _id,
      email: email.trim(),
      emailKey,
      username,
      usernameKey: usernameKeyOf(username),
      fullName: [...textIn(document, 'fullName', 'name') ?? ''].slice(0, mostFullName).join('') || null,
      role: fieldIn(document, 'role') === 'admin' ? 'admin' : 'user',
      passwordHash,
      tokenVersion: countIn(document, 'tokenVersion'),
      preferences: lawfulPart(fieldIn(document, 'preferences')),
      avatarId: null,
      version: 0,
      createdAt,
      updatedAt: earlier(dateOf(fieldIn(document, 'updatedAt')) ?? createdAt, now)
    }
  }
}

function usernameIn (document: LegacyDocument): string | undefined {
  const username = textIn(document, 'username')
  return username !== undefined && username.length <= mostUsername ? username : undefined
}

/** A name for an account that has none: lawful today, and nobody else's as the id is nobody else's. */
const usernameFor = (id: string): string =>
  `user-${/^[A-Za-z0-9._-]{1,27}$/.test(id) ? id : createHash('sha256').update(id).digest('base64url').slice(0, 27)}`

const earlier = (date: Date, now: Date): Date => date > now ? now : date

function countIn (document: LegacyDocument, name: string): number {
  const count = fieldIn(document, name)
  return Number.isSafeInteger(count) && count as number >= 0 ? count as number : 0
}
