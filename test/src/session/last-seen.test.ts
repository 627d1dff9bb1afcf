// Notes of who was seen: one a session and round, bounded, written by the job in batches, and none is written twice.
import t from 'tap'
import { createLastSeen } from '../../../src/session/last-seen.ts'
import { createSessionRepository } from '../../../src/session/session-repository.ts'
import type { SessionRecord } from '../../../src/session/session-rules.ts'
import { createStillClock } from '../../helper/clock.ts'
import { openDb } from '../visit/visit-kit.ts'

interface Batch { readonly sids: readonly string[], readonly at: number }

function createStage (capacity?: number) {
  const batches: Batch[] = []
  const lastSeen = createLastSeen({
    sessions: {
      async markSeen (sids, at) {
        if (state.isFailing) throw new Error('MongoDB does not answer')
        batches.push({ sids, at: at.getTime() })
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
  t.strictSame(batches, [{ sids: ['a', 'b'], at: 3 }])
  t.not(lastSeen.round, first)
  t.equal(await lastSeen.flush(), 0)
  t.equal(batches.length, 1, 'nothing seen, nothing asked')
})

await t.test('many are written at a time, at most 100, and none with a time that is a second off', async (t) => {
  const { lastSeen, batches } = createStage()
  for (let i = 0; i < 250; i++) lastSeen.note(`s${i}`, i)
  for (const at of [2000, 2999, 3000, 1000, 1500]) lastSeen.note(`at ${at}`, at)
  t.equal(await lastSeen.flush(), 255)
  t.strictSame(batches.map(({ sids, at }) => [sids.length, at]), [[100, 99], [100, 199], [50, 249], [2, 2999], [1, 3000], [2, 1500]])
})

await t.test('what came one by one is written eight at a time, and what came together one after the other', async (t) => {
  const under = { now: 0, most: 0 }
  const lastSeen = createLastSeen({
    sessions: {
      async markSeen () {
        under.most = Math.max(under.most, ++under.now)
        await new Promise(setImmediate)
        under.now--
      }
    }
  })
  for (let i = 0; i < 60; i++) lastSeen.note(`${i}`, i * 1000)
  await lastSeen.flush()
  t.equal(under.most, 8)
  under.most = 0
  for (let i = 0; i < 300; i++) lastSeen.note(`${i}`, i)
  await lastSeen.flush()
  t.equal(under.most, 1)
})

await t.test('notes are bounded', async (t) => {
  const { lastSeen, batches } = createStage(3)
  for (let i = 0; i < 10; i++) lastSeen.note(`s${i}`, i)
  t.equal(await lastSeen.flush(), 3)
  t.equal(batches.flatMap(({ sids }) => sids).length, 3)
})

await t.test('what cannot be written is lost, and the next round is not kept from its own', async (t) => {
  const stage = createStage()
  stage.lastSeen.note('a', 1)
  stage.isFailing = true
  await t.rejects(stage.lastSeen.flush())
  stage.isFailing = false
  stage.lastSeen.note('b', 2)
  t.equal(await stage.lastSeen.flush(), 1)
  t.strictSame(stage.batches, [{ sids: ['b'], at: 2 }])
})

await t.test('in MongoDB the time moves forward only, and not for a session that was ended or never was', async (t) => {
  const db = await openDb(t, createStillClock())
  const [sessions, records] = [createSessionRepository(db), db.collection<SessionRecord>('usersession')]
  const lastSeenAt = new Date(1000)
  for (const [_id, revokedAt] of [['ahead', null], ['behind', null], ['over', new Date(0)]] as const) await records.insertOne({ _id, revokedAt, lastSeenAt } as SessionRecord)
  const all = async () => await records.find({}, { projection: { lastSeenAt: 1 }, sort: { _id: 1 } }).toArray()
  await sessions.markSeen(['ahead', 'over', 'nobody'], new Date(1001))
  await sessions.markSeen(['behind'], new Date(999))
  t.strictSame(await all(), [{ _id: 'ahead', lastSeenAt: new Date(1001) }, { _id: 'behind', lastSeenAt }, { _id: 'over', lastSeenAt }])
})
