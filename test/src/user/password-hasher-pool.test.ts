// The hashing pool: a storm is refused in order, and takes nothing from the rest of the process.
import bcrypt from 'bcrypt'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { systemClock } from '../../../src/clock.ts'
import { LatchkeyError } from '../../../src/errors.ts'
import { createPasswordHasher, type PasswordHasher, type PasswordHasherOptions } from '../../../src/user/password-hasher.ts'
import { passwordMark } from '../../helper/evidence.ts'

const password = `${passwordMark}right`
const home = '127.0.0.1'

function open (t: Test, options: Partial<PasswordHasherOptions> = {}): PasswordHasher {
  const hasher = createPasswordHasher({ clock: systemClock, cost: 10, concurrency: 1, queue: 100, ...options })
  t.teardown(() => hasher.close())
  return hasher
}

await t.test('beyond the threads and the queue a hash is refused at once, with whole seconds to wait', async (t) => {
  const hasher = open(t, { concurrency: 1, queue: 2 })
  const hashes: string[] = []
  const let3 = [1, 2, 3].map(async () => { hashes.push(await hasher.hash(password, home)) })
  t.equal(hasher.waiting(), 2)
  for (const call of [() => hasher.hash(password, home), () => hasher.verify(password, null, home)]) {
    const error = await Promise.resolve(call()).catch((error: unknown) => error)
    t.ok(error instanceof LatchkeyError)
    t.match(error, { code: 'unavailable', statusCode: 503 })
    const seconds = (error as LatchkeyError).extras.retryAfterSeconds as number
    t.ok(Number.isInteger(seconds) && seconds >= 1, `${seconds} seconds`)
  }
  t.strictSame(hashes, [], 'before anybody was served')
  await Promise.all(let3)
  t.equal(hasher.waiting(), 0)
  await hasher.hash(password, home)
})

await t.test('a wait that would take too long is refused before the queue is full', async (t) => {
  const hasher = open(t, { concurrency: 1, queue: 10_000, maxWaitMs: 200 })
  const all = await Promise.allSettled(Array.from({ length: 100 }, () => hasher.hash(password, home)))
  const refused = all.filter((one): one is PromiseRejectedResult => one.status === 'rejected').map((one) => one.reason as LatchkeyError)
  t.ok(refused.length > 50, `${refused.length} of 100`)
  t.ok(refused.length < 100, 'and some are let wait')
  for (const error of refused) {
    if (error.code !== 'unavailable' || !Number.isInteger(error.extras.retryAfterSeconds)) t.fail(error.message)
  }
  t.equal(hasher.waiting(), 0)
})

await t.test('the first storm after the start is bounded too: by a guess', async (t) => {
  let now = 0
  const slow = { wall: () => now, mono: () => { now += 1000; return now } } // a machine on which the shortest hash takes a second
  const hasher = open(t, { clock: slow, concurrency: 1, queue: 10_000, maxWaitMs: 5000 })
  const running = hasher.hash(password, home)
  const next = hasher.hash(password, home) // nobody waits yet
  await t.rejects(hasher.hash(password, home), { code: 'unavailable', extras: { retryAfterSeconds: 64 } })
  await Promise.all([running, next])
})

await t.test('the wait is estimated by what hashes take lately, not by what they once took', async (t) => {
  let [now, pace] = [0, 2000]
  const clock = { wall: () => now, mono: () => now }
  const hasher = open(t, { clock, concurrency: 1, queue: 10, maxWaitMs: 5000 })
  const oneAfterTheOther = async (count: number) => {
    for (let hash = 0; hash < count; hash++) {
      const done = hasher.hash(password, home)
      await Promise.resolve() // it has begun
      now += pace
      await done
    }
  }
  const room = async (): Promise<number> => {
    const all = Array.from({ length: 9 }, () => hasher.hash(password, home))
    return (await Promise.allSettled(all)).filter(({ status }) => status === 'fulfilled').length
  }
  await oneAfterTheOther(30)
  t.equal(await room(), 4, 'one is hashed, two more wait 4 s, and one is told to wait 6')
  pace = 100
  await oneAfterTheOther(30)
  t.equal(await room(), 9, 'as soon as they are quick again, all have room')
})

await t.test('a hash that fails gives its place back', async (t) => {
  const hasher = open(t, { concurrency: 1, queue: 1 })
  const odd = { replace: () => 5 } as unknown as string // the thread is given no text
  for (let round = 0; round < 5; round++) await t.rejects(hasher.verify(password, odd, home), { message: /must be a string/ })
  t.equal(hasher.waiting(), 0)
  t.equal(await hasher.verify(password, await hasher.hash(password, home), home), true)
})

await t.test('the event loop goes on while passwords are hashed', async (t) => {
  const hasher = open(t, { cost: 12 })
  await hasher.verify(password, null, home)
  let ticks = 0
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    ticks++
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  const begin = performance.now()
  await Promise.all([1, 2].map(() => hasher.hash(password, home)))
  clearInterval(timer)
  const took = performance.now() - begin
  t.ok(ticks > 20, `${ticks} turns in ${Math.round(took)} ms`)
  t.ok(longest < took / 4, `longest pause ${Math.round(longest)} of ${Math.round(took)} ms`)
})

