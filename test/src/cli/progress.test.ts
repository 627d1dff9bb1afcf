// How far a long work is: one line written over on a terminal, a line every few seconds elsewhere.
import t from 'tap'
import { createProgress } from '../../../src/cli/progress.ts'
import { createStillClock } from '../../helper/clock.ts'

await t.test('elsewhere: a line every five seconds, the first after five', async (t) => {
  const [clock, said] = [createStillClock(), [] as string[]]
  const progress = createProgress({ err: (text) => { said.push(text) }, isTerminal: false, clock })
  for (let second = 0; second <= 11; second++) {
    progress.show(String(second))
    progress.clear()
    clock.advance(1000)
  }
  t.strictSame(said, ['5\n', '10\n'])
})

await t.test('on a terminal: one line, at most ten times a second, gone before another is printed', async (t) => {
  const [clock, said] = [createStillClock(), [] as string[]]
  const progress = createProgress({ err: (text) => { said.push(text) }, isTerminal: true, clock })
  progress.clear()
  for (let step = 0; step < 4; step++) {
    progress.show(String(step))
    clock.advance(50)
  }
  progress.clear()
  progress.clear()
  t.strictSame(said, ['\r\x1b[K0', '\r\x1b[K2', '\r\x1b[K'])
})
