// Room `user`: takes out the pictures that no account points at: what is left when a process dies, or a store goes away,
// between two writes. It may run anywhere and any number of times.
import type { Clock } from '../clock.ts'
import type { AvatarOwner, AvatarRepository } from './avatar-repository.ts'
import type { UserRepository } from './user-repository.ts'

export interface AvatarSweepOptions {
  avatars: AvatarRepository
  users: UserRepository
  clock: Clock
}

export interface AvatarSweep {
  /** @param isStopped asked between batches: the next run goes on. @returns how many pictures were deleted */
  run: (options: { isStopped: () => boolean }) => Promise<number>
}

/** Pictures of a batch: deleting them all is to take some ten milliseconds. */
const atOnce = 250

/** Milliseconds within which an upload points its account at what it has stored, with much to spare. */
const onItsWayMs = 600_000

export function createAvatarSweep ({ avatars, users, clock }: AvatarSweepOptions): AvatarSweep {
  /** The list was read before the accounts are: what was old then and is not pointed at now will never be. */
  async function orphansOf (list: readonly AvatarOwner[]): Promise<string[]> {
    const current = await users.findAvatarIds([...new Set(list.map(({ userId }) => userId))])
    return list.filter(({ _id, userId }) => current.get(userId) !== _id).map(({ _id }) => _id)
  }

  return {
    async run ({ isStopped }) {
      let deleted = 0
      let after: AvatarOwner | null = null
      while (!isStopped()) {
        const old = new Date(clock.wall() - onItsWayMs)
        const list: AvatarOwner[] = await avatars.listOwners(after, atOnce)
        const orphans = await orphansOf(list)
        if (orphans.length > 0) deleted += await avatars.deleteOld(orphans, old)
        if (list.length < atOnce) break
        after = list.at(-1) as AvatarOwner
      }
      return deleted
    }
  }
}
