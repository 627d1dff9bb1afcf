// Timing from outside: every promise is reported once with its time and outcome, and nothing else of the object changes.
import t from 'tap'
import { LatchkeyError } from '../../../src/errors.ts'
import { measured } from '../../../src/meter/measured.ts'
import { createStillClock } from '../../helper/clock.ts'

function createKit () {
  const clock = createStillClock()
  const reports: [string, number, string][] = []
  const target = {
    name: 'a member',
    inner: { works: true },
    sum: (one: number, other: number) => one + other,
    async later (ms: number, error?: Error): Promise<number> {
      await Promise.resolve()
      clock.advance(ms)
      if (error !== undefined) throw error
      return ms
    }
  }
  return { target, reports, timed: measured(target, clock, (...report) => { reports.push(report) }) }
}

await t.test('a promise is reported with its seconds, and answered as it was', async (t) => {
  const { timed, reports } = createKit()
  t.equal(await timed.later(250), 250)
  t.strictSame(reports, [['later', 0.25, 'ok']])
})

await t.test('it is reported before whoever waits for it goes on', async (t) => {
  const { timed, reports } = createKit()
  let seen = 0
  await timed.later(1).then(() => { seen = reports.length })
  t.equal(seen, 1)
})

await t.test('a failure is reported by the code that a client would be told, and stays the same failure', async (t) => {
  const { timed, reports } = createKit()
  const network = Object.assign(new Error('no answer'), { name: 'MongoNetworkError' })
  for (const error of [new LatchkeyError('email_taken'), network, new TypeError('a mistake')]) {
    await t.rejects(timed.later(1, error), error)
  }
  t.strictSame(reports.map(([, , outcome]) => outcome), ['email_taken', 'unavailable', 'internal_error'])
})

await t.test('what is answered at once, and what is no function, is passed on and not reported', (t) => {
  const { timed, target, reports } = createKit()
  t.equal(timed.sum(1, 2), 3)
  t.equal(timed.name, 'a member')
  t.equal(timed.inner, target.inner)
  t.strictSame(reports, [])
  t.end()
})
