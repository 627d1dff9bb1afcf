// The counters, all by one contract; then what only one of them promises.
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { createBreaker } from '../../../src/cache/breaker.ts'
import { createFallbackCounter, createLocalCounter, createRedisCounter, type LimitCounter } from '../../../src/limit/limit-counter.ts'
import { createStillClock } from '../../helper/clock.ts'
import { redisUrl } from '../../helper/engines.ts'
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
  const again = (): LimitCounter => createRedisCounter({ client, prefix, clock })
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

await t.test('an outage lifts no limit for long: the other counter begins, and is not asked while all is well', async (t) => {
  const clock = createStillClock()
  const first = createFailing()
  const counter = createFallbackCounter(first, createLocalCounter(clock), createBreaker({ clock }))
  for (let attempt = 1; attempt <= 20; attempt++) t.equal((await counter.take('a', windowMs)).count, attempt)
  t.equal(first.asked, 5, 'after five failures it is left alone')

  first.heal(createLocalCounter(clock))
  t.equal((await counter.take('a', windowMs)).count, 21, 'until the pause is over')
  clock.advance(1000)
  t.equal((await counter.take('a', windowMs)).count, 22, 'also afterwards: what this process has counted stands')
  t.equal(first.asked, 6, 'it is asked again')
})

await t.test('a Redis that forgets its counters lifts no limit: what this process has counted stands', async (t) => {
  const clock = createStillClock()
  const forgetful: LimitCounter = { take: (key, ms) => createLocalCounter(clock).take(key, ms) }
  const counter = createFallbackCounter(forgetful, createLocalCounter(clock), createBreaker({ clock }))
  for (let attempt = 1; attempt <= 20; attempt++) t.equal((await counter.take('a', windowMs)).count, attempt)
  clock.advance(windowMs)
  t.equal((await counter.take('a', windowMs)).count, 1, 'and a new window begins in its time')
})

await t.test('an attempt is given back to each counter that took it, and to no other', async (t) => {
  const clock = createStillClock()
  const [first, healed, second] = [createFailing(), createLocalCounter(clock), createLocalCounter(clock)]
  const counter = createFallbackCounter(first, second, createBreaker({ clock }))
  const duringOutage = await counter.take('a', windowMs)
  first.heal(healed)
  await counter.take('a', windowMs)
  await duringOutage.giveBack()
  t.equal((await second.take('a', windowMs)).count, 2)
  t.equal((await healed.take('a', windowMs)).count, 2)
  const afterwards = await counter.take('a', windowMs)
  t.equal(afterwards.count, 3)
  await afterwards.giveBack()
  t.equal((await second.take('a', windowMs)).count, 3)
  t.equal((await healed.take('a', windowMs)).count, 3)
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

await t.test('on Redis: an attempt that cannot be given back fails nobody, one that cannot be counted is told', { skip }, async (t) => {
  const { counter, client, close } = await real()
  t.teardown(async () => {
    await client.connect()
    await close()
  })
  const taken = await counter.take('a', windowMs)
  client.disconnect()
  await taken.giveBack()
  await t.rejects(counter.take('a', windowMs))
})
