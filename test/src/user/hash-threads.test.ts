// The two kinds of hashing threads: meek ones that give way to everything, and steady ones for what does not get on.
import bcrypt from 'bcrypt'
import { readdir, readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { systemClock } from '../../../src/clock.ts'
import { createHashThreads, type HashThreads } from '../../../src/user/hash-threads.ts'
import type { HashTask } from '../../../src/user/hash-worker.ts'
import { passwordMark } from '../../helper/evidence.ts'
import { until } from '../../helper/service.ts'

const skip = process.platform !== 'linux' && 'reads /proc'
const password = `${passwordMark}right`
/** A quarter of a second or more, so that it shows in what a thread has used. */
const long: HashTask = { kind: 'verify', password, hash: bcrypt.hashSync(password, 12), cost: 12 }
const short: HashTask = { kind: 'hash', password, cost: 4 }

function open (t: Test, { concurrency = 1, clock = systemClock } = {}): HashThreads {
  const threads = createHashThreads(concurrency, clock)
  t.teardown(() => threads.close())
  return threads
}

interface NiceThread { readonly id: string, readonly niceness: number, readonly ticks: number }

/** Threads that are nicer than this process: by how much, and what they have used, in ticks of 10 ms. */
async function niceThreads (): Promise<NiceThread[]> {
  const fields = async (task: string): Promise<string[]> => (await readFile(`/proc/self/task/${task}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ')
  const own = Number((await fields(String(process.pid)))[16])
  const all = await Promise.all((await readdir('/proc/self/task')).map(async (id) => ({ id, of: await fields(id).catch(() => []) }))) // one may have ended
  return all.map(({ id, of }) => ({ id, niceness: Number(of[16]) - own, ticks: Number(of[11]) })).filter(({ niceness }) => niceness > 0)
}

/** Ticks that threads of each kind took for some work. */
async function ticks (work: () => Promise<unknown>): Promise<{ meek: number, steady: number }> {
  const before = await niceThreads()
  await work()
  const after = await niceThreads()
  const of = (kind: number): number => after.filter(({ niceness }) => niceness === kind)
    .reduce((sum, { id, ticks }) => sum + ticks - (before.find((one) => one.id === id)?.ticks ?? 0), 0)
  return { meek: of(19), steady: of(10) }
}

await t.test('who gets on is hashed by a thread that gives way to everything, and by no other', { skip }, async (t) => {
  const threads = open(t)
  for (let round = 0; round < 3; round++) await Promise.all([threads.run(short, 60_000), threads.run(short, 60_000)]) // both kinds run
  const { meek, steady } = await ticks(async () => { t.equal(await threads.run(long, 60_000), true) })
  t.ok(meek >= 10, `${meek} ticks`)
  t.ok(steady <= 1, `${steady} ticks`)
})

await t.test('who does not get on is taken up by a thread with a share of its own as well', { skip }, async (t) => {
  const threads = open(t)
  const { meek, steady } = await ticks(async () => { t.equal(await threads.run(long, 1), true) })
  t.ok(meek >= 5 && steady >= 5, `${meek} and ${steady} ticks`)
})

await t.test('nobody is kept waiting behind what does not get on', { skip }, async (t) => {
  const threads = open(t)
  const { steady } = await ticks(async () => {
    t.strictSame(await Promise.all([threads.run(long, 60_000), threads.run(long, 60_000)]), [true, true])
  })
  t.ok(steady >= 10, `${steady} ticks`)
})

await t.test('where one did not get on, the next ones do not try for ten times as long', { skip }, async (t) => {
  let now = 0
  const threads = open(t, { clock: { wall: () => now, mono: () => now } })
  t.equal(await threads.run(long, 20), true)
  for (let round = 0; round < 3; round++) await threads.run(long, 60_000) // meanwhile the first one is done on the other thread, too
  now += 199
  const soon = await ticks(() => threads.run(long, 60_000))
  t.ok(soon.steady >= 10, `${soon.steady} ticks`)
  now += 2
  // on a busy machine the meek thread may still be at the first one, which keeps others from it too
  await until(async () => (await ticks(() => threads.run(long, 60_000))).meek >= 10, 'a meek thread is tried again', 60_000)
})

await t.test('a close does not wait for what was given up, and the threads end when that is done', { skip }, async (t) => {
  const threads = createHashThreads(1, systemClock)
  await threads.run(short, 60_000) // it has started, and its thread is a nice one
  const givenUp = threads.run(long, 60_000)
  await threads.close()
  const count = async (): Promise<number> => (await niceThreads()).length
  t.ok(await count() >= 1, 'it is still made')
  t.equal(await givenUp, true, 'no thread is ended under it')
  await until(async () => await count() === 0, 'the threads have ended', 60_000)
})

await t.test('of several at once one tries whether it gets on again, and when it did they all do', { skip }, async (t) => {
  let now = 0
  const threads = open(t, { concurrency: 3, clock: { wall: () => now, mono: () => now } })
  const three = (): Promise<unknown> => Promise.all([1, 2, 3].map(() => threads.run(long, 60_000)))
  await three()
  await threads.run(long, 20)
  await three()
  now += 201
  // on a busy machine the first one may still be made meekly
  await until(async () => {
    const { meek, steady } = await ticks(three)
    return steady > meek && meek >= 10
  }, 'one tries', 60_000)
  const { meek, steady } = await ticks(three)
  t.ok(meek >= 30 && steady <= 1, `${meek} and ${steady} ticks`)
})

await t.test('what fails on one kind fails once, and leaves its place', async (t) => {
  const threads = open(t)
  const odd = { kind: 'verify', password, hash: 5, cost: 4 } as unknown as HashTask
  for (const patienceMs of [1, 60_000]) await t.rejects(threads.run(odd, patienceMs))
  t.match(await threads.run(short, 60_000), /^\$2b\$04\$/)
})
