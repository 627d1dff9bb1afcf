// How long the place of a worker that has died stays empty.
import t from 'tap'
import { createPauses } from '../../../src/worker/pauses.ts'
import { createStillClock } from '../../helper/clock.ts'

await t.test('deaths in a row cost nothing, then ever longer pauses up to half a minute; each worker has its own', async (t) => {
  const clock = createStillClock()
  const pauses = createPauses(clock)
  const after = Array.from({ length: 12 }, () => pauses.after(1, undefined))
  t.strictSame(after, [0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000])
  t.equal(pauses.after(2, clock.mono()), 0)
  t.equal(pauses.after(2, clock.mono()), 250)
})

await t.test('a worker that has listened for more than a minute did not die of its start', async (t) => {
  const clock = createStillClock()
  const pauses = createPauses(clock)
  for (const pauseMs of [0, 250]) t.equal(pauses.after(1, clock.mono()), pauseMs)
  const since = clock.mono()
  clock.advance(60_000)
  t.equal(pauses.after(1, since), 500)
  clock.advance(1)
  t.equal(pauses.after(1, since), 0)
  t.equal(pauses.after(1, clock.mono()), 250)
})
