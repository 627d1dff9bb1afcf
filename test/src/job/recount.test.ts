// The recount: whatever the counter of live sessions holds, afterwards it holds the live sessions.
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { createLocalEndingSet, type EndingSet } from '../../../src/cache/ending-set.ts'
import { createRecount, type Recount } from '../../../src/job/recount.ts'
import { createSessionRepository, type SessionRepository } from '../../../src/session/session-repository.ts'
import type { SessionRecord } from '../../../src/session/session-rules.ts'
import { createStillClock, type TestClock } from '../../helper/clock.ts'
import { openDb, trap, type Trapped } from '../visit/visit-kit.ts'

const weekMs = 7 * 86_400_000

interface Stage { clock: TestClock, active: EndingSet, sessions: Trapped<SessionRepository>, recount: Recount, add: (count: number, more?: Partial<SessionRecord>) => Promise<string[]>, count: () => Promise<number> }

async function setStage (t: Test): Promise<Stage> {
  const clock = createStillClock()
  const db = await openDb(t, clock)
  const active = createLocalEndingSet()
  const sessions = trap(createSessionRepository(db))
  return {
    clock,
    active,
    sessions,
    recount: createRecount({ sessions: sessions.calls, active, clock }),
    async add (count, more = {}) {
      const records = Array.from({ length: count }, () => ({ _id: randomBytes(16).toString('base64url'), userId: 'u', expiresAt: new Date(clock.wall() + weekMs), revokedAt: null, ...more }) as SessionRecord)
      await Promise.all(records.map((record) => db.collection<SessionRecord>('usersession').insertOne(record)))
      return records.map(({ _id }) => _id)
    },
    count: () => active.count(clock.wall())
  }
}

await t.test('an empty counter has every live session afterwards and no other', async (t) => {
  const { recount, add, count, clock } = await setStage(t)
  await add(1203)
  await add(40, { revokedAt: new Date(clock.wall()) })
  await add(30, { expiresAt: new Date(clock.wall()) })
  t.equal(await recount.run(), 0)
  t.equal(await count(), 1203)
})

await t.test('each is counted until its end', async (t) => {
  const { recount, add, count, clock } = await setStage(t)
  await add(30)
  await add(20, { expiresAt: new Date(clock.wall() + 5) })
  await recount.run()
  t.equal(await count(), 50)
  clock.advance(5)
  t.equal(await count(), 30)
  clock.advance(weekMs)
  t.equal(await count(), 0)
})

await t.test('what it holds and should not is taken out, however many there are', async (t) => {
  const { recount, add, count, active, clock } = await setStage(t)
  await add(700)
  const ended = await add(400, { revokedAt: new Date(clock.wall()) })
  for (const sid of [...ended, ...Array.from({ length: 900 }, (_, i) => `never-${i}`)]) active.add(sid, clock.wall() + 2 * weekMs)
  t.equal(await recount.run(), 1300)
  t.equal(await count(), 700)
  t.equal(await recount.run(), 0)
})

await t.test('a session that ends while it is counted is not counted', async (t) => {
  const { recount, add, count, sessions, clock } = await setStage(t)
  const [sid] = await add(1)
  const gate = sessions.hold('walkEnds', 'after')
  const running = recount.run()
  await gate.reached
  await sessions.calls.revoke(sid as string, 'logout', new Date(clock.wall()))
  gate.open()
  t.equal(await running, 1)
  t.equal(await count(), 0)
})

await t.test('a counter is lost until it has been counted to the end, whatever it was told meanwhile', async (t) => {
  const { recount, add, active, clock, sessions } = await setStage(t)
  t.equal(await recount.isLost(), true)
  const [sid] = await add(2)
  active.add(sid as string, clock.wall() + weekMs)
  t.equal(await recount.isLost(), true)
  const gate = sessions.hold('liveAmong', 'before')
  const running = recount.run()
  await gate.reached
  t.equal(await recount.isLost(), true, 'it is being counted')
  gate.open()
  await running
  t.equal(await recount.isLost(), false)
})

await t.test('told to stop, it comes to its end soon', async (t) => {
  const { recount, add, sessions } = await setStage(t)
  await add(1600)
  const gate = sessions.hold('walkEnds', 'before')
  const running = recount.run()
  await gate.reached
  recount.stop()
  gate.open()
  await running
  t.strictSame([sessions.count('walkEnds'), sessions.count('liveAmong')], [1, 1])
  t.equal(await recount.isLost(), true, 'it has not counted all')
})
