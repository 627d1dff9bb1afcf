// The system's two clocks, that nobody can bend them for everybody else, and what waiting for something means.
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { systemClock, within } from '../../src/clock.ts'

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

await t.test('what came while the process stood still is not late; what did not come is', async (t) => {
  const other = new Worker("const { parentPort: port } = require('node:worker_threads'); port.on('message', (text) => { port.postMessage(text) }); port.postMessage('here')", { eval: true })
  t.teardown(async () => { await other.terminate() })
  await once(other, 'message')
  const ask = async (): Promise<unknown> => {
    other.postMessage('heard')
    return (await once(other, 'message'))[0]
  }
  const answer = within(50, ask(), () => 'late')
  await setImmediate() // out of the reading of messages
  for (const until = performance.now() + 300; performance.now() < until;);
  t.equal(await answer, 'heard')
  const begin = performance.now()
  t.equal(await within(50, new Promise(() => {}), () => 'late'), 'late')
  t.ok(performance.now() - begin >= 49)
  await t.rejects(within(50, new Promise(() => {}), () => { throw new Error('told so') }), { message: 'told so' })
})
