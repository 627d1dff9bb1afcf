// Room `visit`: the visits of guests in Redis. Every script touches the keys of one visit, which share a slot; when a
// visit is due stands in one of 64 sorted sets, entered before the visit and put off by the job alone, so that noting a
// page is one round trip. Data outlive the idle time by a day, in which the archive can fetch them.
import type { RedisClient } from '../cache/shared-tier.ts'
import type { GuestStore } from './guest-store.ts'
import type { ActionEntry, EndedVisit, Entry, EntryKind, PageEntry, VisitLimits, VisitorId } from './visit-rules.ts'

const bucketCount = 64

/** Visits that one reading of a bucket brings. */
const atOnce = 100

/** Milliseconds that data stay beyond the idle time. */
const keepMs = 86_400_000

// KEYS: record, visit, list, the other list. ARGV: now, idle, keep, kind, most, entry
const appendScript = `
local visit = redis.call('HMGET', KEYS[2], 'seen', 'ended', ARGV[4])
if not visit[1] or visit[2] or visit[1] + ARGV[2] <= tonumber(ARGV[1]) or redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if tonumber(visit[3] or 0) >= tonumber(ARGV[5]) then return -2 end
if tonumber(ARGV[1]) > tonumber(visit[1]) then redis.call('HSET', KEYS[2], 'seen', ARGV[1]) end
redis.call('RPUSH', KEYS[3], ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
for i = 2, 4 do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
return redis.call('HINCRBY', KEYS[2], ARGV[4], 1)`

// KEYS: visit, pages, actions. ARGV: now, idle, keep
const touchScript = `
local visit = redis.call('HMGET', KEYS[1], 'seen', 'ended')
if not visit[1] or visit[2] or visit[1] + ARGV[2] <= tonumber(ARGV[1]) then return 0 end
if tonumber(ARGV[1]) > tonumber(visit[1]) then redis.call('HSET', KEYS[1], 'seen', ARGV[1]) end
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
return 1`

// KEYS: visit, list. ARGV: now, idle, first, last
const readScript = `
local visit = redis.call('HMGET', KEYS[1], 'seen', 'ended', 'started', 'page', 'action')
if not visit[1] or visit[2] or visit[1] + ARGV[2] <= tonumber(ARGV[1]) then return false end
return { visit[3], visit[4] or '0', visit[5] or '0', redis.call('LRANGE', KEYS[2], ARGV[3], ARGV[4]) }`

// KEYS: record, visit, pages, actions. ARGV: now, idle, userId, sid (both empty: its own visitor ends it)
const endScript = `
local visit = redis.call('HMGET', KEYS[2], 'seen', 'ended', 'started', 'userId', 'sid')
if not visit[1] or redis.call('EXISTS', KEYS[1]) == 0 then return false end
if not visit[2] and visit[1] + ARGV[2] <= tonumber(ARGV[1]) then return false end
if ARGV[3] ~= '' then
  if visit[2] then return false end
  visit[4], visit[5] = ARGV[3], ARGV[4]
  redis.call('HSET', KEYS[2], 'userId', ARGV[3], 'sid', ARGV[4])
  redis.call('DEL', KEYS[1])
end
if not visit[2] then
  visit[2] = ARGV[1]
  redis.call('HSET', KEYS[2], 'ended', ARGV[1])
end
return { visit[3], visit[2], visit[4] or '', visit[5] or '', redis.call('LRANGE', KEYS[3], 0, -1), redis.call('LRANGE', KEYS[4], 0, -1) }`

// KEYS: visit, pages, actions. ARGV: now, idle
const settleScript = `
local visit = redis.call('HMGET', KEYS[1], 'seen', 'ended', 'started', 'userId', 'sid')
if not visit[1] then return false end
if not visit[2] then
  if visit[1] + ARGV[2] > tonumber(ARGV[1]) then return visit[1] end
  visit[2] = visit[1]
  redis.call('HSET', KEYS[1], 'ended', visit[1])
end
return { visit[3], visit[2], visit[4] or '', visit[5] or '', redis.call('LRANGE', KEYS[2], 0, -1), redis.call('LRANGE', KEYS[3], 0, -1) }`

type EndedReply = [string, string, string, string, string[], string[]]

interface Scripts {
  latchkeyVisitAppend: (record: string, visit: string, list: string, other: string, now: number, idleMs: number, keepMs: number, kind: EntryKind, most: number, entry: string) => Promise<number>
  latchkeyVisitTouch: (visit: string, pages: string, actions: string, now: number, idleMs: number, keepMs: number) => Promise<number>
  latchkeyVisitRead: (visit: string, list: string, now: number, idleMs: number, first: number, last: number) => Promise<[string, string, string, string[]] | null>
  latchkeyVisitEnd: (record: string, visit: string, pages: string, actions: string, now: number, idleMs: number, userId: string, sid: string) => Promise<EndedReply | null>
  latchkeyVisitSettle: (visit: string, pages: string, actions: string, now: number, idleMs: number) => Promise<EndedReply | string | null>
}

