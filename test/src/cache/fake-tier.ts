// For the tests of the tiers: a shared tier in memory that keeps the promises of the one on Redis (the same contract runs
// on both), notes what is asked of it, and fails or waits when told to.
import { outdatedMark, tombstone, type SharedTier } from '../../../src/cache/shared-tier.ts'
import type { Clock } from '../../../src/clock.ts'

export type TierCall = keyof SharedTier

export interface FakeTier extends SharedTier {
  /** What stands in it and until when, Clock.wall(). */
  readonly texts: Map<string, { text: string, endsAt: number }>
  /** Keys told to every instance, oldest first. */
  readonly told: string[]
  /** Calls so far, oldest first. */
  readonly calls: TierCall[]
  /** From now on these calls fail; without a name none does. */
  fail: (...calls: TierCall[]) => void
  /** The next such call does its work and then waits; resolves when it does, with what lets it answer. */
  hold: (call: TierCall) => Promise<() => void>
}

export function createFakeTier (clock: Clock, tombstoneMs = 960_000): FakeTier {
  const texts = new Map<string, { text: string, endsAt: number }>()
  const told: string[] = []
  const calls: TierCall[] = []
  let failing: TierCall[] = []
  let held: { call: TierCall, reached: (go: () => void) => void } | undefined

  const there = (key: string): string | null => {
    const entry = texts.get(key)
    return entry !== undefined && entry.endsAt > clock.wall() ? entry.text : null
  }

  /** Does one call's work as a server does: at once and whole; the answer may fail or be late. */
  async function answer<T> (call: TierCall, work: () => T): Promise<T> {
    calls.push(call)
    if (failing.includes(call)) throw new Error(`the tier does not answer: ${call}`)
    const result = work()
    if (held?.call === call) {
      const { reached } = held
      held = undefined
      await new Promise<void>((resolve) => { reached(resolve) })
    }
    return result
  }

  return {
    texts,
    told,
    calls,
    fail (...names) { failing = names },
    hold: (call) => new Promise((resolve) => { held = { call, reached: resolve } }),
    get: (key) => answer('get', () => there(key)),
    put: (key, text, readAt, ttlMs) => answer('put', () => {
      const held = there(key)
      if (held === tombstone || held === outdatedMark || (held !== null && Number(/^\d+/.exec(held)?.[0] ?? -1) > readAt)) return held
      texts.set(key, { text, endsAt: clock.wall() + ttlMs })
      return text
    }),
    bury: (key) => answer('bury', () => {
      texts.set(key, { text: tombstone, endsAt: clock.wall() + tombstoneMs })
      told.push(key)
    }),
    outdate: (key) => answer('outdate', () => {
      if (there(key) !== tombstone) texts.set(key, { text: outdatedMark, endsAt: clock.wall() + 10_000 })
      told.push(key)
    }),
    announce: (key) => answer('announce', () => { told.push(key) })
  }
}
