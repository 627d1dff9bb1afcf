// The stores of guests' visits by one contract: in this process, and on Redis where there is one; then what only one of
// them promises.
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { createLocalGuestStore } from '../../../src/visit/local-guest-store.ts'
import { createRedisGuestStore } from '../../../src/visit/redis-guest-store.ts'
import { newVisitorId, type VisitLimits, type VisitorId } from '../../../src/visit/visit-rules.ts'
import { createStillClock } from '../../helper/clock.ts'
import { redisUrl } from '../../helper/engines.ts'
import { actionAt, begin, guestStoreContract, idleMs, listDue, pageAt, pages, type OpenGuestStore } from './guest-store.contract.ts'

const limits: VisitLimits = { idleMs, mostEntries: 1000 }
const keepMs = 86_400_000
const unavailable = { name: 'LatchkeyError', code: 'unavailable' }

const local = async (rules: VisitLimits, capacity?: number): Promise<OpenGuestStore> => {
  const clock = createStillClock()
  return { clock, store: createLocalGuestStore({ now: clock.wall, ...rules, ...(capacity !== undefined && { capacity }) }), close: async () => {} }
}

interface RealStore extends OpenGuestStore { client: Redis, prefix: string, keys: () => Promise<string[]> }

const real = async (rules: VisitLimits): Promise<RealStore> => {
  const client = new Redis(redisUrl as string)
  const prefix = `t${randomBytes(6).toString('hex')}:visit:`
  const keys = (): Promise<string[]> => client.keys(`${prefix}*`)
  return {
    clock: createStillClock(),
    client,
    prefix,
    keys,
    store: createRedisGuestStore({ client, prefix, ...rules }),
    async close () {
      const left = await keys()
      if (left.length > 0) await client.del(...left)
      client.disconnect()
    }
  }
}

/** Visits whose ids begin with the same byte stand in the same bucket. */
const visitorIn = (bucket: number): VisitorId => newVisitorId((size) => Buffer.concat([Buffer.from([bucket]), randomBytes(size - 1)]))

await guestStoreContract(t, 'in this process', local)
if (redisUrl !== undefined) await guestStoreContract(t, 'on Redis', real)

await t.test('in this process: it holds as many visits as it may, and then begins none until one is dropped', async (t) => {
  const opened = await local(limits, 2)
  const { store, clock } = opened
  const [first, second] = [await begin(opened), await begin(opened)]
  await t.rejects(store.create(newVisitorId(randomBytes).visitId, clock.wall()), unavailable)
  t.equal(await store.append(second, 'page', pageAt(clock.wall()), clock.wall()), 1, 'those that run go on')
  await store.end(first, clock.wall())
  await t.rejects(store.create(newVisitorId(randomBytes).visitId, clock.wall()), unavailable, 'an ended one still waits for the archive')
  await store.drop(first.visitId)
  t.equal(await store.append(await begin(opened), 'page', pageAt(clock.wall()), clock.wall()), 1)
})

await t.test('in this process: an identity runs out by the clock, and notes nothing then, though the visit runs', async (t) => {
  const opened = await local(limits)
  const { store, clock } = opened
  const guest = await begin(opened)
  clock.advance(idleMs - 1)
  t.ok(await store.records.get(guest))
  await store.touch(guest.visitId, clock.wall())
  clock.advance(1)
  t.equal(await store.records.get(guest), null)
  t.equal(await store.append(guest, 'page', pageAt(clock.wall()), clock.wall()), 'none')
  t.equal(await store.end(guest, clock.wall()), null)
  t.ok(await store.read(guest.visitId, pages, clock.wall()))
})

await t.test('in this process: looking for what is due removes the identities that have run out, and no others', async (t) => {
  const opened = await local(limits)
  const { store, clock } = opened
  const gone = await begin(opened)
  clock.advance(1)
  const young = await begin(opened)
  clock.advance(idleMs - 1)
  await listDue(store, clock.wall())
  t.ok(await store.records.get(young))
  clock.setWallBy(-idleMs)
  t.ok(await store.records.get(young))
  t.equal(await store.records.get(gone), null, 'gone, not hidden: setting the clock back does not bring it back')
})

await t.test('in this process: what was ended is due at once, and without end everything is', async (t) => {
  const opened = await local(limits)
  const [ended, running] = [await begin(opened), await begin(opened)]
  await opened.store.end(ended, opened.clock.wall())
  t.strictSame(await listDue(opened.store, opened.clock.wall()), [ended.visitId])
  t.strictSame(await listDue(opened.store, Infinity), [ended.visitId, running.visitId].sort())
  t.strictSame((await opened.store.settle(running.visitId, Infinity))?.endTime, new Date(opened.clock.wall()))
})

const skip = redisUrl === undefined && 'needs a Redis (REDIS_URL)'

await t.test('on Redis: all keys of a visit share a slot and run out by themselves, a day after its idle time', { skip }, async (t) => {
  const opened = await real(limits)
  t.teardown(opened.close)
  const { store, clock, client, prefix, keys } = opened
  const guest = await begin(opened)
  const visit = `${prefix}{${guest.visitId}}`
  const record = `${visit}:by:${guest.cookieId}`
  const own = async (): Promise<string[]> => (await keys()).filter((key) => !key.startsWith(`${prefix}due:`)).sort()
  const checkEnds = async (): Promise<void> => {
    for (const key of await own()) {
      const rest = await client.pttl(key)
      const whole = key === record ? idleMs : idleMs + keepMs
      t.ok(rest > whole - 60_000 && rest <= whole, `${key.slice(visit.length)}: ${rest} ms`)
    }
  }
  t.strictSame(await own(), [visit, record].sort())
  await checkEnds()
  await store.append(guest, 'page', pageAt(clock.wall()), clock.wall())
  await store.append(guest, 'action', actionAt(clock.wall()), clock.wall())
  t.strictSame(await own(), [visit, `${visit}:page`, `${visit}:action`, record].sort())
  await checkEnds()
  await store.end(guest, clock.wall())
  for (const key of await own()) t.ok(await client.pttl(key) > 0, `${key.slice(visit.length)}: ending makes no key immortal`)
  await store.drop(guest.visitId)
  t.strictSame(await keys(), [record], 'dropped, only the identity is left, to run out')
})

