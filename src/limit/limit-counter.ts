// Room `limit`: the port that counts attempts in a window, on Redis for all instances and in this process for when
// Redis is away. A window begins with its first attempt. Taking is atomic, so parallel attempts cannot overtake it
// (CVE-2024-4629). Time comes from the caller's clock on both, so a window ends when a test says so.
import { createBoundedMap, homeless, type Home } from '../cache/bounded-map.ts'
import type { Breaker } from '../cache/breaker.ts'
import type { RedisClient } from '../cache/shared-tier.ts'
import type { Clock } from '../clock.ts'

/** One attempt that was counted. */
export interface Taken {
  /** Attempts in the window, this one included. */
  count: number
  /** Milliseconds until the window ends. */
  restMs: number
  /** Takes the attempt back, if its window still runs. */
  giveBack: () => Promise<void>
}

export interface LimitCounter {
  /** @param windowMs length of the window that this attempt opens if none runs, milliseconds */
  take: (key: string, windowMs: number) => Promise<Taken>
}

interface Window { home: Home, count: number, endsAt: number }

/** @param capacity most windows held at a time; the ones unused for longest are dropped first */
export function createLocalCounter (clock: Clock, capacity = 100_000): LimitCounter {
  const windows = createBoundedMap<Window>(capacity)
  return {
    async take (key, windowMs) {
      const now = clock.wall()
      let window = windows.get(key)
      if (window === undefined || window.endsAt <= now) {
        window = { home: homeless(), count: 0, endsAt: now + windowMs }
        windows.set(key, window)
      } else windows.touch(key, window)
      const counted = window
      counted.count++
      return { count: counted.count, restMs: counted.endsAt - now, async giveBack () { counted.count-- } }
    }
  }
}

/**
 * A window is a list: when it ends, then an element for each attempt. Giving back takes one out, which a Redis that is out of memory
 * allows (LREM; not HINCRBY), and which may be tried again: an attempt has a name of its own.
 */
const takeScript = `
local now, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local endsAt = tonumber(redis.call('LINDEX', KEYS[1], 0) or '')
if not endsAt or endsAt <= now then
  endsAt = now + window
  redis.call('DEL', KEYS[1])
  redis.call('RPUSH', KEYS[1], endsAt)
end
redis.call('PEXPIRE', KEYS[1], endsAt - now)
return { redis.call('RPUSH', KEYS[1], ARGV[3]) - 1, endsAt }`

interface Scripts {
  latchkeyTake: (key: string, now: number, windowMs: number, attempt: string) => Promise<[number, number]>
}

/** An attempt that could not be given back yet. */
interface Owed { readonly key: string, readonly attempt: string, readonly endsAt: number }

/** Kept at most: a login of somebody each, while Redis refuses or does not answer. */
const mostOwed = 10_000

/**
 * What Redis does not take back at once is given back when it answers again: where it comes and goes, honest logins would add up.
 * @param prefix begins every key, such as `lk:limit:`
 * @param randomBytes name the attempts of this process
 */
export function createRedisCounter ({ client, prefix, clock, randomBytes }: { client: RedisClient, prefix: string, clock: Clock, randomBytes: (size: number) => Buffer }): LimitCounter {
  client.defineCommand('latchkeyTake', { numberOfKeys: 1, lua: takeScript })
  const scripts = client as unknown as Scripts
  const own = `a${randomBytes(6).toString('base64url')}` // begins with a letter: it is no time
  const owed: Owed[] = []
  let [attempts, isPaying] = [0, false]

  async function pay (): Promise<void> {
    if (isPaying) return
    isPaying = true
    try {
      for (let first = owed[0]; first !== undefined; first = owed[0]) {
        if (first.endsAt > clock.wall()) await client.lrem(first.key, 1, first.attempt)
        if (owed[0] === first) owed.shift()
      }
    } catch { /* when it answers again */ } finally {
      isPaying = false
    }
  }

  async function giveBack (one: Owed): Promise<void> {
    try {
      await client.lrem(one.key, 1, one.attempt)
    } catch {
      if (owed.push(one) > mostOwed) owed.shift()
    }
  }

  return {
    async take (name, windowMs) {
      const now = clock.wall()
      const [key, attempt] = [prefix + name, `${own}${(++attempts).toString(36)}`]
      const [count, endsAt] = await scripts.latchkeyTake(key, now, windowMs, attempt)
      if (owed.length > 0) void pay()
      return { count, restMs: endsAt - now, giveBack: () => giveBack({ key, attempt, endsAt }) }
    }
  }
}

/**
 * Counts with `first` for all and with `second` for this process, and takes the higher count: where `first` does not answer, or
 * has forgotten what it counted (evicted, restarted empty), the limit stands for what came through here.
 */
export function createFallbackCounter (first: LimitCounter, second: LimitCounter, breaker: Breaker): LimitCounter {
  async function takeOfAll (key: string, windowMs: number): Promise<Taken | undefined> {
    if (!breaker.allows()) return undefined
    try {
      const taken = await first.take(key, windowMs)
      breaker.succeeded()
      return taken
    } catch {
      breaker.failed()
      return undefined
    }
  }

  return {
    async take (key, windowMs) {
      const ofAll = await takeOfAll(key, windowMs)
      if (ofAll === undefined) return await second.take(key, windowMs)
      const own = await second.take(key, ofAll.restMs) // the two windows end together
      const { count, restMs } = own.count > ofAll.count ? own : ofAll
      return { count, restMs, async giveBack () { await Promise.all([ofAll.giveBack(), own.giveBack()]) } }
    }
  }
}
