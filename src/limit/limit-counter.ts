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

const takeScript = `
local now, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local endsAt = tonumber(redis.call('HGET', KEYS[1], 'endsAt'))
if not endsAt or endsAt <= now then
  endsAt = now + window
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'endsAt', endsAt)
end
redis.call('PEXPIRE', KEYS[1], endsAt - now)
return { redis.call('HINCRBY', KEYS[1], 'count', 1), endsAt }`

const giveBackScript = `
if redis.call('HGET', KEYS[1], 'endsAt') == ARGV[1] then redis.call('HINCRBY', KEYS[1], 'count', -1) end
return 0`

interface Scripts {
  latchkeyTake: (key: string, now: number, windowMs: number) => Promise<[number, number]>
  latchkeyGiveBack: (key: string, endsAt: number) => Promise<number>
}

/** @param prefix begins every key, such as `lk:limit:` */
export function createRedisCounter ({ client, prefix, clock }: { client: RedisClient, prefix: string, clock: Clock }): LimitCounter {
  client.defineCommand('latchkeyTake', { numberOfKeys: 1, lua: takeScript })
  client.defineCommand('latchkeyGiveBack', { numberOfKeys: 1, lua: giveBackScript })
  const scripts = client as unknown as Scripts
  return {
    async take (key, windowMs) {
      const now = clock.wall()
      const [count, endsAt] = await scripts.latchkeyTake(prefix + key, now, windowMs)
      return {
        count,
        restMs: endsAt - now,
        async giveBack () { await scripts.latchkeyGiveBack(prefix + key, endsAt).catch(() => { /* one attempt less for its owner */ }) }
      }
    }
  }
}

/**
 * Counts with both, and goes by the higher count: by `second` alone while `first` does not answer. So neither an outage nor a
 * Redis that evicts its counters lifts a limit further than to that of each process.
 */
export function createFallbackCounter (first: LimitCounter, second: LimitCounter, breaker: Breaker): LimitCounter {
  return {
    async take (key, windowMs) {
      const own = await second.take(key, windowMs)
      if (!breaker.allows()) return own
      try {
        const shared = await first.take(key, windowMs)
        breaker.succeeded()
        const { count, restMs } = shared.count >= own.count ? shared : own
        return { count, restMs, async giveBack () { await Promise.all([own.giveBack(), shared.giveBack()]) } }
      } catch {
        breaker.failed()
        return own
      }
    }
  }
}
