// For the tests of the tiers: a cache with a still clock, a shared tier that can fail and wait, and a truth that can too.
import { createBreaker } from '../../../src/cache/breaker.ts'
import type { Codec } from '../../../src/cache/copy-text.ts'
import { createTieredCache, type Found, type TieredCache, type Truth } from '../../../src/cache/tiered-cache.ts'
import { createStillClock, type TestClock } from '../../helper/clock.ts'
import { createFakeTier, type FakeTier } from './fake-tier.ts'

export interface Value { name: string }

export const codec: Codec<Value> = {
  encode: JSON.stringify,
  decode (text) {
    try {
      const value = JSON.parse(text) as Partial<Value> | null
      return typeof value?.name === 'string' ? { name: value.name } : undefined
    } catch {
      return undefined
    }
  }
}

export interface Kit {
  cache: TieredCache<Value>
  clock: TestClock
  tier: FakeTier
  hearing: { lastBeat: number }
  /** What the truth says; a key that is not here is one it says no to. */
  truths: Map<string, NonNullable<Truth<Value>>>
  /** Keys that the truth was asked for, oldest first. */
  loads: string[]
  /** Hints that came with them. */
  unsent: unknown[]
  /** The truth fails from now on, or answers again. */
  failTruth: (fails: boolean) => void
  /** The next load reads and then waits; resolves when it does, with what lets it answer. */
  holdLoad: () => Promise<() => void>
  /** A value that lives for an hour, in the truth. */
  know: (key: string, name?: string, livesMs?: number) => void
}

export interface KitOptions {
  clock?: TestClock
  tier?: FakeTier
  /** Without it there is no shared tier. */
  withShared?: boolean
  ttlMs?: number
  capacity?: number
  maxLoads?: number
  random?: () => number
}

export function createKit (options: KitOptions = {}): Kit {
  const { clock = createStillClock(), withShared = true, ttlMs = 60_000, capacity = 100, maxLoads, random = () => 0 } = options
  const tier = options.tier ?? createFakeTier(clock)
  const hearing = { lastBeat: Infinity }
  const truths: Kit['truths'] = new Map()
  const loads: string[] = []
  const unsent: unknown[] = []
  let failing = false
  let held: ((go: () => void) => void) | undefined

  const cache = createTieredCache<Value>({
    clock,
    random,
    capacity,
    ttlMs,
    hearing,
    codec,
    breaker: createBreaker({ clock }),
    ...(withShared && { shared: { tier, breaker: createBreaker({ clock }) } }),
    ...(maxLoads !== undefined && { maxLoads }),
    onUnsent: (error) => { unsent.push(error) },
    async load (key) {
      loads.push(key)
      if (failing) throw new Error('the truth does not answer')
      const truth = truths.get(key) ?? null
      if (held !== undefined) {
        const reached = held
        held = undefined
        await new Promise<void>((resolve) => { reached(resolve) })
      }
      return truth && { ...truth }
    }
  })
  return {
    cache,
    clock,
    tier,
    hearing,
    truths,
    loads,
    unsent,
    failTruth (fails) { failing = fails },
    holdLoad: () => new Promise((resolve) => { held = resolve }),
    know (key, name = key, livesMs = 3_600_000) { truths.set(key, { value: { name }, expiresAt: clock.wall() + livesMs }) }
  }
}

/** Two instances that share a tier and a truth; each has a clock of its own. */
export function createTwo (options: KitOptions = {}): [Kit, Kit] {
  const here = createKit(options)
  const there = createKit({ ...options, clock: createStillClock(), tier: here.tier })
  there.truths.set = (key, truth) => {
    here.truths.set(key, truth)
    return there.truths
  }
  there.truths.get = (key) => here.truths.get(key)
  return [here, there]
}

/** What an answer says: a name, or null for no. */
export const nameOf = ({ copy }: Found<Value>): string | null => copy === null ? null : copy.value.name

/** Lets everything that needs no time happen. */
export const settle = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve) })
