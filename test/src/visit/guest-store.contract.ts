// What every store of guests' visits promises, whatever holds them. The clock stands still until a story moves it, and
// every identity is recorded as the session store does it.
import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import type { GuestStore } from '../../../src/visit/guest-store.ts'
import { recordText } from '../../../src/visit/redis-session-store.ts'
import { entryOf, newVisitorId, type ActionEntry, type Details, type PageEntry, type Slice, type VisitLimits, type VisitorId } from '../../../src/visit/visit-rules.ts'
import type { TestClock } from '../../helper/clock.ts'

export interface OpenGuestStore { store: GuestStore, clock: TestClock, close: () => Promise<void> }

/** Long enough that an engine's own clock, which nobody moves, ends nothing meanwhile. */
export const idleMs = 1_800_000

export const pages: Slice = { kind: 'page', offset: 0, limit: 200 }
export const actions: Slice = { ...pages, kind: 'action' }
const member = { userId: 'user-1', sid: 'sid-1' }

const entryId = (): string => randomBytes(9).toString('base64url')
export const pageAt = (now: number, pageId = 'home'): PageEntry => entryOf({ kind: 'page', pageId }, entryId(), now) as PageEntry
export const actionAt = (now: number, target?: string, details?: Details): ActionEntry => entryOf({ kind: 'action', action: 'click', target, details }, entryId(), now) as ActionEntry

/** A visit with its identity. */
export async function begin ({ store, clock }: Pick<OpenGuestStore, 'store' | 'clock'>, visitor = newVisitorId(randomBytes)): Promise<VisitorId> {
  await store.create(visitor.visitId, clock.wall())
  await store.records.set(visitor, recordText({ visitId: visitor.visitId }))
  return visitor
}

export async function listDue (store: GuestStore, now: number): Promise<string[]> {
  const ids: string[] = []
  for await (const some of store.due(now)) ids.push(...some)
  return ids.sort()
}

interface Kit extends OpenGuestStore { guest: VisitorId }

