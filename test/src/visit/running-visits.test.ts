// Which visit of a login runs: one, on however many instances it is asked for, and none that has been idle for too long.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createRunningVisits, newVisit, type Running } from '../../../src/visit/running-visits.ts'
import type { Member } from '../../../src/session/session-rules.ts'
import { newVisitId } from '../../../src/visit/visit-rules.ts'
import type { VisitRecord } from '../../../src/visit/visit-repository.ts'
import { brokenConnection, createVisitKit, idleMs, pageEntry, pagesOf, type Instance } from './visit-kit.ts'

const kit = await createVisitKit(t)
const { clock } = kit
const pair = (): [Instance, Instance] => [kit.createInstance(), kit.createInstance()]
const visitsOf = ({ sid }: Member): Promise<VisitRecord[]> => kit.db.collection<VisitRecord>('visits').find({ sid }).toArray()

/** Asks several times on each instance at the same time. @returns the ids, and how often one was begun */
async function askAll (instances: readonly Instance[], member: Member): Promise<{ ids: Set<string>, begun: number }> {
  const answers = await Promise.all(instances.flatMap(({ known }) => [1, 2, 3, 4].map(() => known.findOrBegin(member))))
  return { ids: new Set(answers.map(({ running }) => running.visitId)), begun: answers.filter(({ isNew }) => isNew).length }
}

await t.test('asked for in parallel on two instances, one visit is begun, once', async (t) => {
  for (let rounds = 0; rounds < 5; rounds++) {
    const member = await kit.signIn()
    const [here, there] = pair()
    const { ids, begun } = await askAll([here, there], member)
    t.strictSame([ids.size, begun], [1, 1])
    t.ok(here.sessions.count('pointAtVisit') + there.sessions.count('pointAtVisit') <= 2, 'whoever asks beside another waits for the answer')
    t.strictSame(await visitsOf(member), [newVisit([...ids][0] as string, member, clock.wall(), idleMs)])
    t.equal((await kit.sessions.visitOf(member.sid))?.visitId, [...ids][0])
  }
})

await t.test('logins of one user have visits of their own', async (t) => {
  const [one, other] = [await kit.signIn(), await kit.signIn()]
  const { known } = kit.createInstance()
  const second = { userId: one.userId, sid: other.sid }
  const ids = [await known.findOrBegin(one), await known.findOrBegin(second)].map(({ running }) => running.visitId)
  t.not(ids[0], ids[1])
})

await t.test('a pointer to a visit that nobody inserted is completed, under its id', async (t) => {
  const member = await kit.signIn()
  const [here, there] = pair()
  here.visits.hold('insert', 'before').fail(brokenConnection()) // dies between its two writes
  await t.rejects(here.known.findOrBegin(member), { name: 'MongoNetworkError' })
  const pointer = (await kit.sessions.visitOf(member.sid))?.visitId
  t.ok(pointer)
  const { ids, begun } = await askAll([here, there], member)
  t.strictSame([[...ids], begun], [[pointer], 1])
})

await t.test('who is overtaken between pointer and visit goes on with the visit of the one that was faster', async (t) => {
  const member = await kit.signIn()
  const [here, there] = pair()
  const gate = here.visits.hold('insert', 'before')
  const slow = here.known.findOrBegin(member)
  await gate.reached
  const fast = await there.known.findOrBegin(member)
  t.ok(fast.isNew)
  gate.open()
  t.match(await slow, { isNew: false, running: { visitId: fast.running.visitId } })
  t.equal((await visitsOf(member)).length, 1)
})

await t.test('an idle visit is over since its last entry, and a new one begins', async (t) => {
  const member = await kit.signIn()
  const [here, there] = pair()
  const { running: { visitId } } = await here.known.findOrBegin(member)
  clock.advance(60_000)
  await here.note(member, 'p0')
  const last = clock.wall()
  clock.advance(idleMs - 1)
  t.equal((await there.known.findOrBegin(member)).running.visitId, visitId, 'a millisecond before')
  t.equal((await there.known.find(member))?.visitId, visitId)
  clock.advance(1)
  const { ids, begun } = await askAll([here, there], member)
  t.strictSame([ids.size, begun], [1, 1])
  t.notOk(ids.has(visitId))
  const over = await kit.archived(visitId)
  t.strictSame([over.endTime, pagesOf(over)], [new Date(last), ['p0']])
})

await t.test('looking alone ends an idle visit, and begins none', async (t) => {
  const member = await kit.signIn()
  const [here, there] = pair()
  t.equal(await here.known.find(member), null, 'there is none yet')
  const { running: { visitId, lastSeen } } = await here.known.findOrBegin(member)
  clock.advance(idleMs)
  t.equal(await there.known.find(member), null)
  t.strictSame((await kit.archived(visitId)).endTime, new Date(lastSeen))
  t.equal((await visitsOf(member)).length, 1)
})

await t.test('what one instance notes keeps the visit running on the other', async (t) => {
  const member = await kit.signIn()
  const [here, there] = pair()
  const { running: { visitId } } = await here.known.findOrBegin(member)
  clock.advance(idleMs - 1)
  t.equal(await there.note(member, 'p0'), 1)
  clock.advance(1)
  t.equal(here.known.peek(member), undefined, 'it does not know')
  t.match(await here.known.findOrBegin(member), { isNew: false, running: { visitId, next: { page: 1, action: 0 }, lastSeen: clock.wall() - 1 } })
  t.ok(here.known.peek(member))
})

