// The shared tier on a real Redis, where there is one, and the fake of the other tests: the same promises.
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { createRedisTier } from '../../../src/cache/shared-tier.ts'
import { createStillClock } from '../../helper/clock.ts'
import { redisUrl } from '../../helper/engines.ts'
import { until } from '../../helper/service.ts'
import { createFakeTier } from './fake-tier.ts'
import { sharedTierContract, type OpenTier } from './shared-tier.contract.ts'

const tombstoneMs = 960_000
const fake = async (): Promise<OpenTier> => {
  const clock = createStillClock()
  const tier = createFakeTier(clock, tombstoneMs)
  return {
    tier,
    tombstoneMs,
    async write (key, text) { tier.texts.set(key, { text, endsAt: Infinity }) },
    restMs: async (key) => (tier.texts.get(key)?.endsAt ?? 0) - clock.wall(),
    told: async () => tier.told,
    close: async () => {}
  }
}

interface RealTier extends OpenTier { client: Redis, prefix: string, messages: { from: string, text: string }[] }

const real = (url: string) => async (): Promise<RealTier> => {
  const name = `t${randomBytes(6).toString('hex')}`
  const [prefix, channel] = [`${name}:session:`, `${name}:revoked`]
  const [client, subscriber] = [new Redis(url), new Redis(url)]
  const messages: { from: string, text: string }[] = []
  subscriber.on('message', (from: string, text: string) => { messages.push({ from, text }) })
  await subscriber.subscribe(channel, `${name}:end`)
  return {
    client,
    prefix,
    messages,
    tombstoneMs,
    tier: createRedisTier({ client, prefix, channel, tombstoneMs }),
    async write (key, text) { await client.set(prefix + key, text) },
    restMs: (key) => client.pttl(prefix + key),
    async told () {
      await client.publish(`${name}:end`, '')
      await until(() => messages.some(({ from }) => from !== channel), 'messages keep their order, so all have arrived')
      return messages.filter(({ from }) => from === channel).map(({ text }) => text)
    },
    async close () {
      const keys = await client.keys(`${prefix}*`)
      if (keys.length > 0) await client.del(...keys)
      subscriber.disconnect()
      client.disconnect()
    }
  }
}

await sharedTierContract(t, 'the fake', fake)
if (redisUrl !== undefined) await sharedTierContract(t, 'Redis', real(redisUrl))

const skip = redisUrl === undefined && 'needs a Redis (REDIS_URL)'

await t.test('Redis: every key begins with the prefix, and none stands for ever', { skip }, async (t) => {
  const { tier, client, prefix, close } = await real(redisUrl as string)()
  t.teardown(close)
  await tier.put('a', '1|x', 1, 60_000)
  await tier.bury('b')
  t.strictSame((await client.keys(`${prefix}*`)).sort(), [`${prefix}a`, `${prefix}b`])
  for (const key of ['a', 'b']) t.ok(await client.pttl(prefix + key) > 0, key)
})

await t.test('Redis: the copy runs out by itself', { skip }, async (t) => {
  const { tier, close } = await real(redisUrl as string)()
  t.teardown(close)
  await tier.put('a', '1|x', 1, 20)
  await until(async () => await tier.get('a') === null, 'it has run out')
  await tier.put('a', '0|older', 0, 60_000)
  t.equal(await tier.get('a'), '0|older', 'what has run out is compared with nothing')
})

await t.test('Redis: of many that write at once the latest reading stands, and a tombstone stands above all', { skip }, async (t) => {
  const { tier, close } = await real(redisUrl as string)()
  t.teardown(close)
  const times = Array.from({ length: 200 }, (_, at) => 1000 + (at * 7919) % 200)
  await Promise.all(times.map((time) => tier.put('a', `${time}|x`, time, 60_000)))
  t.equal(await tier.get('a'), '1199|x')
  await Promise.all([...times.map((time) => tier.put('b', `${time}|x`, time, 60_000)), tier.bury('b'), ...times.map((time) => tier.put('b', `${time}|x`, time, 60_000))])
  t.equal(await tier.get('b'), 'x')
})

await t.test('Redis: a call that gets no answer rejects, it invents none', { skip }, async (t) => {
  const { tier, client, close } = await real(redisUrl as string)()
  t.teardown(async () => {
    await client.connect()
    await close()
  })
  client.disconnect()
  await t.rejects(tier.get('a'))
  await t.rejects(tier.put('a', '1|x', 1, 1000))
  await t.rejects(tier.bury('a'))
  await t.rejects(tier.announce('a'))
})
