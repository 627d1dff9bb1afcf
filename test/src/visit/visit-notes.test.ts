// Notes of one visit from two instances: each entry once, each count once, the bound exact, and an end that nothing gets
// behind, wherever it meets them.
import { setImmediate as turn } from 'node:timers/promises'
import { MongoBulkWriteError, type BulkWriteResult } from 'mongodb'
import t from 'tap'
import type { Running } from '../../../src/visit/running-visits.ts'
import type { Outcome } from '../../../src/visit/visit-notes.ts'
import type { Member } from '../../../src/session/session-rules.ts'
import { entryOf } from '../../../src/visit/visit-rules.ts'
import { brokenConnection, createVisitKit, names, pagesOf, type Instance } from './visit-kit.ts'

const mostEntries = 40
const kit = await createVisitKit(t, { mostEntries })

interface Pair { member: Member, visitId: string, here: Instance, there: Instance, end: () => Promise<unknown> }

/** Two instances that know one running visit; the other one ends it. */
async function openPair (): Promise<Pair> {
  const member = await kit.signIn()
  const [here, there] = [kit.createInstance(), kit.createInstance()]
  const { running: { visitId } } = await here.known.findOrBegin(member)
  await there.known.findOrBegin(member)
  return { member, visitId, here, there, end: () => there.archive.end(visitId, new Date(kit.clock.wall())) }
}

type Noted = Map<string, Outcome>

/** Notes pages in parallel. @returns what came of each, by its name */
async function noteAll (instance: Instance, to: Member | Running, pages: readonly string[], onAnswer = () => { /* nobody asks */ }): Promise<Noted> {
  return new Map(await Promise.all(pages.map(async (page) => {
    const outcome = await instance.note(to, page)
    onAnswer()
    return [page, outcome] as const
  })))
}

const counts = (...noted: Noted[]): number[] => noted.flatMap((each) => [...each.values()].filter((one) => typeof one === 'number')).sort((a, b) => a - b)

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

await t.test('pages from two instances at a time: each is there once, in the place that was answered', async (t) => {
  const { member, visitId, here, there, end } = await openPair()
  const noted = await Promise.all([noteAll(here, member, names(15)), noteAll(there, member, names(15, 100))])
  t.strictSame(counts(...noted), upTo(30))
  await end()
  const pages = pagesOf(await kit.archived(visitId))
  t.equal(pages.length, 30)
  for (const each of noted) for (const [page, count] of each) t.equal(pages[Number(count) - 1], page)
})

await t.test('visits that are written together have counts of their own', async (t) => {
  const [one, two] = [await kit.signIn(), await kit.signIn()]
  const [here, there] = [kit.createInstance(), kit.createInstance()]
  for (const member of [one, two]) await here.known.findOrBegin(member)
  t.equal(await there.note(two, 'before'), 1)
  const noted = await Promise.all([noteAll(here, one, names(8)), noteAll(here, two, names(8))])
  t.strictSame(noted.map((each) => counts(each)), [upTo(8), [2, 3, 4, 5, 6, 7, 8, 9]])
  t.ok(here.log.count('insert') <= 3, 'the first write, and the ones that were taken again')
})

await t.test('the bound holds over both instances, to the entry, for each list', async (t) => {
  const { member, visitId, here, there, end } = await openPair()
  const noted = await Promise.all([noteAll(here, member, names(30)), noteAll(there, member, names(30, 100))])
  t.strictSame(counts(...noted), upTo(mostEntries))
  t.equal(noted.flatMap((each) => [...each.values()]).filter((outcome) => outcome === 'full').length, 20)
  for (const instance of [here, there]) t.equal(await instance.note(member, 'one more'), 'full')
  const { running } = await here.known.findOrBegin(member)
  t.equal(await here.notes.add({ running, kind: 'action', entry: entryOf({ kind: 'action', action: 'click' }, 'id', kit.clock.wall()) }), 1)
  await end()
  const visit = await kit.archived(visitId)
  t.strictSame([visit.pages.length, visit.actions.length], [mostEntries, 1])
})

await t.test('two logins that share a visit number it together, and meet its end together', async (t) => {
  const { member, visitId, here, there, end } = await openPair()
  const second = { userId: member.userId, sid: (await kit.signIn()).sid }
  await kit.visits.move(visitId, second.userId, second.sid, new Date(kit.clock.wall()))
  await kit.sessions.pointAtVisit(second.sid, null, visitId)
  for (const { known } of [here, there]) t.equal((await known.findOrBegin(second)).running.visitId, visitId)
  const noted = await Promise.all([noteAll(here, member, names(5)), noteAll(here, second, names(5, 10)), noteAll(there, second, names(5, 20))])
  t.strictSame(counts(...noted), upTo(15))
  const gate = here.log.hold('insert', 'before')
  const late = [noteAll(here, member, names(3, 30)), noteAll(here, second, names(3, 40))]
  await gate.reached
  late.push(noteAll(here, second, names(3, 50)), noteAll(here, member, names(3, 60)))
  await end()
  gate.open()
  t.strictSame((await Promise.all(late)).flatMap((each) => [...each.values()]), Array(12).fill('over'))
  const pages = pagesOf(await kit.archived(visitId))
  for (const [page, count] of noted.flatMap((each) => [...each])) t.equal(pages[Number(count) - 1], page)
})

