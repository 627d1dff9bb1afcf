// The job that archives: each visit once, whole, whoever runs it and wherever it is cut short; what fails is tried again
// and stops nothing else.
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { newVisit } from '../../../src/visit/running-visits.ts'
import type { VisitRecord } from '../../../src/visit/visit-repository.ts'
import type { Member } from '../../../src/session/session-rules.ts'
import { entryOf, newVisitId, newVisitorId, type VisitorId } from '../../../src/visit/visit-rules.ts'
import { clearedMs, createVisitKit, idleMs, names, pageEntry, pagesOf, type Instance, type VisitKit } from './visit-kit.ts'

/** A guest's visit with pages and an action, in the store. */
async function visitAsGuest ({ store, clock }: VisitKit, pages: readonly string[] = names(3)): Promise<VisitorId> {
  const visitor = newVisitorId(randomBytes)
  await store.create(visitor.visitId, clock.wall())
  await store.records.set(visitor, '{}')
  for (const page of pages) await store.append(visitor, 'page', pageEntry(page, clock.wall()), clock.wall())
  await store.append(visitor, 'action', entryOf({ kind: 'action', action: 'click' }, 'id', clock.wall()), clock.wall())
  return visitor
}

/** A user's visit with pages, in MongoDB; noted on an instance of its own. */
async function visitAsMember (kit: VisitKit, pages: readonly string[] = names(3)): Promise<{ visitId: string, member: Member, instance: Instance }> {
  const [instance, member] = [kit.createInstance(), await kit.signIn()]
  const { running: { visitId } } = await instance.known.findOrBegin(member)
  await Promise.all(pages.map((page) => instance.note(member, page)))
  return { visitId, member, instance }
}

const dueOf = async ({ store }: VisitKit): Promise<string[]> => {
  const due: string[] = []
  for await (const ids of store.due(Infinity)) due.push(...ids)
  return due
}

/** Visits with something left to do, ever. */
const pending = ({ visits }: VisitKit): Promise<unknown[]> => visits.listDue(new Date(8e15), 0)

async function isWhole (t: Test, kit: VisitKit, visitId: string, endTime: number, pages = names(3)): Promise<VisitRecord> {
  const visit = await kit.archived(visitId)
  t.strictSame([pagesOf(visit), visit.pageCount, visit.actionCount, visit.endTime], [pages, pages.length, visit.actions.length, new Date(endTime)])
  return visit
}

await t.test('guests that are due are archived once, though two instances run the job', async (t) => {
  const kit = await createVisitKit(t)
  const start = kit.clock.wall()
  const due = [await visitAsGuest(kit), await visitAsGuest(kit, []), await visitAsGuest(kit), await visitAsGuest(kit)] as VisitorId[]
  await kit.store.end(due[3] as VisitorId, start)
  kit.clock.advance(idleMs)
  const running = await visitAsGuest(kit)
  const [here, there] = [kit.createInstance(), kit.createInstance()]
  await Promise.all([here.job.sweepGuests(), there.job.sweepGuests()])
  for (const [i, { visitId }] of due.entries()) {
    t.match(await isWhole(t, kit, visitId, start, i === 1 ? [] : names(3)), { userId: null, sid: null, actionCount: 1 })
  }
  t.equal(await kit.visits.find(running.visitId), null)
  t.strictSame(await dueOf(kit), [running.visitId], 'the store has forgotten them')
  t.strictSame([...here.failures, ...there.failures], [])
  t.strictSame(await here.job.sweepGuests(), { archived: 0, failed: 0 })
  t.strictSame(await here.job.sweepGuests(Infinity), { archived: 1, failed: 0 }, 'all that there are, when the process closes')
  await isWhole(t, kit, running.visitId, start + idleMs)
  t.strictSame(await pending(kit), [])
})

await t.test('a guest who had become a user is archived as that user, or goes on', async (t) => {
  const kit = await createVisitKit(t)
  const { job } = kit.createInstance()
  const [left, adopted] = [await visitAsGuest(kit), await visitAsGuest(kit)]
  const member = await kit.signIn()
  for (const visitor of [left, adopted]) await kit.store.end(visitor, kit.clock.wall(), member)
  await kit.visits.insert(newVisit(adopted.visitId, member, kit.clock.wall(), idleMs)) // and died before it was dropped
  t.strictSame(await job.sweepGuests(), { archived: 2, failed: 0 })
  t.match(await kit.archived(left.visitId), { userId: member.userId, sid: member.sid, pageCount: 3 })
  t.match(await kit.visits.find(adopted.visitId), { state: 'running' })
  t.strictSame(await dueOf(kit), [])
})

