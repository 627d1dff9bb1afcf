// What every set promises in which keys have their ends; run against the one on Redis and the one in this process.
import type { Test } from 'tap'
import type { EndingSet } from '../../../src/cache/ending-set.ts'

export interface OpenSet { set: EndingSet, close: () => Promise<void> }

const now = 1_800_000_000_000

export async function endingSetContract (t: Test, name: string, open: () => Promise<OpenSet>): Promise<void> {
  const contract = async (promise: string, test: (t: Test, set: EndingSet) => Promise<void>): Promise<void> => {
    await t.test(`${name}: ${promise}`, async (t) => {
      const { set, close } = await open()
      t.teardown(close)
      await test(t, set)
    })
  }

  await contract('counts what ends later than now, to the millisecond', async (t, set) => {
    t.equal(await set.count(now), 0)
    for (const [i, key] of ['a', 'b', 'c'].entries()) set.add(key, now + i)
    t.strictSame([await set.count(now - 1), await set.count(now), await set.count(now + 1), await set.count(now + 2)], [3, 2, 1, 0])
  })

  await contract('has a key once, with the end that was given last', async (t, set) => {
    for (const end of [now + 1, now + 5, now + 10]) set.add('a', end)
    t.strictSame([await set.count(now), await set.count(now + 9)], [1, 1])
    set.add('b', now + 20)
    t.equal(await set.count(now + 10), 1)
  })

  await contract('forgets what is taken out, also before it ends, and takes it again', async (t, set) => {
    for (const key of ['a', 'b']) set.add(key, now + 5)
    for (const key of ['a', 'never there']) set.remove(key)
    t.equal(await set.count(now), 1)
    set.add('a', now + 6)
    t.equal(await set.count(now), 2)
  })

  await contract('takes many at once, and none at all', async (t, set) => {
    await set.addAll([])
    await set.addAll(Array.from({ length: 500 }, (_, i) => [`k${(i * 7) % 500}`, now + 1 + (i * 7) % 500] as const))
    t.strictSame([await set.count(now), await set.count(now + 250)], [500, 250])
  })

  await contract('trims what has ended and nothing that has not, no more at a time than asked', async (t, set) => {
    await set.addAll(Array.from({ length: 25 }, (_, i) => [`k${i}`, now + i] as const))
    t.strictSame([await set.trim(now + 9, 4), await set.trim(now + 9, 4), await set.trim(now + 9, 4), await set.trim(now + 9, 4)], [4, 4, 2, 0])
    t.strictSame([await set.count(now), (await set.page(0, 100)).length], [15, 15])
  })

  await contract('shows its keys page by page, those that end last first, and whoever takes some out goes on without them', async (t, set) => {
    await set.addAll(Array.from({ length: 10 }, (_, i) => [`k${i}`, now + i] as const))
    const keys = Array.from({ length: 10 }, (_, i) => `k${9 - i}`)
    t.strictSame([await set.page(0, 4), await set.page(4, 4), await set.page(8, 4), await set.page(12, 4)], [keys.slice(0, 4), keys.slice(4, 8), keys.slice(8), []])
    for (const key of keys.slice(0, 2)) set.remove(key)
    t.strictSame(await set.page(2, 4), keys.slice(4, 8))
  })

  await contract('is whole when a count has come to its end, and stays so; that it is shows in no count and no page', async (t, set) => {
    set.add('a', now + 5)
    t.equal(await set.isWhole(), false, 'not for having a key')
    const end = await set.beginWhole()
    t.equal(await set.isWhole(), false)
    t.strictSame([await set.count(now), await set.trim(now, 9), await set.page(0, 9)], [1, 0, ['a']])
    await end()
    t.equal(await set.isWhole(), true)
    t.strictSame([await set.count(now), await set.page(0, 9), await set.trim(now + 5, 9), await set.page(0, 9)], [1, ['a'], 1, []])
    await set.beginWhole()
    t.equal(await set.isWhole(), true, 'while it is counted again, and when it has no key left')
  })

  await contract('replays nothing when nothing is owed', async (t, set) => {
    set.add('a', now + 1)
    t.equal(await set.count(now), 1)
    set.remove('a')
    await set.replay()
    t.equal(await set.count(now), 0)
  })
}
