// Notes of who was seen: one a session and round, bounded, written by the job in batches, and none is written twice.
import t from 'tap'
import { createLastSeen } from '../../../src/session/last-seen.ts'
import { createSessionRepository, type Seen } from '../../../src/session/session-repository.ts'
import type { SessionRecord } from '../../../src/session/session-rules.ts'
import { createStillClock } from '../../helper/clock.ts'
import { openDb } from '../visit/visit-kit.ts'

function createStage (capacity?: number) {
  const batches: (readonly Seen[])[] = []
  const lastSeen = createLastSeen({
    sessions: {
      async markSeen (seen) {
        if (state.isFailing) throw new Error('MongoDB does not answer')
        batches.push(seen)
      }
    },
    ...(capacity !== undefined && { capacity })
  })
  const state = { isFailing: false, batches, lastSeen }
  return state
}

await t.test('a round ends with what was noted in it, and the next begins empty', async (t) => {
  const { lastSeen, batches } = createStage()
  const first = lastSeen.round
  for (const [sid, at] of [['a', 1], ['b', 2], ['a', 3]] as const) lastSeen.note(sid, at)
  t.equal(lastSeen.round, first)
  t.equal(await lastSeen.flush(), 2)
  t.strictSame(batches, [[{ sid: 'a', at: 3 }, { sid: 'b', at: 2 }]])
  t.not(lastSeen.round, first)
  t.equal(await lastSeen.flush(), 0)
  t.equal(batches.length, 1, 'nothing seen, nothing asked')
})

await t.test('many are written in batches of at most 500', async (t) => {
  const { lastSeen, batches } = createStage()
  for (let i = 0; i < 1201; i++) lastSeen.note(`s${i}`, i)
  t.equal(await lastSeen.flush(), 1201)
  t.strictSame(batches.map(({ length }) => length), [500, 500, 201])
})

await t.test('notes are bounded', async (t) => {
  const { lastSeen, batches } = createStage(3)
  for (let i = 0; i < 10; i++) lastSeen.note(`s${i}`, i)
  t.equal(await lastSeen.flush(), 3)
  t.equal(batches.flat().length, 3)
})

await t.test('what cannot be written is lost, and the next round is not kept from its own', async (t) => {
  const stage = createStage()
  stage.lastSeen.note('a', 1)
  stage.isFailing = true
  await t.rejects(stage.lastSeen.flush())
  stage.isFailing = false
  stage.lastSeen.note('b', 2)
  t.equal(await stage.lastSeen.flush(), 1)
  t.strictSame(stage.batches, [[{ sid: 'b', at: 2 }]])
})

await t.test('in MongoDB the time moves forward only, and not for a session that was ended or never was', async (t) => {
  const db = await openDb(t, createStillClock())
  const [sessions, records] = [createSessionRepository(db), db.collection<SessionRecord>('usersession')]
  const lastSeenAt = new Date(1000)
  for (const [_id, revokedAt] of [['ahead', null], ['behind', null], ['over', new Date(0)]] as const) await records.insertOne({ _id, revokedAt, lastSeenAt } as SessionRecord)
  await sessions.markSeen([{ sid: 'ahead', at: 1001 }, { sid: 'behind', at: 999 }, { sid: 'over', at: 1001 }, { sid: 'nobody', at: 1001 }])
  t.strictSame(await records.find({}, { projection: { lastSeenAt: 1 }, sort: { _id: 1 } }).toArray(), [
    { _id: 'ahead', lastSeenAt: new Date(1001) }, { _id: 'behind', lastSeenAt }, { _id: 'over', lastSeenAt }
  ])
})