await t.test('a guest\'s job that dies at any step leaves one whole visit after the next run', async (t) => {
  const kit = await createVisitKit(t)
  for (const when of ['before', 'after'] as const) {
    for (const [room, method] of [['store', 'settle'], ['visits', 'insertArchived'], ['store', 'drop']] as const) {
      const start = kit.clock.wall()
      const { visitId } = await visitAsGuest(kit)
      kit.clock.advance(idleMs)
      const dying = kit.createInstance()
      const gate = room === 'store' ? dying.store.hold(method as 'drop', when) : dying.visits.hold(method as 'insertArchived', when)
      gate.fail(new Error(`died ${when} ${method}`))
      const { failed } = await dying.job.sweepGuests()
      t.equal(failed, method === 'drop' ? 0 : 1, `${when} ${method}`)
      const next = kit.createInstance()
      await next.job.sweepGuests()
      await isWhole(t, kit, visitId, start)
      t.strictSame([await dueOf(kit), next.failures], [[], []])
    }
  }
})

await t.test('a user\'s visit is ended when it was last seen and archived, by one of two jobs', async (t) => {
  const kit = await createVisitKit(t)
  const start = kit.clock.wall()
  const visits = [await visitAsMember(kit), await visitAsMember(kit, []), await visitAsMember(kit, names(70))]
  kit.clock.advance(idleMs)
  const [here, there] = [kit.createInstance(), kit.createInstance()]
  await Promise.all([here.job.sweepMembers(), there.job.sweepMembers()])
  t.strictSame([...here.failures, ...there.failures], [])
  for (const [i, { visitId }] of visits.entries()) await isWhole(t, kit, visitId, start, names([3, 0, 70][i] as number))
})

await t.test('a running visit is put off to its last entry and the idle time', async (t) => {
  const kit = await createVisitKit(t)
  const { visitId, member, instance } = await visitAsMember(kit)
  kit.clock.advance(600_000)
  await instance.note(member, 'p3')
  const last = kit.clock.wall()
  const { job, visits } = kit.createInstance()
  t.strictSame(await job.sweepMembers(), { archived: 0, failed: 0 })
  t.equal(visits.count('postpone'), 0, 'nothing is due yet')
  kit.clock.advance(idleMs - 600_000)
  for (let runs = 0; runs < 2; runs++) t.strictSame(await job.sweepMembers(), { archived: 0, failed: 0 })
  t.equal(visits.count('postpone'), 1)
  const head = await kit.visits.findHead(visitId)
  t.strictSame([head?.state, head?.lastSeenAt, head?.dueAt], ['running', new Date(last), new Date(last + idleMs)])
  kit.clock.advance(600_000 - 1)
  t.strictSame(await job.sweepMembers(), { archived: 0, failed: 0 })
  kit.clock.advance(1)
  t.strictSame(await job.sweepMembers(), { archived: 1, failed: 0 })
  await isWhole(t, kit, visitId, last, names(4))
})

await t.test('the log keeps an archived visit until no instance can believe that it runs, and then nothing', async (t) => {
  const kit = await createVisitKit(t)
  const { visitId, instance } = await visitAsMember(kit)
  const { job } = kit.createInstance()
  await instance.archive.end(visitId, new Date(kit.clock.wall()))
  kit.clock.advance(clearedMs - 1)
  t.strictSame(await job.sweepMembers(), { archived: 0, failed: 0 })
  t.equal((await kit.logged(visitId)).length, 5, 'three pages and two ends')
  kit.clock.advance(1)
  t.strictSame(await job.sweepMembers(), { archived: 0, failed: 0 })
  t.strictSame(await kit.logged(visitId), [])
  t.notMatch(await kit.visits.find(visitId), { pending: true })
  t.strictSame(await pending(kit), [])
})

