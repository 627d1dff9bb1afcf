// What a primary and its workers say to each other: questions find their own answers, nobody is waited for too long, and what
// others send is left alone.
import t from 'tap'
import { createLine, type Wire } from '../../../src/worker/line.ts'

/** Two ends of a channel that loses nothing. */
function createWires (): [Wire, Wire] {
  const listeners: ((message: unknown) => void)[][] = [[], []]
  const wire = (own: number): Wire => ({
    send (message) { setImmediate(() => { for (const listener of listeners[1 - own] ?? []) listener(structuredClone(message)) }) },
    hear (listener) { listeners[own]?.push(listener) }
  })
  return [wire(0), wire(1)]
}

const nothing = async (): Promise<string[]> => []

await t.test('each question has its own answer, whichever comes first, in both directions', async (t) => {
  const [here, there] = createWires()
  let asked = 0
  const [held, release] = [[] as (() => void)[], () => { held.pop()?.() }]
  const a = createLine(here, async () => ['a'])
  const b = createLine(there, async () => {
    const own = ++asked
    await new Promise<void>((resolve) => { held.push(resolve) })
    return [`b${own}`]
  })
  const answers = [a.ask(5000), a.ask(5000)]
  t.strictSame(await b.ask(5000), ['a'])
  for (let i = 0; i < 2; i++) release()
  t.strictSame(await Promise.all(answers), [['b1'], ['b2']])
})

await t.test('an answer that fails, that is late or that never comes is empty', async (t) => {
  const [here, there] = createWires()
  const a = createLine(here, nothing)
  createLine(there, async () => { throw new Error('away') })
  t.strictSame(await a.ask(5000), [])
  const [alone] = createWires()
  t.strictSame(await createLine(alone, nothing).ask(1), [])
})

await t.test('messages of others are left alone', async (t) => {
  const [here, there] = createWires()
  const a = createLine(here, nothing)
  createLine(there, async () => ['b'])
  for (const message of [{ type: 'dependency' }, { latchkey: 'end' }, { latchkey: 'answer', id: 7, texts: ['x'] }]) there.send(message)
  here.hear((message) => { t.notMatch(message, { latchkey: 'question' }, 'nothing is answered to them') })
  t.strictSame(await a.ask(5000), ['b'])
})
