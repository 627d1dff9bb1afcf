// The clean-up: takes out what has been over for an hour, in batches, and never what lives (MISSION row 15).
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { createLocalEndingSet } from '../../../src/cache/ending-set.ts'
import { createCleanUp, type CleanUp } from '../../../src/job/clean-up.ts'
import { createSessionRepository, type SessionRepository } from '../../../src/session/session-repository.ts'
import type { SessionRecord } from '../../../src/session/session-rules.ts'
import { createStillClock, type TestClock } from '../../helper/clock.ts'
import { until } from '../../helper/service.ts'
import { openDb, trap, type Trapped } from '../visit/visit-kit.ts'

/** Pictures have a sweep of their own (test/src/user/avatar-sweep.test.ts). */
const noAvatars = async () => 0

const hourMs = 3_600_000

interface Stage { clock: TestClock, sessions: SessionRepository, trapped: Trapped<SessionRepository>, cleanUp: CleanUp, add: (...ends: number[]) => Promise<void>, ends: () => Promise<number[]> }

async function setStage (t: Test, sets: Parameters<typeof createCleanUp>[0]['sets'] = []): Promise<Stage> {
  const clock = createStillClock()
  const db = await openDb(t, clock)
  const records = db.collection<SessionRecord>('usersession')
  const sessions = createSessionRepository(db)
  const trapped = trap(sessions)
  return {
    clock,
    sessions,
    trapped,
    cleanUp: createCleanUp({ avatars: noAvatars, sessions: trapped.calls, sets, clock }),
    /** Sessions that end so many milliseconds from now. */
    async add (...ends) {
      await Promise.all(ends.map((end) => records.insertOne({ _id: randomBytes(16).toString('base64url'), userId: 'u', expiresAt: new Date(clock.wall() + end), revokedAt: null } as SessionRecord)))
    },
    ends: async () => (await records.find({}, { projection: { expiresAt: 1 } }).toArray()).map(({ expiresAt }) => expiresAt.getTime() - clock.wall()).sort((one, other) => one - other)
  }
}

await t.test('what ended an hour ago goes, what ended later or lives stays', async (t) => {
  const { cleanUp, add, ends } = await setStage(t)
  const kept = [-hourMs + 1, -1, 0, 1, 7 * 24 * hourMs]
  await add(-hourMs, -hourMs - 1, -30 * 24 * hourMs, ...kept)
  t.match(await cleanUp.run(), { sessions: 3, counted: 0, avatars: 0, longestBatchMs: Number })
  t.strictSame(await ends(), kept)
  t.equal((await cleanUp.run()).sessions, 0)
})

await t.test('many go in one run, in batches that grow while they are quick, up to 100', async (t) => {
  const { cleanUp, add, ends, trapped } = await setStage(t)
  await add(...Array.from({ length: 1203 }, (_, i) => -hourMs - i), 5)
  t.equal((await cleanUp.run()).sessions, 1203)
  t.equal(trapped.count('deleteEnded'), 16, '20, 25, 32, 40, 50, 63, 79, 99, and 100 each')
  t.strictSame(await ends(), [5])
})

await t.test('where a batch takes long the next ones are smaller, and everybody else has as long in between', async (t) => {
  const { sessions, add, ends, clock } = await setStage(t)
  await add(...Array.from({ length: 60 }, () => -hourMs))
  const sizes: number[] = []
  const slow: SessionRepository = {
    ...sessions,
    async findEnded (cutoff, limit, from) {
      sizes.push(limit)
      clock.advance(limit * 2) // milliseconds
      return await sessions.findEnded(cutoff, limit, from)
    }
  }
  const begin = performance.now()
  t.match(await createCleanUp({ avatars: noAvatars, sessions: slow, sets: [], clock }).run(), { sessions: 60, longestBatchMs: 40 })
  t.strictSame(sizes, [20, ...Array<number>(9).fill(5)], 'five milliseconds are the aim, five sessions the least')
  t.ok(performance.now() - begin >= 40 + 8 * 10, 'as many as the batches took')
  t.strictSame(await ends(), [])
})

