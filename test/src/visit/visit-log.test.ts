// The log of running visits: numbers decide who was first, one look finds how far a list is, and an end is for good.
import { randomBytes } from 'node:crypto'
import { MongoBulkWriteError, type BulkWriteResult, type Db, type WriteError } from 'mongodb'
import t from 'tap'
import { createVisitLog, logRecord, type NumberedRecord } from '../../../src/visit/visit-log.ts'
import { entryOf, newVisitId, type ActionEntry } from '../../../src/visit/visit-rules.ts'
import { createVisitKit, names, none, pageEntry, pagesOf } from './visit-kit.ts'

const kit = await createVisitKit(t, { mostEntries: 130 })
const { log, clock } = kit
const start = clock.wall()

/** Pages of a visit under the numbers from `first` on, each a second later than the one before. */
const pages = (visitId: string, count: number, first = 0): NumberedRecord[] =>
  names(count, first).map((name, i) => logRecord(visitId, 'page', first + i, pageEntry(name, start + (first + i) * 1000)))

const actions = (visitId: string, count: number): NumberedRecord[] =>
  names(count).map((name, n) => logRecord(visitId, 'action', n, entryOf({ kind: 'action', action: name }, `id-${n}`, start + n * 1000)))

async function holding (count: number, first = 0): Promise<string> {
  const visitId = newVisitId(randomBytes)
  if (count > 0) await log.insert(pages(visitId, count, first))
  return visitId
}

await t.test('who finds a number taken is told what stands there, and has the others stored', async (t) => {
  const visitId = await holding(2)
  const late = pages(visitId, 4, 1)
  const taken = await log.insert(late)
  t.strictSame([...taken.keys()].map(({ n }) => n), [1])
  const [first] = await log.findFrom(visitId, 'page', 1, 1)
  t.strictSame(taken.get(late[0] as NumberedRecord), first, 'it is the one that was first')
  t.not(first?.id, late[0]?.entry?.id)
  t.strictSame(first?.at, new Date(start + 1000))
  t.equal((await log.findFrom(visitId, 'page', 0, 100)).length, 5)
  t.strictSame(await log.insert(pages(visitId, 1, 5)), new Map())
})

await t.test('of many that take one number in parallel, one has it', async (t) => {
  const visitId = newVisitId(randomBytes)
  const tries = Array.from({ length: 20 }, () => pages(visitId, 1))
  const answers = await Promise.all(tries.map((records) => log.insert(records)))
  t.equal(answers.filter((taken) => taken.size === 0).length, 1)
  const [won] = await log.findFrom(visitId, 'page', 0, 1)
  for (const taken of answers) for (const entry of taken.values()) t.equal(entry?.id, won?.id)
})

await t.test('one number twice in one write: the second is told of the first', async (t) => {
  const visitId = newVisitId(randomBytes)
  const [one, two] = [...pages(visitId, 1), ...pages(visitId, 1)] as [NumberedRecord, NumberedRecord]
  const taken = await log.insert([one, two])
  t.strictSame([...taken.keys()], [two])
  t.equal(taken.get(two)?.id, one.entry?.id)
})

for (const brought of [0, 5, 64]) {
  await t.test(`one look finds how many entries there are and when the last came; ${brought} were brought`, async (t) => {
    // 130 is the bound today; 200 were lawful under a higher one
    for (const count of [0, 1, 63, 64, 65, 127, 128, 129, 130, 131, 192, 200]) {
      const visitId = await holding(count, brought)
      const expected = { count: brought + count, lastAt: count === 0 ? 0 : start + (brought + count - 1) * 1000 }
      t.strictSame(await log.findTails(visitId, { page: brought, action: 0 }), { page: expected, action: { count: 0, lastAt: 0 } }, `${count} entries`)
    }
  })
}

await t.test('each list has a tail of its own, whatever the other has', async (t) => {
  const visitId = await holding(65)
  await log.insert(actions(visitId, 3))
  t.strictSame(await log.findTails(visitId, none), { page: { count: 65, lastAt: start + 64_000 }, action: { count: 3, lastAt: start + 2000 } })
})

