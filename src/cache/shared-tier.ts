// Room `cache`: the port of the tier that instances share, and its implementation on Redis. Storage only: what a copy
// may be trusted for is decided in tiered-cache.ts. A tombstone stands until it runs out; no copy is written over it.
import type { Redis, Cluster } from 'ioredis'
import type { Breaker } from './breaker.ts'

export type RedisClient = Redis | Cluster

/** Stands in the place of a copy whose key was revoked. */
export const tombstone = 'x'

/** Stands in the place of a copy whose value changed: no copy, and no reading that began before the change may become one. */
export const outdatedMark = 'o'

/** Milliseconds that the mark stands: longer than any reading that began before the change (DESIGN 8: none takes half of it). */
const outdatedMs = 10_000

export interface SharedTier {
  /** What is there: a copy's text, `tombstone`, or null. Rejects when the tier does not answer. */
  get: (key: string) => Promise<string | null>
  /**
   * Writes a copy unless a tombstone, the mark of a change, or a copy that was read later is there.
   * @param readAt milliseconds since the epoch at which the truth was read; the text begins with it
   * @param ttlMs milliseconds until the copy runs out
   * @returns what is there now: this text, the later one, `tombstone` or `outdatedMark`
   */
  put: (key: string, text: string, readAt: number, ttlMs: number) => Promise<string>
  /** Writes a tombstone, whatever is there, and tells every instance to forget the key: one atomic script. */
  bury: (key: string) => Promise<void>
  /** Marks a key whose value changed, unless it was revoked, and tells every instance to forget it: one atomic script. */
  outdate: (key: string) => Promise<void>
  /** Only tells every instance to forget the key, for when writes are refused. */
  announce: (key: string) => Promise<void>
}

/** A shared tier, and what keeps a crowd away from it while it does not answer. */
export interface GuardedTier { readonly tier: SharedTier, readonly breaker: Breaker }

/** @returns the tier's answer; undefined where there is none or it does not answer: the caller goes on without it */
export async function askShared (shared: GuardedTier | undefined, call: (tier: SharedTier) => Promise<string | null>): Promise<string | null | undefined> {
  if (shared === undefined || !shared.breaker.allows()) return undefined
  try {
    const answer = await call(shared.tier)
    shared.breaker.succeeded()
    return answer
  } catch {
    shared.breaker.failed()
    return undefined
  }
}

const putScript = `
local there = redis.call('GET', KEYS[1])
if there then
  if there == 'x' or there == 'o' then return there end
  local readAt = tonumber(string.match(there, '^%d+'))
  if readAt and readAt > tonumber(ARGV[2]) then return there end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return false`

const buryScript = `
redis.call('SET', KEYS[1], 'x', 'PX', ARGV[1])
return redis.call('PUBLISH', ARGV[2], ARGV[3])`

const outdateScript = `
if redis.call('GET', KEYS[1]) ~= 'x' then redis.call('SET', KEYS[1], 'o', 'PX', ARGV[1]) end
return redis.call('PUBLISH', ARGV[2], ARGV[3])`

interface Scripts {
  latchkeyPut: (key: string, text: string, readAt: number, ttlMs: number) => Promise<string | null>
  latchkeyBury: (key: string, ttlMs: number, channel: string, message: string) => Promise<number>
  latchkeyOutdate: (key: string, ttlMs: number, channel: string, message: string) => Promise<number>
}

export interface RedisTierOptions {
  client: RedisClient
  /** Begins the key of every copy, such as `lk:session:`. */
  prefix: string
  /** Channel on which forgets are told. */
  channel: string
  /** Milliseconds a tombstone stands: at least as long as the longest-lived token of the key. */
  tombstoneMs: number
}

/** Copies that one command reads at most: some tenths of a millisecond of Redis' time. */
const mostAtOnce = 200

/**
 * Reads the copies that were asked for in one turn of the event loop with one command: each command costs a write to the
 * socket, which is 40 % of what a read costs this process (measured, 50 at a time: 7.0 us of CPU for a GET each, 5 together).
 */
function createReader (client: Redis, prefix: string): SharedTier['get'] {
  let keys: string[] = []
  let waiting: { resolve: (text: string | null) => void, reject: (error: unknown) => void }[] = []

  function depart (): void {
    const [asked, askers] = [keys, waiting]
    keys = []
    waiting = []
    client.mget(asked).then(
      (texts) => { for (const [i, { resolve }] of askers.entries()) resolve(texts[i] as string | null) },
      (error: unknown) => { for (const { reject } of askers) reject(error) }
    )
  }

  return (key) => new Promise((resolve, reject) => {
    if (keys.length === 0) setImmediate(depart)
    else if (keys.length === mostAtOnce) depart()
    keys.push(prefix + key)
    waiting.push({ resolve, reject })
  })
}

/** The shared tier on Redis. Each write is one command on one key, so it runs on a cluster as it is. */
export function createRedisTier ({ client, prefix, channel, tombstoneMs }: RedisTierOptions): SharedTier {
  client.defineCommand('latchkeyPut', { numberOfKeys: 1, lua: putScript })
  client.defineCommand('latchkeyBury', { numberOfKeys: 1, lua: buryScript })
  client.defineCommand('latchkeyOutdate', { numberOfKeys: 1, lua: outdateScript })
  const scripts = client as unknown as Scripts
  return {
    get: client.isCluster ? (key) => client.get(prefix + key) : createReader(client as Redis, prefix),
    put: async (key, text, readAt, ttlMs) => await scripts.latchkeyPut(prefix + key, text, readAt, ttlMs) ?? text,
    async bury (key) { await scripts.latchkeyBury(prefix + key, tombstoneMs, channel, key) },
    async outdate (key) { await scripts.latchkeyOutdate(prefix + key, outdatedMs, channel, key) },
    async announce (key) { await client.publish(channel, key) }
  }
}