export interface RedisGuestOptions extends VisitLimits {
  client: RedisClient
  /** Begins every key, such as `lk:visit:`. */
  prefix: string
}

export function createRedisGuestStore ({ client, prefix, idleMs, mostEntries }: RedisGuestOptions): GuestStore {
  client.defineCommand('latchkeyVisitAppend', { numberOfKeys: 4, lua: appendScript })
  client.defineCommand('latchkeyVisitTouch', { numberOfKeys: 3, lua: touchScript })
  client.defineCommand('latchkeyVisitRead', { numberOfKeys: 2, lua: readScript })
  client.defineCommand('latchkeyVisitEnd', { numberOfKeys: 4, lua: endScript })
  client.defineCommand('latchkeyVisitSettle', { numberOfKeys: 3, lua: settleScript })
  const scripts = client as unknown as Scripts
  const wholeMs = idleMs + keepMs

  const visitKey = (visitId: string): string => `${prefix}{${visitId}}`
  const listKey = (visitId: string, kind: EntryKind): string => `${visitKey(visitId)}:${kind}`
  const recordKey = (visitor: VisitorId): string => `${visitKey(visitor.visitId)}:by:${visitor.cookieId}`
  const keysOf = (visitId: string): [string, string, string] => [visitKey(visitId), listKey(visitId, 'page'), listKey(visitId, 'action')]
  const dueKey = (bucket: number): string => `${prefix}due:${bucket}`
  const dueKeyOf = (visitId: string): string => dueKey(Buffer.from(visitId, 'base64url').readUInt8() % bucketCount)

  return {
    records: {
      get: (visitor) => client.get(recordKey(visitor)),
      async set (visitor, text) { await client.set(recordKey(visitor), text, 'PX', idleMs) },
      async delete (visitor) { await client.del(recordKey(visitor)) }
    },
    async create (visitId, now) {
      await client.zadd(dueKeyOf(visitId), now + idleMs, visitId) // first: what is due and is not there harms nobody
      await client.multi().hset(visitKey(visitId), { started: now, seen: now }).pexpire(visitKey(visitId), wholeMs).exec()
    },
    async append (visitor, kind, entry, now) {
      const { visitId } = visitor
      const count = await scripts.latchkeyVisitAppend(recordKey(visitor), visitKey(visitId), listKey(visitId, kind), listKey(visitId, kind === 'page' ? 'action' : 'page'), now, idleMs, wholeMs, kind, mostEntries, JSON.stringify(entry))
      return count === -1 ? 'none' : count === -2 ? 'full' : count
    },
    touch: async (visitId, now) => await scripts.latchkeyVisitTouch(...keysOf(visitId), now, idleMs, wholeMs) === 1,
    async read (visitId, { kind, offset, limit }, now) {
      const found = await scripts.latchkeyVisitRead(visitKey(visitId), listKey(visitId, kind), now, idleMs, offset, offset + limit - 1)
      if (found === null) return null
      const [started, pageCount, actionCount, texts] = found
      return { id: visitId, startTime: new Date(Number(started)), endTime: null, pageCount: Number(pageCount), actionCount: Number(actionCount), entries: texts.map(entryOf) }
    },
    async end (visitor, now, member) {
      const found = await scripts.latchkeyVisitEnd(recordKey(visitor), ...keysOf(visitor.visitId), now, idleMs, member?.userId ?? '', member?.sid ?? '')
      return found === null ? null : endedOf(visitor.visitId, found)
    },
    async * due (now) {
      for (let bucket = 0; bucket < bucketCount; bucket++) {
        for (let first: string | undefined, ids: string[] = []; ;) {
          first = ids[0]
          ids = await client.zrangebyscore(dueKey(bucket), '-inf', now, 'LIMIT', 0, atOnce)
          if (ids.length === 0 || ids[0] === first) break // all settled, or what is left could not be
          yield ids
        }
      }
    },
    async settle (visitId, now) {
      const found = await scripts.latchkeyVisitSettle(...keysOf(visitId), now, idleMs)
      if (found === null) await client.zrem(dueKeyOf(visitId), visitId)
      else if (typeof found === 'string') await client.zadd(dueKeyOf(visitId), Number(found) + idleMs, visitId)
      else return endedOf(visitId, found)
      return null
    },
    async hasten (visitId, now) { await client.zadd(dueKeyOf(visitId), now, visitId) },
    async drop (visitId) {
      await client.del(...keysOf(visitId))
      await client.zrem(dueKeyOf(visitId), visitId)
    }
  }
}

function entryOf (text: string): Entry {
  const entry = JSON.parse(text) as Entry
  return { ...entry, at: new Date(entry.at) }
}

function endedOf (id: string, [started, ended, userId, sid, pages, actions]: EndedReply): EndedVisit {
  return {
    id,
    member: userId === '' ? null : { userId, sid },
    startTime: new Date(Number(started)),
    endTime: new Date(Number(ended)),
    pages: pages.map(entryOf) as PageEntry[],
    actions: actions.map(entryOf) as ActionEntry[]
  }
}
