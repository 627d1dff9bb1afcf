// A crew of any program: one is started before the others, who dies is replaced after a pause that grows, what cannot start is
// not tried for ever, and who does not end is ended.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createCrew, type Crew } from '../../../src/worker/crew.ts'
import { createStillClock } from '../../helper/clock.ts'
import { callHttp } from '../../helper/http.ts'
import { scratchFolder } from '../../helper/scratch.ts'
import { until } from '../../helper/service.ts'

const file = fileURLToPath(new URL('program.ts', import.meta.url))

const behave = (how: string | undefined): void => {
  if (how === undefined) Reflect.deleteProperty(process.env, 'PROGRAM')
  else process.env['PROGRAM'] = how
}

interface Kit { crew: Crew, clock: ReturnType<typeof createStillClock>, warned: Record<string, unknown>[], failed: string[], started: () => string[] }

function createKit (t: Test, { count = 2, drainMs = 5000 }: { count?: number, drainMs?: number } = {}): Kit {
  const [clock, warned, failed] = [createStillClock(), [] as Record<string, unknown>[], [] as string[]]
  const starts = join(scratchFolder(t), 'starts')
  writeFileSync(starts, '')
  process.env['PROGRAM_STARTS'] = starts
  const log = { warn: (fields: object) => { warned.push({ ...fields }) }, error: (_fields: object, line: string) => { failed.push(line) } }
  const crew = createCrew({ file, count, log, clock, drainMs })
  t.teardown(async () => {
    behave(undefined)
    crew.kill()
    await crew.ended
  })
  return { crew, clock, warned, failed, started: () => readFileSync(starts, 'utf8').trim().split('\n') }
}

/** @returns the process of a worker, once it answers */
async function pidOf (origin: string, number: number): Promise<number> {
  let pid = 0
  await until(async () => {
    const answer = await callHttp(origin, '/').catch(() => undefined) // one that dies takes what it was asked with it
    const [who, process] = (answer?.text ?? '').split(' ').map(Number)
    if (who === number) pid = process as number
    return pid > 0
  }, 'it has answered')
  return pid
}

const killOne = async (origin: string, number: number): Promise<void> => { process.kill(await pidOf(origin, number), 'SIGKILL') }

await t.test('the first one starts before the others; each knows its number and what the others show', async (t) => {
  const { crew, started, warned } = createKit(t, { count: 3 })
  const origin = await crew.ready
  t.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.equal(started()[0], '1')
  t.strictSame(started().sort(), ['1', '2', '3'])
  const seen = new Set<string>()
  await until(async () => seen.add((await callHttp(origin, '/others')).text).size === 3, 'all have answered')
  t.strictSame([...seen].sort(), ['1: text of 2,text of 3', '2: text of 1,text of 3', '3: text of 1,text of 2'])
  crew.end()
  t.equal(await crew.ended, 0)
  t.strictSame(warned, [])
})

await t.test('a program that cannot start is tried once, and its exit code is the crew\'s', async (t) => {
  behave('cannot start')
  const { crew, started, warned } = createKit(t, { count: 3 })
  t.equal(await crew.ended, 3)
  t.strictSame(started(), ['1'])
  t.strictSame(warned, [])
})

await t.test('one that dies soon after each start is replaced at once, then after pauses; after a minute of calm at once again', async (t) => {
  const { crew, clock, warned } = createKit(t)
  const origin = await crew.ready
  behave('dies')
  await killOne(origin, 2)
  await until(() => warned.length === 3, 'it has died three times')
  behave(undefined)
  t.match(warned, [
    { worker: 2, workerPid: Number, code: null, signal: 'SIGKILL', pauseMs: 0 },
    { worker: 2, code: 7, signal: null, pauseMs: 250 },
    { worker: 2, code: 7, signal: null, pauseMs: 500 }
  ])
  for (const [number, pauseMs] of [[2, 1000], [1, 0], [1, 250]] as const) await killAnd(number, pauseMs) // each has its own pauses
  await pidOf(origin, 2)
  clock.advance(60_001)
  for (const [number, pauseMs] of [[2, 0], [2, 250]] as const) await killAnd(number, pauseMs)

  async function killAnd (number: number, pauseMs: number): Promise<void> {
    const before = warned.length
    await Promise.all([1, 2].map((any) => pidOf(origin, any))) // without one of them the port, which is any free one, would be another
    await killOne(origin, number)
    await until(() => warned.length > before, 'it has died')
    t.match(warned.slice(before), [{ worker: number, pauseMs }])
  }
})

await t.test('a connection on its way to one that dies is answered by another one; with nobody left it is closed', async (t) => {
  const { crew } = createKit(t)
  const origin = await crew.ready
  for (const all of [false, true]) {
    const [first, second] = [await pidOf(origin, 1), await pidOf(origin, 2)]
    let answered = 0
    const ask = async (): Promise<string> => {
      const { text } = await callHttp(origin, '/').catch(({ code }) => ({ text: code as string }))
      answered++
      return text.slice(0, 10)
    }
    process.kill(second, 'SIGSTOP')
    const asked = [ask(), ask(), ask()]
    await until(() => answered === 2, 'the other ones are answered')
    if (all) process.kill(first, 'SIGKILL')
    process.kill(second, 'SIGKILL')
    const texts = new Set(await Promise.all(asked))
    t.strictSame(texts, new Set(all ? [`1 ${first}`, 'ECONNRESET'] : [`1 ${first}`]))
  }
})

await t.test('while another one serves, what cannot start is tried again, also when there can be no process at all', async (t) => {
  const { crew, warned, started } = createKit(t)
  const origin = await crew.ready
  const { execPath } = process
  t.teardown(() => { process.execPath = execPath })
  behave('cannot start')
  await killOne(origin, 2)
  await until(() => warned.length === 2, 'it could not start')
  process.execPath = join(scratchFolder(t), 'nothing')
  await until(() => warned.length === 3, 'there was no process')
  t.match(warned.slice(1), [{ code: 3, pauseMs: 250 }, { worker: 2, workerPid: undefined, code: null, pauseMs: 500 }])
  t.match((await callHttp(origin, '/')).text, /^1 /)
  process.execPath = execPath
  behave(undefined)
  await pidOf(origin, 2)
  t.strictSame(started(), ['1', '2', '2', '2'])
})

await t.test('who does not end in time is killed, and the exit code says so', async (t) => {
  behave('stays')
  const { crew, failed } = createKit(t, { drainMs: 100 })
  await crew.ready
  crew.end()
  t.equal(await crew.ended, 1)
  t.match(failed, [/not ended in time/])
})

await t.test('asked to end before anybody listens, it ends with what has begun to start', async (t) => {
  const { crew, warned } = createKit(t)
  crew.end()
  t.equal(await crew.ended, 0)
  t.strictSame(warned, [])
})