await t.test('files are read while more passwords are hashed than libuv has threads', async (t) => {
  const hasher = open(t, { cost: 12, concurrency: 6 })
  const quick = bcrypt.hashSync(password, 4)
  await Promise.all(Array.from({ length: 6 }, () => hasher.verify(password, quick, home))) // all threads run
  const begin = performance.now()
  const hashes: string[] = []
  const done = Promise.all(Array.from({ length: 6 }, async () => { hashes.push(await hasher.hash(password, home)) }))
  let longest = 0
  while (hashes.length < 6) {
    const from = performance.now()
    await readFile(new URL(import.meta.url))
    longest = Math.max(longest, performance.now() - from)
  }
  await done
  const took = performance.now() - begin
  t.ok(longest < took / 4, `longest read ${Math.round(longest)} of ${Math.round(took)} ms`)
})

await t.test('who closes the pool waits until every hash is done, and nothing new begins', async (t) => {
  const hasher = open(t, { concurrency: 2 })
  const long = await bcrypt.hash(password, 12)
  const done: string[] = []
  const all = [
    hasher.verify(password, long, home).then((fits) => { done.push(`long ${fits}`) }),
    hasher.hash(password, home).then(() => { done.push('short') }), // the first of two threads to be done
    hasher.hash(password, home).then(() => { done.push('waited') })
  ]
  const closed = hasher.close()
  await t.rejects(hasher.hash(password, home), { code: 'unavailable' })
  await closed
  t.equal(done.length, 3, done.join())
  t.ok(done.includes('long true'))
  await Promise.all(all)
})

await t.test('a thread that starts loads no native code: it may be ended at any time', async (t) => {
  const worker = new URL('../../../src/user/hash-worker.ts', import.meta.url).href
  const script = `const { default: run } = await import(${JSON.stringify(worker)})
    const loaded = () => process.report.getReport().sharedObjects.some((path) => path.endsWith('bcrypt.node') || path.includes('/bcrypt/'))
    const before = loaded()
    await run({ kind: 'hash', password: 'x', cost: 4 })
    console.log(before, loaded())`
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
  t.equal(stdout.trim(), 'false true')
})

await t.test('who has waited too long is given up in his turn, and who came later is served', async (t) => {
  let now = 0
  const clock = { wall: () => now, mono: () => now }
  const hasher = open(t, { clock, mostWaitMs: 8000 })
  const first = hasher.hash(password, home)
  const second = hasher.hash(password, home)
  now = 8001
  const third = hasher.hash(password, home)
  await t.rejects(second, { code: 'unavailable', extras: { retryAfterSeconds: 8 } })
  for (const served of [first, third]) t.match(await served, /^\$2b\$/)
  t.strictSame([hasher.running(), hasher.waiting()], [0, 0])
})

await t.test('whether there is room can be asked before anything else is done', async (t) => {
  const hasher = open(t, { queue: 1 })
  const leave = await hasher.keepPlace(home)
  leave()
  const both = [hasher.hash(password, home), hasher.hash(password, home)]
  await t.rejects(hasher.keepPlace(home), { code: 'unavailable' })
  await Promise.all(both)
  await hasher.keepPlace(home)
})

await t.test('of many who come at once and have to ask a store before, those whose wait would be too long are refused at once', async (t) => {
  const hasher = open(t, { queue: 10_000, maxWaitMs: 1000 })
  await hasher.hash(password, home)
  const places = (await Promise.allSettled(Array.from({ length: 1000 }, () => hasher.keepPlace(home)))).flatMap((one) => one.status === 'fulfilled' ? [one.value] : [])
  t.ok(places.length > 1 && places.length < 500, `${places.length} are let come, and nothing is hashed yet`)
  await t.rejects(hasher.keepPlace(home), { code: 'unavailable' })
  const leaveOther = await hasher.keepPlace('127.0.0.2') // who comes from elsewhere is not behind them
  leaveOther()
  const [last, ...others] = places as [() => void, ...(() => void)[]]
  for (const leave of others) leave() // they need no hash after all
  const hash = hasher.hash(password, home) // the last one has come: its place does not count a second time
  const room = await Promise.allSettled(Array.from({ length: 1000 }, () => hasher.keepPlace(home)))
  t.equal(room.filter(({ status }) => status === 'fulfilled').length, places.length, 'as many as before')
  await hash
  last()
})

await t.test('where the line is full, the address that fills it makes way for another', async (t) => {
  const hasher = open(t, { queue: 3 })
  const own = [1, 2, 3, 4].map(() => hasher.hash(password, home))
  await t.rejects(hasher.keepPlace(home), { code: 'unavailable' })
  await hasher.keepPlace('127.0.0.2')
  const other = hasher.hash(password, '127.0.0.2')
  await t.rejects(own[3] as Promise<string>, { code: 'unavailable', extras: { retryAfterSeconds: 1 } })
  const order: string[] = []
  await Promise.all([...own.slice(0, 3), other].map(async (hash, i) => { await hash; order.push(i === 3 ? 'other' : `own ${i}`) }))
  t.ok(order.indexOf('other') <= 2, order.join())
})

await t.test('who has waited too long is given up also while no hash comes to its end', async (t) => {
  const hasher = open(t, { cost: 14, mostWaitMs: 20 })
  const long = hasher.hash(password, home)
  await t.rejects(hasher.hash(password, home), { code: 'unavailable' })
  t.strictSame([hasher.running(), hasher.waiting()], [1, 0], 'the first is not done yet')
  await long
  t.equal(hasher.running(), 0)
})