await t.test('on Redis: noting and renewing keep the visit and both its lists, and looking keeps nothing', { skip }, async (t) => {
  const opened = await real(limits)
  t.teardown(opened.close)
  const { store, clock, client, prefix } = opened
  const guest = await begin(opened)
  const visit = `${prefix}{${guest.visitId}}`
  const held = [visit, `${visit}:page`, `${visit}:action`]
  const rests = async (keys: string[]) => await Promise.all(keys.map((key) => client.pttl(key)))
  const age = async () => { for (const key of [...held, `${visit}:by:${guest.cookieId}`]) await client.pexpire(key, 60_000) }
  const isKept = (rest: number) => rest > idleMs + keepMs - 60_000

  await store.append(guest, 'page', pageAt(clock.wall()), clock.wall())
  await store.append(guest, 'action', actionAt(clock.wall()), clock.wall())
  for (const [kind, entry] of [['page', pageAt(clock.wall())], ['action', actionAt(clock.wall())]] as const) {
    await age()
    await store.append(guest, kind, entry, clock.wall())
    t.ok((await rests(held)).every(isKept), `a further ${kind}`)
    t.ok(await client.pttl(`${visit}:by:${guest.cookieId}`) > idleMs - 60_000, 'and the identity')
  }
  await age()
  await store.read(guest.visitId, pages, clock.wall())
  t.ok((await rests(held)).every((rest) => rest <= 60_000))
  await store.touch(guest.visitId, clock.wall())
  t.ok((await rests(held)).every(isKept), 'a renewal')
})

await t.test('on Redis: when a visit is due stands once, in one of 64 buckets, put off by settling alone', { skip }, async (t) => {
  const opened = await real(limits)
  t.teardown(opened.close)
  const { store, clock, client, prefix, keys } = opened
  const began = clock.wall()
  const guests = await Promise.all(Array.from({ length: 256 }, (_, first) => begin(opened, visitorIn(first))))
  const buckets = (await keys()).filter((key) => key.startsWith(`${prefix}due:`))
  t.strictSame(buckets.sort(), Array.from({ length: 64 }, (_, bucket) => `${prefix}due:${bucket}`).sort())
  const scores = async ({ visitId }: VisitorId) => (await Promise.all(buckets.map((key) => client.zscore(key, visitId)))).filter((score) => score !== null).map(Number)
  const guest = guests[77] as VisitorId
  clock.advance(1000)
  await store.append(guest, 'page', pageAt(clock.wall()), clock.wall())
  await store.touch(guest.visitId, clock.wall())
  t.strictSame(await scores(guest), [began + idleMs])
  await store.settle(guest.visitId, clock.wall())
  t.strictSame(await scores(guest), [began + 1000 + idleMs])
  t.equal((await listDue(store, began + idleMs)).length, 255, 'every bucket is looked into')
})

await t.test('on Redis: more of a bucket than one reading brings are due once each, and where none can be settled the reading ends', { skip }, async (t) => {
  const opened = await real(limits)
  t.teardown(opened.close)
  const { store, clock } = opened
  const guests = await Promise.all(Array.from({ length: 250 }, () => begin(opened, visitorIn(5))))
  t.equal((await listDue(store, clock.wall() + idleMs)).length, 100)
  const seen: string[] = []
  for await (const ids of store.due(clock.wall() + idleMs)) {
    seen.push(...ids)
    for (const id of ids) await store.drop(id)
  }
  t.strictSame(seen.sort(), guests.map(({ visitId }) => visitId).sort())
})

await t.test('on Redis: what is due and is not there is forgotten when it is settled', { skip }, async (t) => {
  const opened = await real(limits)
  t.teardown(opened.close)
  const { store, clock, client, prefix, keys } = opened
  const guest = await begin(opened)
  await client.del(`${prefix}{${guest.visitId}}`)
  clock.advance(idleMs)
  t.strictSame(await listDue(store, clock.wall()), [guest.visitId])
  t.equal(await store.settle(guest.visitId, clock.wall()), null)
  t.strictSame((await keys()).filter((key) => key.includes(':due:')), [])
})

await t.test('on Redis: a call that gets no answer rejects, it invents none', { skip }, async (t) => {
  const opened = await real(limits)
  const { store, clock, client } = opened
  const guest = await begin(opened)
  t.teardown(async () => {
    await client.connect()
    await opened.close()
  })
  client.disconnect()
  const now = clock.wall()
  const { records } = store
  const calls: (() => Promise<unknown>)[] = [
    () => records.get(guest),
    () => records.set(guest, '{}'),
    () => records.delete(guest),
    () => store.create(guest.visitId, now),
    () => store.append(guest, 'page', pageAt(now), now),
    () => store.touch(guest.visitId, now),
    () => store.read(guest.visitId, pages, now),
    () => store.end(guest, now),
    () => listDue(store, now),
    () => store.settle(guest.visitId, now),
    () => store.drop(guest.visitId)
  ]
  for (const call of calls) await t.rejects(call(), String(call))
})
