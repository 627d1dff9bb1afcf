// The store of guests' visits behind its breaker: it keeps the contract while all is well, and an outage is paid for a few
// times, then once a pause.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createBreaker, type Breaker } from '../../../src/cache/breaker.ts'
import { LatchkeyError } from '../../../src/errors.ts'
import { createGuardedGuestStore } from '../../../src/visit/guarded-guest-store.ts'
import type { GuestStore } from '../../../src/visit/guest-store.ts'
import { createLocalGuestStore } from '../../../src/visit/local-guest-store.ts'
import { newVisitorId } from '../../../src/visit/visit-rules.ts'
import { createStillClock, type TestClock } from '../../helper/clock.ts'
import { guestStoreContract, idleMs, listDue, pageAt, pages } from './guest-store.contract.ts'

const limits = { idleMs, mostEntries: 1000 }
const unavailable = { name: 'LatchkeyError', code: 'unavailable' }
const guest = newVisitorId(randomBytes)

/** Every call that waits for one answer. */
const calls: Readonly<Record<string, (store: GuestStore, now: number) => Promise<unknown>>> = {
  'records.get': (store) => store.records.get(guest),
  'records.set': (store) => store.records.set(guest, '{}'),
  'records.delete': (store) => store.records.delete(guest),
  create: (store, now) => store.create(guest.visitId, now),
  append: (store, now) => store.append(guest, 'page', pageAt(now), now),
  touch: (store, now) => store.touch(guest.visitId, now),
  read: (store, now) => store.read(guest.visitId, pages, now),
  end: (store, now) => store.end(guest, now),
  settle: (store, now) => store.settle(guest.visitId, now),
  drop: (store) => store.drop(guest.visitId)
}

interface Kit {
  guarded: GuestStore
  breaker: Breaker
  clock: TestClock
  /** How often the store behind it was asked. */
  asked: () => number
  /** What the store rejects with from now on; undefined: it answers. */
  failWith: (fault: unknown) => void
  /** One call, the cheapest. */
  ask: () => Promise<unknown>
}

function createKit (): Kit {
  const clock = createStillClock()
  const store = createLocalGuestStore({ now: clock.wall, ...limits })
  let asked = 0
  let fault: unknown
  const failing = <T extends object>(target: T): T => new Proxy(target, {
    get (inner, name) {
      const member: unknown = Reflect.get(inner, name, inner)
      if (typeof member !== 'function') return failing(member as object)
      return (...args: unknown[]) => {
        asked++
        return fault === undefined ? Reflect.apply(member, inner, args) as unknown : Promise.reject(fault)
      }
    }
  })
  const breaker = createBreaker({ clock, failures: 3, pauseMs: 1000 })
  const guarded = createGuardedGuestStore(failing(store), breaker)
  return { guarded, breaker, clock, asked: () => asked, failWith (next) { fault = next }, ask: () => guarded.touch('a', clock.wall()) }
}

await guestStoreContract(t, 'behind a breaker', async (rules) => {
  const clock = createStillClock()
  return { clock, store: createGuardedGuestStore(createLocalGuestStore({ now: clock.wall, ...rules }), createBreaker({ clock })), close: async () => {} }
})

for (const [name, call] of Object.entries(calls)) {
  await t.test(`${name}: a store that does not answer is unavailable, and after some failures it is not asked`, async (t) => {
    const { guarded, breaker, clock, asked, failWith } = createKit()
    const fault = new Error('Connection is closed')
    failWith(fault)
    for (let time = 1; time <= 3; time++) {
      t.notOk(breaker.isOpen())
      await t.rejects(call(guarded, clock.wall()), { ...unavailable, cause: fault }, 'with the fault for the log')
      t.equal(asked(), time)
    }
    await t.rejects(call(guarded, clock.wall()), unavailable)
    clock.advance(999)
    await t.rejects(call(guarded, clock.wall()), unavailable)
    t.equal(asked(), 3)
  })
}

await t.test('after the pause one call asks, and its success closes the breaker for all', async (t) => {
  const { breaker, clock, asked, failWith, ask } = createKit()
  failWith(new Error('away'))
  for (let time = 0; time < 3; time++) await t.rejects(ask(), unavailable)
  clock.advance(1000)
  await t.rejects(ask(), unavailable)
  t.equal(asked(), 4, 'a probe that failed')
  await t.rejects(ask(), unavailable)
  t.equal(asked(), 4, 'is one more pause')

  failWith(undefined)
  clock.advance(1000)
  t.equal(await ask(), false)
  t.notOk(breaker.isOpen())
  for (let time = 0; time < 5; time++) t.equal(await ask(), false)
  t.equal(asked(), 10)
})

await t.test('a success between failures begins their row anew, also one that says no', async (t) => {
  const { breaker, failWith, ask } = createKit()
  for (let round = 0; round < 3; round++) {
    failWith(new Error('away'))
    for (let time = 0; time < 2; time++) await t.rejects(ask(), unavailable)
    failWith(undefined)
    t.equal(await ask(), false)
  }
  t.notOk(breaker.isOpen())
})

await t.test('an error of the list passes as it is', async (t) => {
  const { failWith, ask } = createKit()
  const refusal = new LatchkeyError('unavailable', { retryAfterSeconds: 7, detail: 'as many visits as it may' })
  failWith(refusal)
  t.equal(await ask().catch((error: unknown) => error), refusal, 'the very same')
  failWith(new LatchkeyError('visit_full'))
  await t.rejects(ask(), { name: 'LatchkeyError', code: 'visit_full' })
})

await t.test('what is rejected is no error: still unavailable', async (t) => {
  const { failWith, ask } = createKit()
  for (const fault of [null, 'text', 0]) {
    failWith(fault)
    await t.rejects(ask(), unavailable)
  }
})

await t.test('a call that is refused tells nobody why, and when to come again', async (t) => {
  const { failWith, ask } = createKit()
  failWith(new Error('connect ECONNREFUSED 10.0.0.7:6379'))
  for (let time = 0; time < 4; time++) {
    const error = await ask().catch((error: unknown) => error) as LatchkeyError
    t.equal(error.statusCode, 503)
    t.equal(error.extras.retryAfterSeconds, 1)
    t.notMatch(error.message, /10\.0\.0\.7/)
  }
})

await t.test('what is due is listed as the store lists it, and its failure is a failure', async (t) => {
  const { guarded, breaker, clock } = createKit()
  await guarded.create(guest.visitId, clock.wall())
  t.strictSame(await listDue(guarded, clock.wall() + idleMs), [guest.visitId])
  const failing = createGuardedGuestStore({ ...guarded, async * due () { throw new Error('away') } }, breaker)
  await t.rejects(listDue(failing, clock.wall() + idleMs))
})
