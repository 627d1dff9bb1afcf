// The system's two clocks, and that nobody can bend them for everybody else.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'

await t.test('one clock tells the time of day, the other never runs backwards', async (t) => {
  const before = Date.now()
  const wall = systemClock.wall()
  t.ok(wall >= before && wall <= Date.now())
  t.ok(Number.isInteger(wall))
  let last = -Infinity
  let backwards = 0
  for (let time = 0; time < 1000; time++) {
    const now = systemClock.mono()
    if (now < last) backwards++
    last = now
  }
  t.equal(backwards, 0)
})

await t.test('the system\'s clock cannot be replaced in place', async (t) => {
  t.ok(Object.isFrozen(systemClock))
})
