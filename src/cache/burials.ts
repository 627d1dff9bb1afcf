// Room `cache`: tells the shared tier of keys that the truth has ended, and remembers those it could not tell. What is
// not told is bounded by the copies' own end; what is remembered is told when the tier is back (DESIGN 4).
import type { SharedTier } from './shared-tier.ts'

export interface Burials {
  /** Tombstone and message for a key; never rejects. */
  bury: (key: string) => Promise<void>
  /** Sends what could not be sent, up to the first that is refused again; cheap when there is nothing. */
  replay: () => Promise<void>
}

/** Keys kept for replay; beyond it the oldest is left to the end of its copies. */
const mostUnsent = 10_000

/**
 * @param tier `bury` may be anything that must reach the tier
 * @param onUnsent told of each burial that the tier refused or did not answer
 */
export function createBurials (tier: Pick<SharedTier, 'bury' | 'announce'>, onUnsent: (error: unknown) => void): Burials {
  const unsent = new Set<string>()
  let replaying = false

  async function send (key: string): Promise<void> {
    await tier.bury(key)
    unsent.delete(key)
  }

  return {
    async bury (key) {
      try {
        await send(key)
      } catch (error) {
        unsent.add(key)
        if (unsent.size > mostUnsent) unsent.delete(unsent.values().next().value as string)
        onUnsent(error)
        // a tier that refuses to write (read-only, out of memory) may still carry a message
        await tier.announce(key).catch(() => { /* kept for replay */ })
      }
    },
    async replay () {
      if (replaying) return
      replaying = true
      try {
        for (const key of [...unsent]) await send(key)
      } catch { /* it does not take them yet */
      } finally {
        replaying = false
      }
    }
  }
}