await t.test('an end in the middle: what was accepted is in the archive, what was not is not', async (t) => {
  for (let answers = 0; answers < 30; answers += 2) {
    const { member, visitId, here, there, end } = await openPair()
    let answered = 0
    let ending: Promise<unknown> | undefined
    const noteWaves = async (instance: Instance, first: number): Promise<Noted[]> => {
      const running = instance.known.peek(member) as Running
      const noted: Noted[] = []
      for (let wave = first; wave < first + 15; wave += 5) {
        noted.push(await noteAll(instance, running, names(5, wave), () => {
          if (answered++ === answers) ending = end()
        }))
      }
      return noted
    }
    const noted = (await Promise.all([noteWaves(here, 0), noteWaves(there, 100)])).flat()
    await ending
    const pages = pagesOf(await kit.archived(visitId))
    t.strictSame(counts(...noted), upTo(pages.length), `an end after ${answers} answers: ${pages.length} of 30`)
    for (const [page, outcome] of noted.flatMap((each) => [...each])) {
      t.equal(typeof outcome === 'number' ? pages[outcome - 1] : pages.find((one) => one === page), outcome === 'over' ? undefined : page)
    }
  }
})

await t.test('what waits behind a write that met the end meets it too', async (t) => {
  const { member, visitId, here, end } = await openPair()
  const gate = here.log.hold('insert', 'before')
  const first = noteAll(here, member, names(3))
  await gate.reached
  const second = noteAll(here, member, names(3, 3))
  await end()
  await turn()
  t.equal(here.log.count('insert'), 1, 'it waits, since it is of the same visit')
  gate.open()
  t.strictSame([...(await first).values(), ...(await second).values()], Array(6).fill('over'))
  t.strictSame(pagesOf(await kit.archived(visitId)), [])
})

await t.test('an instance that is behind notes nothing into a visit that another one has ended', async (t) => {
  const { member, visitId, here, there, end } = await openPair()
  t.equal(await here.note(member, 'p0'), 1)
  for (const page of names(3, 1)) await there.note(member, page)
  await end()
  t.equal(await here.note(member, 'late'), 'over')
  t.strictSame(pagesOf(await kit.archived(visitId)), names(4))
})

await t.test('an end between the asking and the write: nothing of it is stored', async (t) => {
  const { member, visitId, here, end } = await openPair()
  const gate = here.log.hold('insert', 'before')
  const noting = noteAll(here, member, names(3))
  await gate.reached
  await end()
  gate.open()
  t.strictSame([...(await noting).values()], ['over', 'over', 'over'])
  t.strictSame(pagesOf(await kit.archived(visitId)), [])
  t.strictSame((await kit.logged(visitId)).filter(({ entry }) => entry !== null), [], 'nor does it lie behind the end')
})

await t.test('an end between the write and its answer: it is accepted, and in the archive', async (t) => {
  const { member, visitId, here, end } = await openPair()
  const gate = here.log.hold('insert', 'after')
  const noting = noteAll(here, member, names(3))
  await gate.reached
  await end()
  gate.open()
  t.strictSame([...(await noting).values()], [1, 2, 3])
  t.strictSame(pagesOf(await kit.archived(visitId)), names(3))
})

await t.test('a write of which another instance had the first number, and then the end: each entry is judged by the archive', async (t) => {
  for (const isArchived of [true, false]) {
    const { member, visitId, here, there, end } = await openPair()
    t.equal(await there.note(member, 'theirs'), 1)
    const gate = here.log.hold('insert', 'after')
    const noting = noteAll(here, member, names(3))
    await gate.reached
    // ended and archived, or died in between: who notes does it then
    if (isArchived) await end()
    else await kit.visits.end(visitId, new Date(kit.clock.wall()))
    gate.open()
    t.strictSame([...(await noting).values()], ['over', 2, 3])
    t.strictSame(pagesOf(await kit.archived(visitId)), ['theirs', 'p1', 'p2'])
  }
})

await t.test('a write whose answer was lost is made again, and stored once', async (t) => {
  const { member, visitId, here, there, end } = await openPair()
  t.equal(await there.note(member, 'theirs'), 1)
  await here.note(member, 'mine')
  here.log.hold('insert', 'after').fail(brokenConnection())
  t.strictSame([...(await noteAll(here, member, names(3)))], [['p0', 3], ['p1', 4], ['p2', 5]])
  here.log.hold('insert', 'before').fail(brokenConnection())
  t.equal(await here.note(member, 'p3'), 6, 'also when it never came there')
  here.log.hold('insert', 'after').fail(new MongoBulkWriteError(brokenConnection(), {} as BulkWriteResult))
  t.equal(await here.note(member, 'p4'), 7, 'and when the driver says it of a bulk write')
  await end()
  t.strictSame(pagesOf(await kit.archived(visitId)), ['theirs', 'mine', ...names(5)])
})

await t.test('a write that fails for good is refused, and the next one asks how far the list is', async (t) => {
  for (const when of ['before', 'after'] as const) {
    const { member, visitId, here, end } = await openPair()
    await here.note(member, 'p0')
    for (let tries = 0; tries < 2; tries++) here.log.hold('insert', when).fail(brokenConnection())
    const refused = await Promise.allSettled(['p1', 'p2'].map((page) => here.note(member, page)))
    t.match(refused, [{ status: 'rejected', reason: { name: 'MongoNetworkError' } }, { status: 'rejected' }])
    t.equal(here.known.peek(member), undefined, 'what this process knew is forgotten')
    t.equal(await here.note(member, 'p3'), when === 'before' ? 2 : 4)
    await end()
    t.strictSame(pagesOf(await kit.archived(visitId)), when === 'before' ? ['p0', 'p3'] : names(4))
  }
})

await t.test('no second try where the fault is ours', async (t) => {
  const { member, here } = await openPair()
  here.log.hold('insert', 'before').fail(new TypeError('a mistake'))
  await t.rejects(here.note(member, 'p0'), { message: 'a mistake' })
  t.equal(here.log.count('insert'), 1)
  t.equal(await here.note(member, 'p0'), 1)
})