await t.test('a batch of more than 50 ms is told with its size', async (t) => {
  const { sessions, add, clock } = await setStage(t)
  await add(...Array.from({ length: 30 }, () => -hourMs))
  const took = [50, 51.4, 0]
  const stalling: SessionRepository = {
    ...sessions,
    async findEnded (cutoff, limit, from) {
      clock.advance(took.shift() ?? 0)
      return await sessions.findEnded(cutoff, limit, from)
    }
  }
  const told: object[] = []
  await createCleanUp({ avatars: noAvatars, sessions: stalling, sets: [], clock, onSlow (batch) { told.push(batch) } }).run()
  t.strictSame(told, [{ batchMs: 51, size: 5 }])
})

await t.test('the pause behind a batch is a second at most, and being told to stop ends it', async (t) => {
  const { sessions, add, ends, clock } = await setStage(t)
  await add(...Array.from({ length: 60 }, () => -hourMs))
  const endless: SessionRepository = {
    ...sessions,
    async findEnded (cutoff, limit, from) {
      const found = await sessions.findEnded(cutoff, limit, from)
      clock.advance(600_000) // the machine stood still for ten minutes
      return found
    }
  }
  const told: object[] = []
  const { run, stop } = createCleanUp({ avatars: noAvatars, sessions: endless, sets: [], clock, onSlow (batch) { told.push(batch) } })
  const running = run()
  await until(() => told.length === 2, 'the next batch has begun', 5000)
  stop()
  await Promise.race([running, new Promise((_resolve, reject) => { setTimeout(() => { reject(new Error('it does not stop')) }, 500).unref() })])
  t.equal((await ends()).length, 35, 'the batch that was found is taken out')
})

await t.test('a full batch that somebody else has taken out is no end and no endless run', async (t) => {
  const { cleanUp, sessions, add, ends, trapped, clock } = await setStage(t)
  await add(...Array.from({ length: 700 }, (_, i) => -hourMs - 1 - i))
  const gate = trapped.hold('deleteEnded', 'before')
  const running = cleanUp.run()
  await gate.reached
  const cutoff = new Date(clock.wall() - hourMs)
  await sessions.deleteEnded((await sessions.findEnded(cutoff, 20)).map(({ sid }) => sid), cutoff) // MongoDB's own expiry, or another instance
  gate.open()
  t.equal((await running).sessions, 680, 'it goes on behind what the other took')
  t.strictSame(await ends(), [])
})

await t.test('sessions that are found and never go are no endless run', async (t) => {
  const { sessions, add, clock } = await setStage(t)
  await add(...Array.from({ length: 300 }, () => -hourMs))
  let found = 0
  const stubborn: SessionRepository = {
    ...sessions,
    async findEnded (...query) {
      found++
      return await sessions.findEnded(...query)
    },
    deleteEnded: async () => 0
  }
  t.equal((await createCleanUp({ avatars: noAvatars, sessions: stubborn, sets: [], clock }).run()).sessions, 0)
  t.equal(found, 2)
})

await t.test('a session that was found and lives by now is left', async (t) => {
  const { sessions, add, ends, clock } = await setStage(t)
  await add(-hourMs)
  const cutoff = new Date(clock.wall() - hourMs)
  const sids = (await sessions.findEnded(cutoff, 500)).map(({ sid }) => sid)
  t.equal(sids.length, 1)
  t.equal(await sessions.deleteEnded(sids, new Date(cutoff.getTime() - 1)), 0)
  t.equal((await ends()).length, 1)
})

await t.test('ended keys go from every counter', async (t) => {
  const sets = [createLocalEndingSet(), createLocalEndingSet()]
  const { cleanUp, clock } = await setStage(t, sets)
  for (const set of sets) await set.addAll(Array.from({ length: 1001 }, (_, i) => [`k${i}`, clock.wall() - 1000 + i] as const))
  t.equal((await cleanUp.run()).counted, 2002)
  for (const set of sets) t.strictSame(await set.page(0, 10), [])
})

await t.test('told to stop, it comes to its end with the batch that it is at', async (t) => {
  const trimmed: string[] = []
  const { cleanUp, add, ends, trapped } = await setStage(t, [{ ...createLocalEndingSet(), trim: async () => trimmed.push('a set') }])
  await add(...Array.from({ length: 1500 }, () => -hourMs))
  const gate = trapped.hold('findEnded', 'before')
  const running = cleanUp.run()
  await gate.reached
  cleanUp.stop()
  gate.open()
  t.equal((await running).sessions, 20)
  t.equal((await ends()).length, 1480)
  t.strictSame(trimmed, [], 'and begins nothing new')
})
