// Room `user`: accounts as their owners see them, from the shared tier or else from MongoDB (MISSION row 11). A copy is
// ordered by the account's version, so an older reading never replaces a later one; a change buries the copy before it
// is made and again after it, so that whoever asks once it was acknowledged gets it, on every instance.
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { Breaker } from '../cache/breaker.ts'
import { createBurials } from '../cache/burials.ts'
import { tombstone, type SharedTier } from '../cache/shared-tier.ts'
import type { Clock } from '../clock.ts'
import { LatchkeyError } from '../errors.ts'
import { Preferences, Profile } from '../schemas/shapes.ts'
import { profileOf, type UserRecord } from './user-record.ts'
import type { UserRepository } from './user-repository.ts'

export interface ProfileCache {
  /** @throws LatchkeyError `session_revoked` if the account is gone; rejects when MongoDB does not answer */
  find: (userId: string) => Promise<Readonly<Profile>>
  /** Makes a change to an account. @param work the write to MongoDB; its result is the caller's */
  changing: <T>(userId: string, work: () => Promise<T>) => Promise<T>
  /** Copies count only if they were read from now on: some changes did not reach the shared tier. */
  distrust: () => void
}

export interface ProfileCacheOptions {
  users: UserRepository
  /** Absent without Redis: MongoDB is asked each time. */
  shared?: { tier: SharedTier, breaker: Breaker }
  clock: Clock
  /** Milliseconds that a copy may answer; 0 keeps none. */
  ttlMs: number
  /** Told of each change that the shared tier could not be told of. */
  onUnsent: (error: unknown) => void
}

const profileCheck = TypeCompiler.Compile(Profile, [Preferences])

const form = /^\d{1,15}\|(\d{1,16})\|/

export function createProfileCache ({ users, shared: given, clock, ttlMs, onUnsent }: ProfileCacheOptions): ProfileCache {
  const shared = ttlMs === 0 ? undefined : given
  const burials = shared && createBurials(shared.tier, onUnsent)
  let trustedFrom = 0

  /** What the shared tier answers; undefined where it is passed by. */
  async function ask (call: (tier: SharedTier) => Promise<string | null>): Promise<string | null | undefined> {
    if (shared === undefined || !shared.breaker.allows()) return undefined
    try {
      const answer = await call(shared.tier)
      shared.breaker.succeeded()
      void burials?.replay() // it answers: what it could not be told before, it may be told now
      return answer
    } catch {
      shared.breaker.failed()
      return undefined
    }
  }

  function believe (text: string): Readonly<Profile> | undefined {
    const [head, readAt] = form.exec(text) ?? []
    if (head === undefined || Number(readAt) < trustedFrom || Number(readAt) + ttlMs <= clock.wall()) return undefined
    try {
      const profile: unknown = JSON.parse(text.slice(head.length))
      return profileCheck.Check(profile) ? profile : undefined
    } catch {
      return undefined
    }
  }

  return {
    async find (userId) {
      const text = await ask((tier) => tier.get(userId))
      const copy = typeof text === 'string' && text !== tombstone ? believe(text) : undefined
      if (copy?.id === userId) return copy
      const readAt = clock.wall()
      const user: UserRecord | null = await users.findById(userId)
      if (user === null) throw new LatchkeyError('session_revoked')
      const profile = profileOf(user)
      await ask((tier) => tier.put(userId, `${user.version}|${readAt}|${JSON.stringify(profile)}`, user.version, ttlMs))
      return profile
    },
    async changing (userId, work) {
      await burials?.bury(userId)
      try {
        return await work()
      } finally {
        await burials?.bury(userId) // also when it failed: it may have been made
      }
    },
    distrust () { trustedFrom = clock.wall() }
  }
}
