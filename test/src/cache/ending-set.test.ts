// The sets behind the counters, both by one contract; then what the one on Redis does about changes that Redis does not take.
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { createLocalEndingSet, createRedisEndingSet, type EndingSet } from '../../../src/cache/ending-set.ts'
import type { RedisClient } from '../../../src/cache/shared-tier.ts'
import { redisUrl } from '../../helper/engines.ts'
import { endingSetContract, type OpenSet } from './ending-set.contract.ts'

const now = 1_800_000_000_000
const withoutRedis = redisUrl === undefined && 'needs a Redis (REDIS_URL)'

const real = async (client = new Redis(redisUrl as string)): Promise<OpenSet & { lose: () => Promise<unknown> }> => {
  const key = `t${randomBytes(6).toString('hex')}:active`
  return {
    lose: () => client.del(key),
    set: createRedisEndingSet(client, key, randomBytes),
    async close () {
      await client.del(key)
      client.disconnect()
    }
  }
}

await endingSetContract(t, 'in process', async () => ({ set: createLocalEndingSet(), close: async () => {} }))
if (redisUrl !== undefined) {
  await endingSetContract(t, 'Redis', () => real())
  await endingSetContract(t, 'Redis, RESP3 as a host may have it', () => real(new Redis(redisUrl as string, { protocol: 3, replyMapping: 'resp3' as never })))
}

/** A Redis that takes the changes of one sorted set, refuses them, or answers late. */
function createRedis (): { set: EndingSet, held: Map<string, number>, asked: string[], fails: (does: boolean) => void, hold: () => () => void } {
  const held = new Map<string, number>()
  const asked: string[] = []
  let isFailing = false
  let waiting: Promise<void> | undefined
  async function answer (what: string, work: () => void): Promise<number> {
    asked.push(what)
    const [refused, late] = [isFailing, waiting]
    if (!refused) work()
    waiting = undefined
    await late
    if (refused) throw new Error('Redis does not answer')
    return 1
  }
  const client = {
    defineCommand () {},
    zadd: (_key: string, end: number, member: string) => answer(`+${member}`, () => { held.set(member, end) }),
    zrem: (_key: string, member: string) => answer(`-${member}`, () => { held.delete(member) })
  }
  return {
    set: createRedisEndingSet(client as unknown as RedisClient, 'set', randomBytes),
    held,
    asked,
    fails (does) { isFailing = does },
    hold () {
      let go = (): void => { /* set below */ }
      waiting = new Promise((resolve) => { go = resolve })
      return go
    }
  }
}

/** Lets what has been answered arrive. */
const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve) })

await t.test('what Redis did not take is told again, the last change of each key alone, and then no more', async (t) => {
  const { set, held, asked, fails } = createRedis()
  set.add('gone', now)
  fails(true)
  for (const end of [now + 1, now + 2]) set.add('a', end)
  set.add('b', now + 3)
  set.remove('b')
  set.remove('gone')
  await turn()
  await set.replay()
  t.equal(asked.length, 7, 'a Redis that still refuses is asked for one')
  fails(false)
  await set.replay()
  t.strictSame([...held], [['a', now + 2]])
  const count = asked.length
  await set.replay()
  t.equal(asked.length, count)
})

await t.test('a replay that is overtaken by a later change of the same key does not undo it', async (t) => {
  const { set, held, fails, hold } = createRedis()
  fails(true)
  for (const key of ['a', 'b']) set.add(key, now)
  await turn()
  fails(false)
  const go = hold()
  const replaying = set.replay() // it is at `a`
  await turn()
  set.remove('b')
  await turn()
  go()
  await replaying
  t.strictSame([...held.keys()], ['a'])
})

await t.test('one replay runs at a time', async (t) => {
  const { set, asked, fails, hold } = createRedis()
  fails(true)
  for (const key of ['a', 'b']) set.add(key, now)
  await turn()
  fails(false)
  asked.length = 0
  const go = hold()
  const replaying = set.replay()
  await set.replay()
  t.strictSame(asked, ['+a'])
  go()
  await replaying
  t.strictSame(asked, ['+a', '+b'])
})

await t.test('what is owed is bounded: the oldest is left to the job', async (t) => {
  const { set, held, fails } = createRedis()
  fails(true)
  for (let i = 0; i < 10_001; i++) set.add(`k${i}`, now)
  await turn()
  fails(false)
  await set.replay()
  t.strictSame([held.size, held.has('k0'), held.has('k1')], [10_000, false, true])
})

await t.test('Redis: a count makes nothing whole that was lost under it, or that a later count has taken over', { skip: withoutRedis }, async (t) => {
  const { set, lose, close } = await real()
  t.teardown(close)
  const end = await set.beginWhole()
  await lose()
  set.add('a', now)
  await end()
  t.equal(await set.isWhole(), false, 'lost')
  const [former, later] = [await set.beginWhole(), await set.beginWhole()]
  await former()
  t.equal(await set.isWhole(), false, 'taken over')
  await later()
  t.equal(await set.isWhole(), true)
  await lose()
  t.equal(await set.isWhole(), false, 'lost again')
})

await t.test('Redis: a set that does not answer rejects, it counts nothing', { skip: withoutRedis }, async (t) => {
  const client = new Redis(redisUrl as string, { enableOfflineQueue: false, lazyConnect: true })
  const set = createRedisEndingSet(client, 'unreachable', randomBytes)
  set.add('a', now)
  for (const ask of [() => set.count(now), () => set.trim(now, 1), () => set.page(0, 1), () => set.addAll([['a', now]]), () => set.isWhole(), () => set.beginWhole()]) await t.rejects(async () => { await ask() })
  await set.replay()
  client.disconnect()
})
