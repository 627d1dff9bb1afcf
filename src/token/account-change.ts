// Room `token`: a change of an account that its sessions show, too: their copies carry the public user. Whoever asks once
// it was acknowledged gets the new one, on every instance; a copy that Redis could not be told of lives on until its end.
import type { TieredCache } from '../cache/tiered-cache.ts'
import type { Clock } from '../clock.ts'
import { isStoreFault } from '../errors.ts'
import type { SessionRepository } from '../session/session-repository.ts'
import type { ProfileCache } from '../user/profile-cache.ts'
import type { SessionCopy } from './session-copy.ts'

/** Makes a change to an account. @param work the write to MongoDB; its result is the caller's */
export type ChangeAccount = <T>(userId: string, work: () => Promise<T>) => Promise<T>

export interface ChangeAccountOptions {
  profiles: ProfileCache
  sessions: SessionRepository
  cache: TieredCache<SessionCopy>
  clock: Clock
}

export function createChangeAccount ({ profiles, sessions, cache, clock }: ChangeAccountOptions): ChangeAccount {
  async function outdateSessions (userId: string): Promise<void> {
    const sids = await sessions.liveSids(userId, new Date(clock.wall()))
    await Promise.all(sids.map((sid) => cache.outdate(sid)))
  }

  return (userId, work) => profiles.changing(userId, async () => {
    try {
      const result = await work()
      await outdateSessions(userId)
      return result
    } catch (error) {
      if (isStoreFault(error)) await outdateSessions(userId).catch(() => { /* copies end by themselves */ }) // it may have been made
      throw error
    }
  })
}
