// The counters, all by one contract; then what only one of them promises.
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { createBreaker } from '../../../src/cache/breaker.ts'
import { createFallbackCounter, createLocalCounter, createRedisCounter, type LimitCounter } from '../../../src/limit/limit-counter.ts'
import { createStillClock } from '../../helper/clock.ts'
import { redisUrl } from '../../helper/engines.ts'
import { until } from '../../helper/service.ts'
import { limitCounterContract, type OpenCounter } from './limit-counter.contract.ts'

const windowMs = 300_000

const local = async (): Promise<OpenCounter> => {
  const clock = createStillClock()
  return { clock, counter: createLocalCounter(clock), close: async () => {} }
}

interface RealCounter extends OpenCounter { client: Redis, prefix: string, again: () => LimitCounter }

const real = async (): Promise<RealCounter> => {
  const clock = createStillClock()
  const client = new Redis(redisUrl as string)
  const prefix = `t${randomBytes(6).toString('hex')}:limit:`
  const again = (): LimitCounter => createRedisCounter({ client, prefix, clock, randomBytes })
  return {
    clock,
    client,
    prefix,
    again,
    counter: again(),
    async close () {
      const keys = await client.keys(`${prefix}*`)
      if (keys.length > 0) await client.del(...keys)
      client.disconnect()
    }
  }
}

/** A counter that fails, and counts how often it was asked. */
function createFailing (): LimitCounter & { asked: number, heal: (by: LimitCounter) => void } {
  let healed: LimitCounter | undefined
  const failing = {
    asked: 0,
    heal (by: LimitCounter) { healed = by },
    async take (key: string, windowMs: number) {
      failing.asked++
      if (healed === undefined) throw new Error('Redis does not answer')
      return await healed.take(key, windowMs)
    }
  }
  return failing
}

const fallback = async (): Promise<OpenCounter> => {
  const clock = createStillClock()
  return { clock, counter: createFallbackCounter(createFailing(), createLocalCounter(clock), createBreaker({ clock })), close: async () => {} }
}

await limitCounterContract(t, 'in this process', local)
await limitCounterContract(t, 'while Redis is away', fallback)
if (redisUrl !== undefined) await limitCounterContract(t, 'on Redis', real)

await t.test('in this process: many keys take bounded room, and the ones used lately stay', async (t) => {
  const clock = createStillClock()
  const counter = createLocalCounter(clock, 100)
  const before = await counter.take('often', windowMs)
  for (let stranger = 0; stranger < 1000; stranger++) {
    await counter.take(`stranger-${stranger}`, windowMs)
    if (stranger % 20 === 0) await counter.take('often', windowMs)
  }
  t.equal((await counter.take('often', windowMs)).count, 52)
  t.equal((await counter.take('stranger-0', windowMs)).count, 1, 'the one unused for longest was dropped')
  await before.giveBack()
  t.equal((await counter.take('often', windowMs)).count, 52)
})

await t.test('an outage lifts no limit: what this process has let through counts, before it, in it and after it', async (t) => {
  const clock = createStillClock()
  const first = createFailing()
  const counter = createFallbackCounter(first, createLocalCounter(clock), createBreaker({ clock }))
  for (let attempt = 1; attempt <= 20; attempt++) t.equal((await counter.take('a', windowMs)).count, attempt)
  t.equal(first.asked, 5, 'after five failures it is left alone')

  first.heal(createLocalCounter(clock))
  t.equal((await counter.take('a', windowMs)).count, 21, 'until the pause is over')
  clock.advance(1000)
  t.equal((await counter.take('a', windowMs)).count, 22, 'then it counts again, from one, and the higher count stands')
  t.equal(first.asked, 6)
  clock.advance(windowMs - 1000)
  t.equal((await counter.take('a', windowMs)).count, 2, 'to the end of the window')
})

await t.test('a Redis that has forgotten its counts lifts no limit', async (t) => {
  const clock = createStillClock()
  const first = createFailing()
  first.heal(createLocalCounter(clock))
  const counter = createFallbackCounter(first, createLocalCounter(clock), createBreaker({ clock }))
  for (let attempt = 1; attempt <= 9; attempt++) await counter.take('a', windowMs)
  clock.advance(1000)
  first.heal(createLocalCounter(clock)) // evicted, or restarted empty
  const { count, restMs, giveBack } = await counter.take('a', windowMs)
  t.strictSame([count, restMs], [10, windowMs - 1000])
  await giveBack()
  t.equal((await counter.take('a', windowMs)).count, 10, 'what was no guess is given back here, too')
})

