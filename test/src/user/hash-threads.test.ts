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

/** What the threads of this process have used, in ticks of 10 ms, by how much nicer they are than it. */
async function usedByNiceness (): Promise<Record<number, number>> {
  const fields = async (task: string): Promise<string[]> => (await readFile(`/proc/self/task/${task}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ')
  const own = Number((await fields(String(process.pid)))[16])
  const used: Record<number, number> = {}
  for (const task of await readdir('/proc/self/task')) {
    const of = await fields(task)
    const niceness = Number(of[16]) - own
    used[niceness] = (used[niceness] ?? 0) + Number(of[11])
  }
  return used
}

/** Ticks that threads of each kind took for some work. */
async function ticks (work: () => Promise<unknown>): Promise<{ meek: number, steady: number }> {
  const before = await usedByNiceness()
  await work()
  const after = await usedByNiceness()
  const of = (niceness: number): number => (after[niceness] ?? 0) - (before[niceness] ?? 0)
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
  await Promise.all(Array.from({ length: 4 }, () => threads.run(long, 20))) // steadily; meanwhile the meek thread is done too
  now += 199
  const soon = await ticks(() => threads.run(long, 60_000))
  t.ok(soon.steady >= 10, `${soon.steady} ticks`)
  now += 2
  // on a busy machine the meek thread may still be at the first one, which keeps others from it too
  await until(async () => (await ticks(() => threads.run(long, 60_000))).meek >= 10, 'a meek thread is tried again', 60_000)
})

await t.test('what fails on one kind fails once, and leaves its place', async (t) => {
  const threads = open(t)
  const odd = { kind: 'verify', password, hash: 5, cost: 4 } as unknown as HashTask
  for (const patienceMs of [1, 60_000]) await t.rejects(threads.run(odd, patienceMs))
  t.match(await threads.run(short, 60_000), /^\$2b\$04\$/)
})
