// The store under @fastify/session: who a visitor is, by callbacks. What it cannot read is no session, what it cannot
// reach is an error and never "no session".
import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { SessionRecords } from '../../../src/visit/guest-store.ts'
import { createLocalGuestStore } from '../../../src/visit/local-guest-store.ts'
import { RedisSessionStore, recordText, type VisitIdentity } from '../../../src/visit/redis-session-store.ts'
import { newVisitorId, visitorText, type VisitorId } from '../../../src/visit/visit-rules.ts'
import { createStillClock, type TestClock } from '../../helper/clock.ts'
import { idleMs } from './guest-store.contract.ts'

interface Kit { store: RedisSessionStore, records: SessionRecords, clock: TestClock, guest: VisitorId, id: string }

function createKit (): Kit {
  const clock = createStillClock()
  const { records } = createLocalGuestStore({ now: clock.wall, idleMs, mostEntries: 10 })
  const guest = newVisitorId(randomBytes)
  return { store: new RedisSessionStore(records), records, clock, guest, id: visitorText(guest) }
}

/** What the callback was called with; a second call is a failure of its own. */
const called = (run: (callback: (...args: unknown[]) => void) => void): Promise<unknown[]> => new Promise((resolve, reject) => {
  let calls = 0
  run((...args) => {
    if (++calls > 1) reject(new Error('called twice'))
    setImmediate(() => { resolve(args) })
  })
})

const get = (store: RedisSessionStore, id: string) => called((callback) => { store.get(id, callback) })
const set = (store: RedisSessionStore, id: string, session: VisitIdentity) => called((callback) => { store.set(id, session, callback) })
const destroy = (store: RedisSessionStore, id: string) => called((callback) => { store.destroy(id, callback) })

const otherForms = ({ visitId, cookieId }: VisitorId): string[] => [
  '', '.', visitId, cookieId, `${visitId}.`, `.${cookieId}`, `${cookieId}.${visitId}`, `${visitId}.${cookieId}.`, `${visitId}.${cookieId}x`, `x${visitId}.${cookieId}`,
  `${visitId}.${cookieId}\n`, ` ${visitId}.${cookieId}`, `${visitId}:${cookieId}`, `${visitId.slice(1)}*.${cookieId}`, '__proto__', 'x'.repeat(100_000)
]

await t.test('what was set is got, until it is destroyed', async (t) => {
  const { store, guest, id } = createKit()
  t.strictSame(await get(store, id), [null, null], 'nothing yet: no error')
  t.strictSame(await set(store, id, { visitId: guest.visitId }), [])
  t.strictSame(await get(store, id), [null, { visitId: guest.visitId }])
  t.strictSame(await get(store, visitorText({ ...guest, cookieId: newVisitorId(randomBytes).cookieId })), [null, null], 'for its own cookie only')
  t.strictSame(await destroy(store, id), [])
  t.strictSame(await get(store, id), [null, null])
  t.strictSame(await destroy(store, id), [], 'destroying nothing is no error')
})

await t.test('it keeps who a visitor is and nothing else of a session', async (t) => {
  const { store, records, guest, id } = createKit()
  const session = { cookie: { path: '/', maxAge: 1 }, visitId: guest.visitId, pages: ['home'], userId: 'somebody' }
  await set(store, id, session)
  t.equal(await records.get(guest), JSON.stringify({ visitId: guest.visitId }))
  await set(store, id, { pages: ['home'] } as VisitIdentity)
  t.equal(await records.get(guest), '{}')
  t.strictSame(await get(store, id), [null, null], 'and without a visit it is nobody')
})

await t.test('what it gives has nothing that somebody else wrote beside the visit', async (t) => {
  const { store, records, guest, id } = createKit()
  await records.set(guest, `{"visitId":"${guest.visitId}","userId":"admin","__proto__":{"admin":true},"cookie":{}}`)
  t.strictSame(await get(store, id), [null, { visitId: guest.visitId }])
})

await t.test('it stands for the idle time from when it was set last', async (t) => {
  const { store, clock, guest, id } = createKit()
  await set(store, id, { visitId: guest.visitId })
  clock.advance(idleMs - 1)
  t.strictSame(await get(store, id), [null, { visitId: guest.visitId }])
  await set(store, id, { visitId: guest.visitId })
  clock.advance(idleMs - 1)
  t.strictSame(await get(store, id), [null, { visitId: guest.visitId }])
  clock.advance(1)
  t.strictSame(await get(store, id), [null, null])
})

await t.test('a damaged text, or one of another visit, is no session', async (t) => {
  const { store, records, guest, id } = createKit()
  const own = recordText({ visitId: guest.visitId })
  const texts = [
    '', ' ', '{', 'null', 'true', '1', '"text"', '[]', '{}', own.slice(0, -1), own.slice(1), `${own}${own}`, `[${own}]`, JSON.stringify(own), JSON.stringify(guest.visitId), guest.visitId,
    '{"visitId":null}', '{"visitId":1}', `{"visitId":["${guest.visitId}"]}`, `{"visitId":"${guest.visitId} "}`, `{"visitid":"${guest.visitId}"}`, recordText({ visitId: newVisitorId(randomBytes).visitId })
  ]
  for (const text of texts) {
    await records.set(guest, text)
    t.strictSame(await get(store, id), [null, null], text)
  }
  await records.set(guest, own)
  t.strictSame(await get(store, id), [null, { visitId: guest.visitId }], 'its own is')
})

await t.test('an id of another form is nobody\'s, is not stored, and is not asked for', async (t) => {
  const asked: string[] = []
  const ask = (name: string) => async () => { asked.push(name); return null }
  const store = new RedisSessionStore({ get: ask('get'), set: ask('set') as never, delete: ask('delete') as never })
  const guest = newVisitorId(randomBytes)
  for (const id of otherForms(guest)) {
    t.strictSame(await get(store, id), [null, null], JSON.stringify(id.slice(0, 80)))
    const [error] = await set(store, id, { visitId: guest.visitId })
    t.ok(error instanceof Error && !error.message.includes(guest.visitId), 'told, without the id')
    t.strictSame(await destroy(store, id), [])
  }
  t.strictSame(asked, [])
})

await t.test('a store that does not answer is an error, and never "no session"', async (t) => {
  const fault = new Error('Connection is closed')
  const fail = async () => { throw fault }
  const store = new RedisSessionStore({ get: fail, set: fail, delete: fail })
  const id = visitorText(newVisitorId(randomBytes))
  t.strictSame(await get(store, id), [fault])
  t.strictSame(await set(store, id, {}), [fault])
  t.strictSame(await destroy(store, id), [fault])
})