export async function guestStoreContract (t: Test, name: string, open: (limits: VisitLimits) => Promise<OpenGuestStore>): Promise<void> {
  const story = (promise: string, run: (t: Test, kit: Kit) => Promise<void>, mostEntries = 1000): Promise<unknown> => t.test(`${name}: ${promise}`, async (t) => {
    const opened = await open({ idleMs, mostEntries })
    t.teardown(opened.close)
    await run(t, { ...opened, guest: await begin(opened) })
  })

  /** A visit that is not there, or not any more, for anybody who asks. */
  async function takesNothing (t: Test, { store, clock, guest }: Omit<Kit, 'close'>, why: string): Promise<void> {
    const now = clock.wall()
    t.equal(await store.append(guest, 'page', pageAt(now), now), 'none', `${why}: no page`)
    t.equal(await store.append(guest, 'action', actionAt(now), now), 'none', `${why}: no action`)
    t.equal(await store.touch(guest.visitId, now), false, `${why}: no renewal`)
    t.equal(await store.read(guest.visitId, pages, now), null, `${why}: nothing to read`)
  }

  await story('a visit begins empty, under its own id only', async (t, { store, clock, guest }) => {
    const startTime = new Date(clock.wall())
    clock.advance(10)
    const empty = { id: guest.visitId, startTime, endTime: null, pageCount: 0, actionCount: 0, entries: [] }
    t.strictSame(await store.read(guest.visitId, pages, clock.wall()), empty)
    t.strictSame(await store.read(guest.visitId, actions, clock.wall()), empty)
    await takesNothing(t, { store, clock, guest: newVisitorId(randomBytes) }, 'of another id')
  })

  await story('entries are counted by kind and come back as they were, in their order', async (t, { store, clock, guest }) => {
    const home = pageAt(clock.wall())
    t.equal(await store.append(guest, 'page', home, clock.wall()), 1)
    clock.advance(7)
    const shop = pageAt(clock.wall(), 'shop "ü"\n\u2028')
    const [plain, full] = [actionAt(clock.wall()), actionAt(clock.wall(), 'buy', { price: 12.5, gift: false, note: '{}' })]
    t.equal(await store.append(guest, 'page', shop, clock.wall()), 2)
    t.equal(await store.append(guest, 'action', plain, clock.wall()), 1)
    t.equal(await store.append(guest, 'action', full, clock.wall()), 2)
    t.strictSame([plain.target, plain.details], [null, null])

    const read = async (slice: Slice) => await store.read(guest.visitId, slice, clock.wall())
    t.strictSame((await read(pages))?.entries, [home, shop], 'with their times as times')
    t.strictSame((await read(actions))?.entries, [plain, full])
    const ended = await store.end(guest, clock.wall())
    t.strictSame(ended?.pages, [home, shop])
    t.strictSame(ended?.actions, [plain, full])
  })

  await story('a part of a list is the part that was asked for', async (t, { store, clock, guest }) => {
    for (const name of 'abcde') await store.append(guest, 'page', pageAt(clock.wall(), name), clock.wall())
    const names = async (offset: number, limit: number) => (await store.read(guest.visitId, { kind: 'page', offset, limit }, clock.wall()))?.entries.map((entry) => (entry as PageEntry).pageId).join('')
    t.equal(await names(0, 1), 'a')
    t.equal(await names(1, 3), 'bcd')
    t.equal(await names(4, 50), 'e')
    t.equal(await names(5, 50), '', 'behind its end is nothing')
    t.match(await store.read(guest.visitId, { kind: 'page', offset: 9, limit: 1 }, clock.wall()), { pageCount: 5 })
  })

  await story('who does not have the identity notes nothing and ends nothing', async (t, { store, clock, guest }) => {
    const now = clock.wall()
    const other = await begin({ store, clock })
    for (const stranger of [{ ...guest, cookieId: other.cookieId }, { ...guest, cookieId: '' }, { ...other, cookieId: guest.cookieId }]) {
      t.equal(await store.append(stranger, 'page', pageAt(now), now), 'none')
      t.equal(await store.end(stranger, now), null)
      t.equal(await store.end(stranger, now, member), null)
      t.equal(await store.records.get(stranger), null)
    }
    t.match(await store.read(guest.visitId, pages, now), { pageCount: 0, endTime: null })
    t.equal(await store.records.get(guest), recordText({ visitId: guest.visitId }))

    await store.records.delete(guest)
    t.equal(await store.records.get(guest), null)
    t.strictSame([await store.append(guest, 'page', pageAt(now), now), await store.end(guest, now)], ['none', null], 'nor who has it no more')
    t.equal(await store.append(other, 'page', pageAt(now), now), 1, 'the other keeps its own')
  })

  await story('a visit takes exactly as many pages as it may, and actions apart from them', async (t, { store, clock, guest }) => {
    const now = clock.wall()
    for (const count of [1, 2, 3]) t.equal(await store.append(guest, 'page', pageAt(now), now), count)
    t.equal(await store.append(guest, 'page', pageAt(now), now), 'full')
    for (const count of [1, 2, 3]) t.equal(await store.append(guest, 'action', actionAt(now), now), count)
    t.equal(await store.append(guest, 'action', actionAt(now), now), 'full')
    t.match(await store.read(guest.visitId, pages, now), { pageCount: 3, actionCount: 3 })
    const ended = await store.end(guest, now)
    t.strictSame([ended?.pages.length, ended?.actions.length], [3, 3], 'and what was refused is not in it')
  }, 3)

  await story('it is over exactly when it has been idle for its time', async (t, kit) => {
    const { store, clock, guest } = kit
    clock.advance(idleMs - 1)
    t.ok(await store.read(guest.visitId, pages, clock.wall()))
    await store.records.set(guest, recordText({ visitId: guest.visitId }))
    clock.advance(1)
    await takesNothing(t, kit, 'idle, though its identity is not')
    t.strictSame([await store.end(guest, clock.wall()), await store.end(guest, clock.wall(), member)], [null, null])
  })

  await story('a page, an action and a renewal each begin the idle time anew, looking does not', async (t, kit) => {
    const { store, clock, guest } = kit
    clock.advance(idleMs - 1)
    t.equal(await store.append(guest, 'page', pageAt(clock.wall()), clock.wall()), 1)
    clock.advance(idleMs - 1)
    t.equal(await store.append(guest, 'action', actionAt(clock.wall()), clock.wall()), 1)
    clock.advance(idleMs - 1)
    t.equal(await store.touch(guest.visitId, clock.wall()), true)
    clock.advance(idleMs - 1)
    t.match(await store.read(guest.visitId, pages, clock.wall()), { pageCount: 1, actionCount: 1 })
    clock.advance(1)
    await takesNothing(t, kit, 'idle')
  })

  await story('a present time that lags behind takes no idle time away', async (t, { store, clock, guest }) => {
    const now = clock.wall()
    await store.append(guest, 'page', pageAt(now), now - 60_000)
    await store.touch(guest.visitId, now - 60_000)
    t.ok(await store.read(guest.visitId, pages, now + idleMs - 1))
    t.strictSame((await store.settle(guest.visitId, now + idleMs))?.endTime, new Date(now))
  })

  await story('a visit that was ended takes nothing, and ending it twice gives the same', async (t, kit) => {
    const { store, clock, guest } = kit
    const startTime = new Date(clock.wall())
    const [page, action] = [pageAt(clock.wall()), actionAt(clock.wall())]
    await store.append(guest, 'page', page, clock.wall())
    await store.append(guest, 'action', action, clock.wall())
    clock.advance(5000)
    const expected = { id: guest.visitId, member: null, startTime, endTime: new Date(clock.wall()), pages: [page], actions: [action] }
    t.strictSame(await store.end(guest, clock.wall()), expected)
    clock.advance(5000)
    await takesNothing(t, kit, 'ended')
    t.strictSame(await store.end(guest, clock.wall()), expected)
    await store.records.set(guest, recordText({ visitId: guest.visitId }))
    clock.advance(idleMs - 1)
    t.strictSame(await store.end(guest, clock.wall()), expected, 'however late')
    t.strictSame(await store.settle(guest.visitId, clock.wall()), expected)
    t.equal(await store.end(guest, clock.wall(), member), null, 'nobody takes over what its visitor has ended')
    t.match(await store.settle(guest.visitId, clock.wall()), { member: null })
  })

  await story('who takes a visit over ends it and its identity with it', async (t, kit) => {
    const { store, clock, guest } = kit
    await store.append(guest, 'page', pageAt(clock.wall()), clock.wall())
    const ended = await store.end(guest, clock.wall(), member)
    t.strictSame([ended?.member, ended?.endTime, ended?.pages.length], [member, new Date(clock.wall()), 1])
    t.equal(await store.records.get(guest), null)
    t.equal(await store.end(guest, clock.wall(), { userId: 'user-2', sid: 'sid-2' }), null)
    t.equal(await store.end(guest, clock.wall()), null)
    await takesNothing(t, kit, 'taken over')
    clock.advance(1)
    t.strictSame(await store.settle(guest.visitId, clock.wall()), ended, 'it stays that member\'s until it is dropped')
  })

  await story('of many that take it over at once one gets it', async (t, { store, clock, guest }) => {
    const taken = await Promise.all(Array.from({ length: 10 }, (_, at) => store.end(guest, clock.wall(), { userId: `user-${at}`, sid: `sid-${at}` })))
    const winners = taken.filter((one) => one !== null)
    t.equal(winners.length, 1)
    t.strictSame((await store.settle(guest.visitId, clock.wall()))?.member, winners[0]?.member)
  })

  await story('settling leaves a running visit alone and ends an idle one at its last time', async (t, kit) => {
    const { store, clock, guest } = kit
    clock.advance(idleMs - 1)
    const [startTime, page] = [new Date(clock.wall() - idleMs + 1), pageAt(clock.wall())]
    await store.append(guest, 'page', page, clock.wall())
    clock.advance(idleMs - 1)
    t.equal(await store.settle(guest.visitId, clock.wall()), null)
    t.strictSame(await listDue(store, clock.wall()), [], 'it is put off')
    t.ok(await store.read(guest.visitId, pages, clock.wall()))
    clock.advance(1)
    t.strictSame(await listDue(store, clock.wall()), [guest.visitId])
    const settled = await store.settle(guest.visitId, clock.wall())
    t.strictSame(settled, { id: guest.visitId, member: null, startTime, endTime: page.at, pages: [page], actions: [] })
    clock.advance(1000)
    t.strictSame(await store.settle(guest.visitId, clock.wall()), settled, 'again the same')
    await takesNothing(t, kit, 'settled')
    t.equal(await store.append(guest, 'page', pageAt(clock.wall()), page.at.getTime()), 'none', 'also by a clock that lags behind')
    t.equal(await store.settle(newVisitorId(randomBytes).visitId, clock.wall()), null, 'and nothing comes of a visit that is not there')
  })

  await story('due are the idle ones and the ended ones until they are dropped', async (t, { store, clock, guest }) => {
    const ended = await begin({ store, clock })
    await store.end(ended, clock.wall())
    clock.advance(idleMs - 1)
    await begin({ store, clock })
    t.notOk((await listDue(store, clock.wall())).includes(guest.visitId), 'not before its time')
    clock.advance(1)
    t.strictSame(await listDue(store, clock.wall()), [guest.visitId, ended.visitId].sort())
    await store.settle(guest.visitId, clock.wall())
    await store.settle(ended.visitId, clock.wall())
    t.strictSame(await listDue(store, clock.wall()), [guest.visitId, ended.visitId].sort(), 'settled alone is not archived')
    await store.drop(guest.visitId)
    t.strictSame(await listDue(store, clock.wall()), [ended.visitId])
  })

  await story('what was dropped is forgotten', async (t, kit) => {
    const { store, clock, guest } = kit
    await store.append(guest, 'page', pageAt(clock.wall()), clock.wall())
    await store.end(guest, clock.wall())
    await store.drop(guest.visitId)
    await takesNothing(t, kit, 'dropped')
    t.strictSame([await store.end(guest, clock.wall()), await store.settle(guest.visitId, clock.wall())], [null, null])
    t.strictSame(await listDue(store, clock.wall() + idleMs), [])
  })

  await story('of many that note at once none is lost and each is kept once, until the end', async (t, { store, clock, guest }) => {
    const now = clock.wall()
    const noted = Array.from({ length: 200 }, (_, at) => at % 2 === 0 ? pageAt(now) : actionAt(now))
    const note = (entry: PageEntry | ActionEntry) => store.append(guest, 'pageId' in entry ? 'page' : 'action', entry, now)
    const counts = await Promise.all(noted.slice(0, 100).map(note))
    t.strictSame(counts.filter((_, at) => at % 2 === 0).sort((one, other) => Number(one) - Number(other)), Array.from({ length: 50 }, (_, at) => at + 1), 'each is told its own number')
    const [before, ended, after] = await Promise.all([Promise.all(noted.slice(100, 150).map(note)), store.end(guest, now), Promise.all(noted.slice(150).map(note))])
    const told = [...counts, ...before, ...after]
    const kept = noted.filter((_, at) => told[at] !== 'none').map(({ id }) => id)
    t.strictSame([...ended?.pages ?? [], ...ended?.actions ?? []].map(({ id }) => id).sort(), kept.sort(), 'what was told to be noted is in it, and nothing else')
  })
}
