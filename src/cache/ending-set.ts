// Room `cache`: how many things live, told at once and without looking at each: a set in which every key has its end.
// Counts are for people: nothing is decided by them, nobody waits for a change, and a job puts right what an outage or a
// crash has left wrong (src/job/recount.ts).
import type { RedisClient } from './shared-tier.ts'

export interface EndingSet {
  /** Puts a key in, or moves its end. @param endsAt milliseconds since the epoch */
  add: (key: string, endsAt: number) => void
  /** Puts many in, at once; one that ends later already is left alone. Rejects when the set does not answer. */
  addAll: (ends: readonly (readonly [key: string, endsAt: number])[]) => Promise<void>
  remove: (key: string) => void
  /** Keys whose end is later than `now`. Rejects when the set does not answer. */
  count: (now: number) => Promise<number>
  /** Takes out keys that have ended, at most `limit`. @returns how many */
  trim: (now: number, limit: number) => Promise<number>
  /** Keys from place `from` on, at most `limit`, those that end last first; empty behind the last. Whoever takes out `n` of them goes on at `from + limit - n`. */
  page: (from: number, limit: number) => Promise<string[]>
  /** Whether all keys have been put in since the set came to be; a Redis that came back empty holds what came afterwards at most. Rejects when the set does not answer. */
  isWhole: () => Promise<boolean>
  /**
   * Says that all keys are put in from here on. Rejects when the set does not answer.
   * @returns says that they have been; without effect if the set was lost meanwhile, or if a later count has taken over
   */
  beginWhole: () => Promise<() => Promise<void>>
  /** Makes the changes that could not be made; cheap when there are none. */
  replay: () => Promise<void>
}

/** Changes kept for replay; beyond it the oldest is left to the job. */
const mostUnsent = 10_000

/** The member that tells whether the others are all: in the set, so that one is never lost without the other. Its score is no end. */
const mark = '*'

/** The mark's score of a set that is whole; that of a count under way is below it. */
const wholeScore = '0'

const trimScript = `
local ended = redis.call('ZRANGEBYSCORE', KEYS[1], '(0', ARGV[1], 'LIMIT', 0, ARGV[2])
if #ended > 0 then redis.call('ZREM', KEYS[1], unpack(ended)) end
return #ended`

/** Gives the mark the score ARGV[2], where it is not whole already. */
const beginWholeScript = `
if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= '${wholeScore}' then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end`

/** Makes the set whole, where the mark still has the score ARGV[2]. */
const endWholeScript = `
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('ZADD', KEYS[1], ${wholeScore}, ARGV[1]) end`

interface Scripts {
  latchkeyTrim: (key: string, now: number, limit: number) => Promise<number>
  latchkeyBeginWhole: (key: string, member: string, score: string) => Promise<null>
  latchkeyEndWhole: (key: string, member: string, score: string) => Promise<null>
}

/** A change that is on its way, or that could not be made. */
interface Change { readonly endsAt: number | null, hasFailed: boolean }

/**
 * A sorted set: counting is logarithmic, every call one command on one key.
 * @param randomBytes source of chance, for names of counts
 */
export function createRedisEndingSet (client: RedisClient, key: string, randomBytes: (size: number) => Buffer): EndingSet {
  const scripts = client as unknown as Scripts
  client.defineCommand('latchkeyTrim', { numberOfKeys: 1, lua: trimScript })
  client.defineCommand('latchkeyBeginWhole', { numberOfKeys: 1, lua: beginWholeScript })
  client.defineCommand('latchkeyEndWhole', { numberOfKeys: 1, lua: endWholeScript })
  const open = new Map<string, Change>()
  let replaying = false

  async function make (member: string, change: Change): Promise<boolean> {
    try {
      await (change.endsAt === null ? client.zrem(key, member) : client.zadd(key, change.endsAt, member))
      if (open.get(member) === change) open.delete(member)
      return true
    } catch {
      change.hasFailed = true
      return false
    }
  }

  /** The last change of a key stands for those before it. */
  function begin (member: string, endsAt: number | null): void {
    const change = { endsAt, hasFailed: false }
    open.delete(member)
    open.set(member, change)
    if (open.size > mostUnsent) open.delete(open.keys().next().value as string)
    void make(member, change)
  }

  return {
    add (member, endsAt) { begin(member, endsAt) },
    async addAll (ends) {
      if (ends.length > 0) await client.zadd(key, 'GT', ...ends.flatMap(([member, endsAt]) => [endsAt, member]))
    },
    remove (member) { begin(member, null) },
    count: (now) => client.zcount(key, `(${now}`, '+inf'),
    trim: (now, limit) => scripts.latchkeyTrim(key, now, limit),
    page: async (from, limit) => (await client.zrevrange(key, from, from + limit - 1)).filter((member) => member !== mark), // it is the last
    isWhole: async () => await client.zcount(key, wholeScore, wholeScore) === 1, // a score itself is a number or a text, as the client's protocol has it
    async beginWhole () {
      const count = `-${1 + randomBytes(6).readUIntBE(0, 6)}`
      await scripts.latchkeyBeginWhole(key, mark, count)
      return async () => { await scripts.latchkeyEndWhole(key, mark, count) }
    },
    async replay () {
      if (replaying) return
      replaying = true
      for (const [member, change] of [...open]) {
        if (open.get(member) !== change || !change.hasFailed) continue // a later change of the key stands for it
        if (!await make(member, change)) break // it does not take them yet
      }
      replaying = false
    }
  }
}

/** The same in this process. Keys are expected to come in the order of their ends; one that ends earlier is counted until its turn. */
export function createLocalEndingSet (): EndingSet {
  const ends = new Map<string, number>()
  let isWhole = false

  function trim (now: number, limit: number): number {
    let taken = 0
    for (const [key, endsAt] of ends) {
      if (endsAt > now || taken === limit) break
      ends.delete(key)
      taken++
    }
    return taken
  }

  function add (key: string, endsAt: number): void {
    ends.delete(key)
    ends.set(key, endsAt)
  }

  return {
    add,
    async addAll (many) {
      for (const [key, endsAt] of [...many].sort(([, one], [, other]) => one - other)) if (!ends.has(key)) add(key, endsAt)
    },
    remove (key) { ends.delete(key) },
    async count (now) {
      trim(now, Infinity)
      return ends.size
    },
    trim: async (now, limit) => trim(now, limit),
    isWhole: async () => isWhole,
    beginWhole: async () => async () => { isWhole = true },
    page: async (from, limit) => [...ends.keys()].reverse().slice(from, from + limit),
    async replay () { /* nothing is ever unsent */ }
  }
}