await t.test('what other instances have let through counts while Redis knows of it', async (t) => {
  const clock = createStillClock()
  const shared = createLocalCounter(clock)
  const instances = [1, 2].map(() => createFallbackCounter(shared, createLocalCounter(clock), createBreaker({ clock })))
  const counts = []
  for (let attempt = 0; attempt < 6; attempt++) counts.push((await (instances[attempt % 2] as LimitCounter).take('a', windowMs)).count)
  t.strictSame(counts, [1, 2, 3, 4, 5, 6])
})

await t.test('an attempt is given back to the counters that took it', async (t) => {
  const clock = createStillClock()
  const [first, second, shared] = [createFailing(), createLocalCounter(clock), createLocalCounter(clock)]
  const counter = createFallbackCounter(first, second, createBreaker({ clock }))
  const duringOutage = await counter.take('a', windowMs)
  first.heal(shared)
  const afterwards = await counter.take('a', windowMs)
  await duringOutage.giveBack()
  t.equal((await second.take('a', windowMs)).count, 2, 'to that of this process alone')
  t.equal((await shared.take('a', windowMs)).count, 2)
  await afterwards.giveBack()
  t.equal((await second.take('a', windowMs)).count, 2)
  t.equal((await shared.take('a', windowMs)).count, 2)
})

const skip = redisUrl === undefined && 'needs a Redis (REDIS_URL)'

await t.test('on Redis: two instances count in one window', { skip }, async (t) => {
  const { counter, again, close } = await real()
  t.teardown(close)
  const other = again()
  const counts = await Promise.all([counter, other].flatMap((one) => Array.from({ length: 50 }, () => one.take('a', windowMs))))
  t.equal(new Set(counts.map(({ count }) => count)).size, 100)
})

await t.test('on Redis: every key begins with the prefix and runs out with its window', { skip }, async (t) => {
  const { counter, client, prefix, clock, close } = await real()
  t.teardown(close)
  await counter.take('a', windowMs)
  clock.advance(100_000)
  const taken = await counter.take('a', windowMs)
  t.strictSame(await client.keys(`${prefix}*`), [`${prefix}a`])
  const rest = await client.pttl(`${prefix}a`)
  t.ok(rest > 190_000 && rest <= 200_000, `${rest} ms`)
  await taken.giveBack()
  t.ok(await client.pttl(`${prefix}a`) > 0, 'giving back makes no key immortal')
})

await t.test('on Redis: giving back to a window that is gone leaves no key behind', { skip }, async (t) => {
  const { counter, client, prefix, close } = await real()
  t.teardown(close)
  const taken = await counter.take('a', windowMs)
  await client.del(`${prefix}a`)
  await taken.giveBack()
  t.strictSame(await client.keys(`${prefix}*`), [])
})

await t.test('on Redis: an attempt that cannot be given back fails nobody and is given back later, one that cannot be counted is told', { skip }, async (t) => {
  const { counter, again, client, prefix, close } = await real()
  t.teardown(close)
  for (let attempt = 1; attempt <= 3; attempt++) await counter.take('a', windowMs)
  const [honest, late] = [await counter.take('a', windowMs), await counter.take('b', 1000)]
  client.disconnect()
  await Promise.all([honest.giveBack(), late.giveBack()])
  await t.rejects(counter.take('a', windowMs))
  await client.connect()
  t.equal((await again().take('a', windowMs)).count, 5, 'nobody has told Redis yet')
  await counter.take('c', windowMs)
  await until(async () => (await client.llen(`${prefix}a`)) === 5, 'it is given back with the next one that is counted')
  await honest.giveBack()
  t.equal((await counter.take('a', windowMs)).count, 5, 'and once')
})

await t.test('on Redis: what is to be given back to a window that is over is forgotten', { skip }, async (t) => {
  const { counter, clock, client, prefix, close } = await real()
  t.teardown(close)
  const honest = await counter.take('a', windowMs)
  client.disconnect()
  await honest.giveBack()
  await client.connect()
  clock.advance(windowMs)
  for (let attempt = 1; attempt <= 2; attempt++) t.equal((await counter.take('a', windowMs)).count, attempt)
  t.equal(await client.llen(`${prefix}a`), 3)
})