await t.test('a user\'s job that dies at any step leaves one whole visit after the next run', async (t) => {
  const kit = await createVisitKit(t)
  const archiving = [['log', 'findTails'], ['visits', 'findHead'], ['visits', 'end'], ['visits', 'find'], ['log', 'close'], ['visits', 'archive']] as const
  const clearing = [['log', 'clear'], ['visits', 'settle']] as const
  const dieAndGoOn = async (room: 'log' | 'visits', method: string, when: 'before' | 'after'): Promise<void> => {
    const [dying, next] = [kit.createInstance(), kit.createInstance()]
    const gate = room === 'log' ? dying.log.hold(method as 'close', when) : dying.visits.hold(method as 'find', when)
    gate.fail(new Error(`died ${when} ${method}`))
    t.equal((await dying.job.sweepMembers()).failed, 1, `${when} ${method}`)
    t.equal((await next.job.sweepMembers()).failed, 0)
  }
  for (const when of ['before', 'after'] as const) {
    const begun: { visitId: string, start: number }[] = []
    for (const [room, method] of archiving) {
      const start = kit.clock.wall()
      const { visitId } = await visitAsMember(kit)
      begun.push({ visitId, start })
      kit.clock.advance(idleMs)
      await dieAndGoOn(room, method, when)
      await isWhole(t, kit, visitId, start)
    }
    kit.clock.advance(clearedMs)
    for (const [room, method] of clearing) {
      const { visitId, instance } = await visitAsMember(kit)
      begun.push({ visitId, start: kit.clock.wall() })
      await instance.archive.end(visitId, new Date(kit.clock.wall()))
      kit.clock.advance(clearedMs)
      await dieAndGoOn(room, method, when)
    }
    for (const { visitId, start } of begun) {
      await isWhole(t, kit, visitId, start)
      t.strictSame(await kit.logged(visitId), [])
    }
    t.strictSame(await pending(kit), [])
  }
})

await t.test('what fails is counted and told, and stops no other', async (t) => {
  const kit = await createVisitKit(t)
  const guests = [await visitAsGuest(kit), await visitAsGuest(kit), await visitAsGuest(kit)]
  const members = [await visitAsMember(kit), await visitAsMember(kit)]
  kit.clock.advance(idleMs)
  const { job, store, visits, failures } = kit.createInstance()
  const [first, second] = [new Error('the store does not answer'), new Error('MongoDB does not answer')]
  store.hold('settle', 'before').fail(first)
  t.strictSame(await job.sweepGuests(), { archived: 2, failed: 1 })
  visits.hold('end', 'before').fail(second)
  t.strictSame(await job.sweepMembers(), { archived: 1, failed: 1 })
  t.strictSame(failures, [first, second])
  t.strictSame([await job.sweepGuests(), await job.sweepMembers()], [{ archived: 1, failed: 0 }, { archived: 1, failed: 0 }])
  for (const { visitId } of [...guests, ...members]) t.ok(await kit.archived(visitId))
})

await t.test('a job that is stopped does no more, but for what would be lost with the process', async (t) => {
  const kit = await createVisitKit(t)
  await Promise.all(Array.from({ length: 60 }, () => visitAsGuest(kit, [])))
  const members = [await visitAsMember(kit), await visitAsMember(kit)]
  kit.clock.advance(idleMs)
  const [guests, users] = [kit.createInstance(), kit.createInstance()]
  const gate = guests.store.hold('settle', 'before')
  const sweeping = guests.job.sweepGuests()
  await gate.reached
  guests.job.stop()
  gate.open()
  const { archived } = await sweeping
  t.ok(archived > 0 && archived < 60, `what was under way comes to its end: ${archived}`)
  t.strictSame(await guests.job.sweepGuests(), { archived: 0, failed: 0 })
  t.strictSame(await guests.job.sweepGuests(Infinity), { archived: 60 - archived, failed: 0 })
  users.job.stop()
  t.strictSame(await users.job.sweepMembers(), { archived: 0, failed: 0 })
  t.strictSame(await kit.createInstance().job.sweepMembers(), { archived: members.length, failed: 0 }, 'the next one goes on')
})

await t.test('one run does as many as are due, but asks no more of a store that fails', async (t) => {
  const kit = await createVisitKit(t)
  const dueAt = new Date(kit.clock.wall())
  const done = (): VisitRecord =>
    ({ ...newVisit(newVisitId(randomBytes), { userId: 'u', sid: 's' }, 0, idleMs), state: 'archived', endTime: dueAt, dueAt })
  await kit.db.collection<VisitRecord>('visits').bulkWrite(Array.from({ length: 202 }, () => ({ insertOne: { document: done() } })))
  const { job, visits, log } = kit.createInstance()
  log.hold('clear', 'before').fail(new Error('MongoDB does not answer'))
  t.strictSame(await job.sweepMembers(), { archived: 0, failed: 1 })
  t.strictSame([visits.count('listDue'), log.count('clear')], [1, 100])
  t.strictSame(await job.sweepMembers(), { archived: 0, failed: 0 })
  t.strictSame([visits.count('listDue'), log.count('clear')], [3, 203], 'the rest, and the one that had failed')
  t.strictSame(await pending(kit), [])
})
