// Room `visit`: the visits of guests in Redis. Every script touches the keys of one visit, which share a slot; when a
// visit is due stands in one of 64 sorted sets, entered before the visit and put off by the job alone, so that noting a
// page is one round trip. Data outlive the idle time by a day, in which the archive can fetch them.
import type { RedisClient } from '../cache/shared-tier.ts'
import { defineGuestScripts, type EndedReply } from './redis-guest-scripts.ts'
import type { GuestStore } from './guest-store.ts'
import type { ActionEntry, EndedVisit, Entry, EntryKind, PageEntry, VisitLimits, VisitorId } from './visit-rules.ts'

const bucketCount = 64

/** Visits that one reading of a bucket brings. */
const atOnce = 100

/** Milliseconds that data stay beyond the idle time. */
const keepMs = 86_400_000

export interface RedisGuestOptions extends VisitLimits {
  client: RedisClient
  /** Begins every key, such as `lk:visit:`. */
  prefix: string
}

export function createRedisGuestStore ({ client, prefix, idleMs, mostEntries }: RedisGuestOptions): GuestStore {
  const scripts = defineGuestScripts(client)
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
        for (let ids: string[] = []; ;) {
          const before = new Set(ids)
          ids = await client.zrangebyscore(dueKey(bucket), '-inf', now, 'LIMIT', 0, atOnce)
          if (ids.every((id) => before.has(id))) break // all settled, or what is left could not be
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