await t.test('a part of a list comes in order, and ends where the list does', async (t) => {
  const visitId = await holding(65)
  const part = async (first: number, limit: number) => pagesOf({ pages: await log.findFrom(visitId, 'page', first, limit) as [] })
  t.strictSame(await part(0, 3), ['p0', 'p1', 'p2'])
  t.strictSame(await part(9, 3), ['p9', 'p10', 'p11'], 'by number, not by text')
  t.strictSame(await part(0, 65), names(65))
  t.strictSame(await part(63, 10), ['p63', 'p64'])
  t.strictSame(await part(65, 10), [])
  t.strictSame(await log.findFrom(visitId, 'action', 0, 10), [])
  await log.close(visitId, none)
  t.strictSame(await part(63, 10), ['p63', 'p64'], 'the end itself is no entry')
})

await t.test('closing ends both lists once and reads all that came before, whoever closes and how often', async (t) => {
  const visitId = await holding(70)
  await log.insert(actions(visitId, 2))
  const both = await Promise.all([log.close(visitId, none), createVisitLog(kit.db, 130).close(visitId, none), log.close(visitId, none)])
  for (const closed of [...both, await log.close(visitId, none)]) {
    t.strictSame(pagesOf(closed), names(70))
    t.strictSame(closed.actions.map(({ action }: ActionEntry) => action), ['p0', 'p1'])
  }
  const ends = (await kit.logged(visitId)).filter(({ entry }) => entry === null)
  t.strictSame(ends.map(({ _id }) => _id).sort(), [`${visitId}:action:2`, `${visitId}:page:70`])
})

await t.test('a list of nothing is closed as well, and one behind what was brought', async (t) => {
  const empty = await holding(0)
  t.strictSame(await log.close(empty, none), { pages: [], actions: [] })
  t.strictSame(await log.close(empty, none), { pages: [], actions: [] })
  const visitId = await holding(2, 7)
  t.strictSame(pagesOf(await log.close(visitId, { page: 7, action: 0 })), ['p7', 'p8'])
})

await t.test('lists are read whole that are longer than one query asks for', async (t) => {
  const visitId = await holding(1001)
  t.strictSame(pagesOf({ pages: await log.findFrom(visitId, 'page', 0, 700) as [] }), names(700))
  t.strictSame(pagesOf(await log.close(visitId, none)), names(1001))
})

await t.test('what comes behind an end is in no reading, and can be taken out', async (t) => {
  const visitId = await holding(3)
  await log.close(visitId, none)
  const late = pages(visitId, 2, 3)
  const taken = await log.insert(late)
  t.strictSame([...taken], [[late[0], null]], 'the end was there; the one behind it is stored')
  t.strictSame(pagesOf(await log.close(visitId, none)), names(3))
  await log.remove([late[1] as NumberedRecord])
  t.equal((await kit.logged(visitId)).length, 5, 'three pages and two ends')
})

await t.test('entries that arrive while a list is closed are before its end or refused, never lost', async (t) => {
  const visitId = newVisitId(randomBytes)
  const inserting = names(30).map(async (_, n) => (await log.insert(pages(visitId, 1, n))).size === 0)
  const closed = await log.close(visitId, none)
  const stored = (await Promise.all(inserting)).map((is, n) => is ? n : -1).filter((n) => n >= 0 && n < closed.pages.length)
  t.strictSame(stored, [...closed.pages.keys()], 'all before the end were told that they are stored')
  t.strictSame(await log.close(visitId, none), closed)
})

await t.test('clearing leaves nothing of a visit: no entry, no end, nothing behind one', async (t) => {
  const [visitId, other] = [await holding(3), await holding(3)]
  await log.insert(actions(visitId, 2))
  await log.close(visitId, none)
  await log.insert(pages(visitId, 2, 4)) // behind the end
  t.equal((await kit.logged(visitId)).length, 9)
  for (let times = 0; times < 2; times++) {
    await log.clear(visitId, { page: 3, action: 2 })
    t.strictSame(await kit.logged(visitId), [])
  }
  t.equal((await kit.logged(other)).length, 3, 'other visits keep theirs')
})

await t.test('a taken number excuses no write that the majority has not confirmed', async (t) => {
  const visitId = await holding(1)
  const write = { getWriteConcernError: () => ({ code: 64, errmsg: 'waiting for replication timed out' }) } as unknown as BulkWriteResult
  const error = new MongoBulkWriteError({ message: 'E11000', code: 11000, writeErrors: [{ index: 0, code: 11000 } as WriteError] }, write)
  const answering = { bulkWrite: async () => { throw error }, find: () => ({ toArray: async () => [] }) }
  const unconfirmed = createVisitLog({ collection: () => answering } as unknown as Db, 130)
  await t.rejects(unconfirmed.insert(pages(visitId, 2)))
})
