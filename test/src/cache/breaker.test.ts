// The breaker: an outage is paid for a few times, then once a pause.
import t from 'tap'
import { createBreaker, type Breaker } from '../../../src/cache/breaker.ts'
import { createStillClock, type TestClock } from '../../helper/clock.ts'

interface Kit { clock: TestClock, breaker: Breaker, told: string[] }

function createKit (): Kit {
  const clock = createStillClock()
  const told: string[] = []
  const breaker = createBreaker({ clock, failures: 3, pauseMs: 1000, onOpen: () => { told.push('open') }, onClose: () => { told.push('close') } })
  return { clock, breaker, told }
}

const fail = ({ breaker }: Kit, times: number): void => {
  for (let time = 0; time < times; time++) breaker.failed()
}

await t.test('it opens at the last failure of a row, not before', async (t) => {
  const kit = createKit()
  fail(kit, 2)
  t.ok(kit.breaker.allows())
  t.notOk(kit.breaker.isOpen())
  fail(kit, 1)
  t.notOk(kit.breaker.allows())
  t.ok(kit.breaker.isOpen())
  t.strictSame(kit.told, ['open'])
})

await t.test('a success begins the row anew', async (t) => {
  const kit = createKit()
  fail(kit, 2)
  kit.breaker.succeeded()
  fail(kit, 2)
  t.ok(kit.breaker.allows())
  t.strictSame(kit.told, [], 'and nothing is told of what did not happen')
})

await t.test('open, it lets one caller through a pause', async (t) => {
  const kit = createKit()
  fail(kit, 3)
  kit.clock.advance(999)
  t.notOk(kit.breaker.allows())
  kit.clock.advance(1)
  t.ok(kit.breaker.allows(), 'the probe')
  t.notOk(kit.breaker.allows(), 'nobody beside it')
  kit.clock.advance(999)
  t.notOk(kit.breaker.allows())
  kit.clock.advance(1)
  t.ok(kit.breaker.allows(), 'a probe that never came back does not keep it shut')
})

await t.test('a failed probe is one more pause, told to nobody', async (t) => {
  const kit = createKit()
  fail(kit, 3)
  kit.clock.advance(1000)
  t.ok(kit.breaker.allows())
  fail(kit, 1)
  t.notOk(kit.breaker.allows())
  kit.clock.advance(1000)
  t.ok(kit.breaker.allows())
  t.strictSame(kit.told, ['open'])
})

await t.test('a probe that succeeds closes it for everybody', async (t) => {
  const kit = createKit()
  fail(kit, 3)
  kit.clock.advance(1000)
  kit.breaker.allows()
  kit.breaker.succeeded()
  t.ok(kit.breaker.allows())
  t.ok(kit.breaker.allows())
  t.notOk(kit.breaker.isOpen())
  t.strictSame(kit.told, ['open', 'close'])
  fail(kit, 2)
  t.ok(kit.breaker.allows(), 'and a new row begins')
  fail(kit, 1)
  t.strictSame(kit.told, ['open', 'close', 'open'])
})

await t.test('setting the machine\'s clock does not move the pause', async (t) => {
  const kit = createKit()
  fail(kit, 3)
  kit.clock.setWallBy(3_600_000)
  t.notOk(kit.breaker.allows())
  kit.clock.setWallBy(-7_200_000)
  kit.clock.advance(1000)
  t.ok(kit.breaker.allows())
})

await t.test('five failures and a second are the defaults', async (t) => {
  const clock = createStillClock()
  const breaker = createBreaker({ clock })
  for (let time = 0; time < 4; time++) breaker.failed()
  t.ok(breaker.allows())
  breaker.failed()
  clock.advance(999)
  t.notOk(breaker.allows())
  clock.advance(1)
  t.ok(breaker.allows())
})