await t.test('a visit that was ended elsewhere is followed by a new one', async (t) => {
  const member = await kit.signIn()
  const [here, there] = pair()
  const { running } = await here.known.findOrBegin(member)
  await there.archive.end(running.visitId, new Date(clock.wall()))
  t.equal(await here.known.reload(running), false)
  t.equal(await here.known.describe(await kit.archived(running.visitId)), null)
  const next = await here.known.findOrBegin(member)
  t.ok(next.isNew)
  t.not(next.running.visitId, running.visitId)
  t.equal(here.known.peek(member), next.running)
})

await t.test('an ended visit that nobody archived is found, until it is', async (t) => {
  const member = await kit.signIn()
  const { known, archive } = kit.createInstance()
  t.equal(await known.findUnarchived(member), null)
  const { running: { visitId } } = await known.findOrBegin(member)
  t.equal(await known.findUnarchived(member), null, 'it runs')
  await kit.visits.end(visitId, new Date(clock.wall()))
  t.equal(await known.findUnarchived(member), visitId)
  await archive.complete(visitId)
  t.equal(await known.findUnarchived(member), null)
})

await t.test('a session that was revoked or never was has no visit', async (t) => {
  const { known, sessions } = kit.createInstance()
  const [revoked, late] = [await kit.signIn(), await kit.signIn()]
  await kit.sessions.revoke(revoked.sid, 'logout', new Date(clock.wall()))
  for (const member of [revoked, { userId: revoked.userId, sid: newVisitId(randomBytes) }]) {
    await t.rejects(known.findOrBegin(member), { code: 'session_revoked' })
    await t.rejects(known.find(member), { code: 'session_revoked' })
    t.strictSame(await visitsOf(member), [])
  }
  const gate = sessions.hold('pointAtVisit', 'before')
  const beginning = known.findOrBegin(late)
  await gate.reached
  await kit.sessions.revoke(late.sid, 'logout', new Date(clock.wall()))
  gate.open()
  await t.rejects(beginning, { code: 'session_revoked' }, 'also when it is revoked meanwhile')
  t.strictSame(await visitsOf(late), [])
})

await t.test('a peek asks nobody, and knows what is idle', async (t) => {
  const member = await kit.signIn()
  const { known, visits, sessions } = kit.createInstance()
  t.equal(known.peek(member), undefined)
  const { running } = await known.findOrBegin(member)
  const asked = [visits.count('findHead'), sessions.count('visitOf')]
  t.equal(known.peek(member), running)
  clock.advance(idleMs - 1)
  t.equal(known.peek(member), running)
  clock.advance(1)
  t.equal(known.peek(member), undefined)
  t.strictSame([visits.count('findHead'), sessions.count('visitOf')], asked)
})

await t.test('one process has one object for a visit, until it is forgotten for all who hold it', async (t) => {
  const member = await kit.signIn()
  const [here, there] = pair()
  const { running } = await here.known.findOrBegin(member)
  t.equal((await here.known.findOrBegin(member)).running, running)
  const found = await here.known.find(member)
  await there.note(member, 'p0')
  here.known.forget(found as Running)
  t.strictSame([found?.isVoid, running.isVoid], [true, true], 'by any reading of it')
  t.equal(here.known.peek(member), undefined)
  t.match(await here.known.findOrBegin(member), { isNew: false, running: { visitId: running.visitId, next: { page: 1 }, isVoid: false } })
  here.known.forget(running)
  t.equal(here.known.peek(member), undefined, 'an old object speaks for the visit')
})

await t.test('what a visit brought along is counted, and its log begins behind it', async (t) => {
  const member = await kit.signIn()
  const visitId = newVisitId(randomBytes)
  const pages = ['g0', 'g1'].map((page) => pageEntry(page, clock.wall()))
  await kit.visits.insert({ ...newVisit(visitId, member, clock.wall(), idleMs), pages, pageCount: 2 })
  await kit.sessions.pointAtVisit(member.sid, null, visitId)
  const [here, there] = pair()
  t.match(await here.known.findOrBegin(member), { isNew: false, running: { visitId, brought: { page: 2, action: 0 }, next: { page: 2, action: 0 } } })
  t.equal(await here.note(member, 'p0'), 3)
  t.equal(await there.note(member, 'p1'), 4)
  await here.archive.end(visitId, new Date(clock.wall()))
  t.strictSame(pagesOf(await kit.archived(visitId)), ['g0', 'g1', 'p0', 'p1'])
})

await t.test('a pointer that is lost at every try is put off, not waited for', async (t) => {
  const { archive } = kit.createInstance()
  const sessions = { ...kit.sessions, pointAtVisit: async () => false }
  const known = createRunningVisits({ ...kit, sessions, archive, randomBytes, idleMs, mostEntries: 10 })
  await t.rejects(known.findOrBegin(await kit.signIn()), { code: 'unavailable' })
})
