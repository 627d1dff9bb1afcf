// How many ask the truth at a time: one for each key, and no crowd.
import t from 'tap'
import { createKit, nameOf, settle } from './tiered-kit.ts'

await t.test('a thousand that look for one key at once ask once', async (t) => {
  const kit = createKit()
  kit.know('a')
  const reached = kit.holdLoad()
  const all = Array.from({ length: 1000 }, () => kit.cache.find('a'))
  const go = await reached
  all.push(kit.cache.find('a'))
  go()
  const found = await Promise.all(all)
  t.ok(found.every((one) => nameOf(one) === 'a'))
  t.strictSame(kit.loads, ['a'])
  t.strictSame(kit.tier.calls, ['get', 'put'])
})

await t.test('they share a failure too, and the next one asks again', async (t) => {
  const kit = createKit()
  kit.know('a')
  kit.failTruth(true)
  const all = await Promise.allSettled(Array.from({ length: 50 }, () => kit.cache.find('a')))
  t.ok(all.every(({ status }) => status === 'rejected'))
  t.strictSame(kit.loads, ['a'])
  kit.failTruth(false)
  t.equal(nameOf(await kit.cache.find('a')), 'a')
})

await t.test('loads are capped: one more is "unavailable" at once, and asks nobody', async (t) => {
  const kit = createKit({ maxLoads: 3 })
  for (const key of ['a', 'b', 'c', 'd']) kit.know(key)
  const reached = kit.holdLoad()
  const first = kit.cache.find('a')
  const go = await reached
  const hold = kit.tier.hold('get')
  const second = kit.cache.find('b')
  const letSecond = await hold
  const reachedThird = kit.holdLoad()
  const third = kit.cache.find('c')
  const goThird = await reachedThird

  const calls = kit.tier.calls.length
  await t.rejects(kit.cache.find('d'), { code: 'unavailable', extras: { retryAfterSeconds: 1 } })
  t.equal(kit.tier.calls.length, calls)
  t.notOk(kit.loads.includes('d'))
  const joined = kit.cache.find('a') // whoever joins a load in flight adds none
  go()
  t.equal(nameOf(await joined), 'a')
  t.equal(nameOf(await first), 'a')
  t.equal(nameOf(await kit.cache.find('d')), 'd', 'the place is free again')
  letSecond()
  goThird()
  t.strictSame([await second, await third].map(nameOf), ['b', 'c'])
})

await t.test('places come back after failures, noes and refusals', async (t) => {
  const kit = createKit({ maxLoads: 2 })
  kit.failTruth(true)
  for (let round = 0; round < 3; round++) await t.rejects(kit.cache.find('a'), { code: 'unavailable' })
  kit.failTruth(false)
  for (let round = 0; round < 5; round++) t.equal((await kit.cache.find('nobody')).copy, null)
  await kit.tier.bury('dead')
  for (let round = 0; round < 5; round++) t.equal((await kit.cache.find('dead')).copy, null)
  kit.know('a')
  const [one, two] = await Promise.all([kit.cache.find('a'), kit.cache.find('dead')])
  t.strictSame([nameOf(one), nameOf(two)], ['a', null])
})

await t.test('a place is held until its load has answered, also when its key was forgotten', async (t) => {
  const kit = createKit({ maxLoads: 1 })
  kit.know('a')
  const reached = kit.holdLoad()
  const overtaken = kit.cache.find('a')
  const go = await reached
  kit.cache.forget('a')
  await t.rejects(kit.cache.find('a'), { code: 'unavailable' })
  kit.cache.forgetAll()
  await t.rejects(kit.cache.find('a'), { code: 'unavailable' })
  go()
  await overtaken
  await settle()
  t.equal(nameOf(await kit.cache.find('a')), 'a')
})
