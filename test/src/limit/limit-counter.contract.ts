// What every counter promises, whatever it counts with.
import type { Test } from 'tap'
import type { LimitCounter } from '../../../src/limit/limit-counter.ts'
import type { TestClock } from '../../helper/clock.ts'

export interface OpenCounter { counter: LimitCounter, clock: TestClock, close: () => Promise<void> }

const windowMs = 300_000

export async function limitCounterContract (t: Test, name: string, open: () => Promise<OpenCounter>): Promise<void> {
  const story = (promise: string, run: (t: Test, opened: OpenCounter) => Promise<void>): Promise<unknown> => t.test(`${name}: ${promise}`, async (t) => {
    const opened = await open()
    t.teardown(opened.close)
    await run(t, opened)
  })

  await story('attempts are counted one by one, each key for itself', async (t, { counter }) => {
    for (const expected of [1, 2, 3]) t.equal((await counter.take('a', windowMs)).count, expected)
    t.equal((await counter.take('b', windowMs)).count, 1)
  })

  await story('of a hundred at once each gets a number of its own', async (t, { counter }) => {
    const taken = await Promise.all(Array.from({ length: 100 }, () => counter.take('a', windowMs)))
    t.strictSame(taken.map(({ count }) => count).sort((one, other) => one - other), Array.from({ length: 100 }, (_, at) => at + 1))
    t.equal((await counter.take('a', windowMs)).count, 101)
  })

  await story('a window opens at its first attempt and ends by the clock', async (t, { counter, clock }) => {
    t.equal((await counter.take('a', windowMs)).restMs, windowMs)
    clock.advance(100_000)
    t.match(await counter.take('a', windowMs), { count: 2, restMs: 200_000 }, 'a later attempt does not move its end')
    clock.advance(199_999)
    t.match(await counter.take('a', windowMs), { count: 3, restMs: 1 })
    clock.advance(1)
    t.match(await counter.take('a', windowMs), { count: 1, restMs: windowMs }, 'exactly at its end the next one opens')
  })

  await story('many windows one after the other each begin at one', async (t, { counter, clock }) => {
    for (let round = 0; round < 5; round++) {
      t.equal((await counter.take('a', 1000)).count, 1)
      t.equal((await counter.take('a', 1000)).count, 2)
      clock.advance(1000)
    }
  })

  await story('an attempt given back counts no more', async (t, { counter }) => {
    const first = await counter.take('a', windowMs)
    await counter.take('a', windowMs)
    await first.giveBack()
    t.equal((await counter.take('a', windowMs)).count, 2)
  })

  await story('a hundred given back at once leave nothing', async (t, { counter }) => {
    const taken = await Promise.all(Array.from({ length: 100 }, () => counter.take('a', windowMs)))
    await Promise.all(taken.map((one) => one.giveBack()))
    t.equal((await counter.take('a', windowMs)).count, 1)
  })

  await story('an attempt of a window that is over takes nothing from the next one', async (t, { counter, clock }) => {
    const late = await counter.take('a', windowMs)
    clock.advance(windowMs)
    await counter.take('a', windowMs)
    await late.giveBack()
    t.equal((await counter.take('a', windowMs)).count, 2)
  })
}
