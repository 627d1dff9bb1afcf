// Room `visit`: what Redis does with a guest's visit, each in one step. A visit is a hash (`started`, `seen`, `ended`, how many
// pages and actions; whose it became) and two lists; the record of the identity stands beside it. Times are milliseconds
// since the epoch and come from the caller; a visit whose `seen` lies an idle time back is over, whatever its TTL says.
import type { RedisClient } from '../cache/shared-tier.ts'
import type { EntryKind } from './visit-rules.ts'

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

/** Start, end, user and login (empty for a guest), pages, actions. */
export type EndedReply = [string, string, string, string, string[], string[]]

export interface GuestScripts {
  latchkeyVisitAppend: (record: string, visit: string, list: string, other: string, now: number, idleMs: number, keepMs: number, kind: EntryKind, most: number, entry: string) => Promise<number>
  latchkeyVisitTouch: (visit: string, pages: string, actions: string, now: number, idleMs: number, keepMs: number) => Promise<number>
  latchkeyVisitRead: (visit: string, list: string, now: number, idleMs: number, first: number, last: number) => Promise<[string, string, string, string[]] | null>
  latchkeyVisitEnd: (record: string, visit: string, pages: string, actions: string, now: number, idleMs: number, userId: string, sid: string) => Promise<EndedReply | null>
  latchkeyVisitSettle: (visit: string, pages: string, actions: string, now: number, idleMs: number) => Promise<EndedReply | string | null>
}

/** Teaches a client the scripts. */
export function defineGuestScripts (client: RedisClient): GuestScripts {
  client.defineCommand('latchkeyVisitAppend', { numberOfKeys: 4, lua: appendScript })
  client.defineCommand('latchkeyVisitTouch', { numberOfKeys: 3, lua: touchScript })
  client.defineCommand('latchkeyVisitRead', { numberOfKeys: 2, lua: readScript })
  client.defineCommand('latchkeyVisitEnd', { numberOfKeys: 4, lua: endScript })
  client.defineCommand('latchkeyVisitSettle', { numberOfKeys: 3, lua: settleScript })
  return client as unknown as GuestScripts
}
