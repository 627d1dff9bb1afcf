// Room `user`: accounts as their owners see them, from the shared tier or else from MongoDB (MISSION row 11). A copy is
// ordered by the account's version, so an older reading never replaces a later one; a change buries the copy before it
// is made and again after it, so that whoever asks once it was acknowledged gets it, on every instance.
import { createBurials } from '../cache/burials.ts'
import type { EndingSet } from '../cache/ending-set.ts'
import { createForgetRing } from '../cache/forget-ring.ts'
import { askShared, tombstone, type GuardedTier } from '../cache/shared-tier.ts'
import type { LoadTier } from '../cache/tiered-cache.ts'
import type { Clock } from '../clock.ts'
import { LatchkeyError } from '../errors.ts'
import type { Profile } from '../schemas/shapes.ts'
import type { UserRecord } from './user-record.ts'
import type { UserRepository } from './user-repository.ts'
import { plainView, type UserView } from './user-view.ts'

export interface ProfileCache {
  /**
   * @param leastVersion that the account is known to have had: a copy that nobody could take away is older
   * @throws LatchkeyError `session_revoked` if the account is gone; rejects when MongoDB does not answer
   */
  find: (userId: string, leastVersion?: number) => Promise<Readonly<Profile>>
  /** Makes a change to an account. @param work the write to MongoDB; its result is the caller's */
  changing: <T>(userId: string, work: () => Promise<T>) => Promise<T>
  /** A change was made here or elsewhere: copies that were read before now do not count. */
  forget: (userId: string) => void
  /** Copies count only if they were read from now on: some changes did not reach the shared tier. */
  distrust: () => void
  /** Tells the shared tier of changes that it could not be told of; cheap when there are none. */
  replay: () => Promise<void>
  /** Profiles read so far, by the tier that answered. */
  readonly counts: Readonly<Record<LoadTier, number>>
}

export interface ProfileCacheOptions {
  users: UserRepository
  view?: UserView
  /** Absent without Redis: MongoDB is asked each time. */
  shared?: GuardedTier
  clock: Clock
  /** Milliseconds that a copy may answer; 0 keeps none. */
  ttlMs: number
  /** Keeps count of the copies. */
  counted: Pick<EndingSet, 'add' | 'remove'>
  /** Told of the tier that answered, each time. */
  onRead?: (tier: LoadTier) => void
  /** Told of each change that the shared tier could not be told of. */
  onUnsent: (error: unknown) => void
}

const form = /^(\d{1,15})\|(\d{1,16})\|/

export function createProfileCache ({ users, view = plainView, shared: given, clock, ttlMs, counted, onRead, onUnsent }: ProfileCacheOptions): ProfileCache {
  const shared = ttlMs === 0 ? undefined : given
  const burials = shared && createBurials(shared.tier, onUnsent)
  const forgotten = createForgetRing()
  const counts = { redis: 0, mongo: 0 }
  let trustedFrom = 0

  function answered (tier: LoadTier): void {
    counts[tier]++
    onRead?.(tier)
  }

  function believe (userId: string, text: string, leastVersion: number): Readonly<Profile> | undefined {
    const [head, version, readAt] = form.exec(text) ?? []
    if (head === undefined || Number(version) < leastVersion || Number(readAt) < trustedFrom || Number(readAt) <= forgotten.lastForgotten(userId) || Number(readAt) + ttlMs <= clock.wall()) return undefined
    try {
      const profile: unknown = JSON.parse(text.slice(head.length))
      return view.isProfile(profile) ? profile : undefined
    } catch {
      return undefined
    }
  }

  const forget = (userId: string): void => { forgotten.add(userId, clock.wall()) }

  return {
    async find (userId, leastVersion = 0) {
      const text = await askShared(shared, (tier) => tier.get(userId))
      const copy = typeof text === 'string' && text !== tombstone ? believe(userId, text, leastVersion) : undefined
      if (copy?.id === userId) {
        answered('redis')
        return copy
      }
      const readAt = clock.wall()
      const user: UserRecord | null = await users.findById(userId)
      if (user === null) throw new LatchkeyError('session_revoked')
      const profile = view.profileOf(user)
      answered('mongo')
      const written = `${user.version}|${readAt}|${JSON.stringify(profile)}`
      if (await askShared(shared, (tier) => tier.put(userId, written, user.version, ttlMs)) === written) counted.add(userId, readAt + ttlMs)
      return profile
    },
    async changing (userId, work) {
      await burials?.bury(userId)
      counted.remove(userId)
      try {
        return await work()
      } finally {
        forget(userId)
        await burials?.bury(userId) // also when it failed: it may have been made
      }
    },
    forget,
    distrust () { trustedFrom = clock.wall() },
    async replay () { await burials?.replay() },
    counts
  }
}
