// In which order the tiers are asked, what each keeps, and what happens when one of them does not answer.
import t from 'tap'
import { LatchkeyError } from '../../../src/errors.ts'
import { codec, createKit, createTwo, nameOf, type Kit } from './tiered-kit.ts'

const refused = { code: 'unavailable', extras: { retryAfterSeconds: 1 } }

await t.test('memory is asked first, then the shared tier, then the truth; each keeps what a later one said', async (t) => {
  const [here, there] = createTwo()
  here.know('a')
  t.equal(here.cache.peek('a'), undefined)

  const found = await here.cache.find('a')
  t.equal(found.tier, 'mongo')
  t.equal(nameOf(found), 'a')
  t.strictSame(here.tier.calls, ['get', 'put'])
  t.equal(here.cache.peek('a'), found.copy, 'this instance has it in memory now')
  t.ok(found.copy !== null && here.cache.mayAnswer(found.copy))

  const shared = await there.cache.find('a')
  t.equal(shared.tier, 'redis')
  t.equal(nameOf(shared), 'a')
  t.strictSame(there.loads, [], 'the truth was not asked again')
  t.equal(there.cache.peek('a'), shared.copy)
  t.equal(here.cache.size(), 1)
})

await t.test('a key has one object in memory, also when it is filled again', async (t) => {
  const kit = createKit()
  kit.know('a', 'before')
  const { copy } = await kit.cache.find('a')
  kit.know('a', 'after')
  kit.tier.texts.clear()
  const again = await kit.cache.find('a')
  t.equal(again.copy, copy, 'whoever holds it sees it change')
  t.equal(copy?.value.name, 'after')
})

await t.test('the truth\'s no is an answer and is never kept', async (t) => {
  const kit = createKit()
  t.same(await kit.cache.find('a'), { copy: null, tier: 'mongo' })
  kit.know('a')
  t.equal(nameOf(await kit.cache.find('a')), 'a')
  t.strictSame(kit.loads, ['a', 'a'])
  t.strictSame(kit.tier.calls, ['get', 'get', 'put'])
})

await t.test('a tombstone of the shared tier is a no: the truth is not asked', async (t) => {
  const kit = createKit()
  kit.know('a')
  await kit.tier.bury('a')
  t.same(await kit.cache.find('a'), { copy: null, tier: 'redis' })
  t.strictSame(kit.loads, [])
})

await t.test('a text that is no copy is a miss, and is replaced', async (t) => {
  for (const foreign of ['', 'null', '{"name":"thief"}', '1|2|{"name":"thief"}', '1|9999999999999|9999999999999|{"name":7}', '1|9999999999999|9999999999999|{"na', '|||']) {
    const kit = createKit()
    kit.know('a')
    kit.tier.texts.set('a', { text: foreign, endsAt: Infinity })
    const found = await kit.cache.find('a')
    t.equal(found.tier, 'mongo', foreign)
    t.equal(nameOf(found), 'a')
    t.ok(kit.tier.texts.get('a')?.text.endsWith(codec.encode({ name: 'a' })))
  }
})

await t.test('without a shared tier memory and the truth are all there is', async (t) => {
  const kit = createKit({ withShared: false })
  kit.know('a')
  t.equal((await kit.cache.find('a')).tier, 'mongo')
  t.ok(kit.cache.peek('a'))
  await kit.cache.bury('a')
  await kit.cache.replay()
  t.equal(kit.cache.peek('a'), undefined)
  t.strictSame(kit.tier.calls, [])
})

await t.test('without memory every check asks the next tier', async (t) => {
  const kit = createKit({ capacity: 0 })
  kit.know('a')
  const first = await kit.cache.find('a')
  t.equal(nameOf(first), 'a')
  t.equal(kit.cache.peek('a'), undefined)
  t.notOk(first.copy !== null && kit.cache.mayAnswer(first.copy), 'nor does a copy that the caller has kept answer')
  t.equal(kit.cache.size(), 0)
  t.equal((await kit.cache.find('a')).tier, 'redis')
})

await t.test('memory never holds more than it may', async (t) => {
  const kit = createKit({ capacity: 10 })
  for (let key = 0; key < 100; key++) {
    kit.know(`k${key}`)
    await kit.cache.find(`k${key}`)
    t.ok(kit.cache.size() <= 10)
  }
  t.ok(kit.cache.peek('k99'))
  t.equal(kit.cache.peek('k0'), undefined)
})

const failures: Partial<Record<string, (kit: Kit) => void>> = {
  'does not read': ({ tier }) => { tier.fail('get') },
  'does not write': ({ tier }) => { tier.fail('put') },
  'does neither': ({ tier }) => { tier.fail('get', 'put', 'bury', 'announce') }
}
for (const [how, breakIt] of Object.entries(failures)) {
  await t.test(`the truth answers while the shared tier ${how}`, async (t) => {
    const kit = createKit()
    kit.know('a')
    breakIt?.(kit)
    const found = await kit.cache.find('a')
    t.equal(found.tier, 'mongo')
    t.equal(nameOf(found), 'a')
    t.ok(kit.cache.peek('a'), 'and memory keeps it')
  })
}

await t.test('a shared tier that fails is passed by, then tried once a pause, then used again', async (t) => {
  const kit = createKit()
  kit.tier.fail('get', 'put')
  for (let key = 0; key < 10; key++) {
    kit.know(`k${key}`)
    await kit.cache.find(`k${key}`)
  }
  t.equal(kit.tier.calls.length, 5, 'five calls failed, no more were made')
  kit.clock.advance(1000)
  await kit.cache.find('x')
  await kit.cache.find('y')
  t.equal(kit.tier.calls.length, 6, 'one probe')
  kit.tier.fail()
  kit.clock.advance(1000)
  await kit.cache.find('x')
  await kit.cache.find('y')
  t.equal(kit.tier.calls.length, 8, 'all is well again')
})

await t.test('a truth that fails is "unavailable", with its reason for the log, and never a no', async (t) => {
  const kit = createKit()
  kit.know('a')
  kit.failTruth(true)
  const error = await kit.cache.find('a').catch((error: unknown) => error)
  t.ok(error instanceof LatchkeyError)
  t.match(error, { ...refused, cause: { message: 'the truth does not answer' } })
  kit.failTruth(false)
  t.equal(nameOf(await kit.cache.find('a')), 'a', 'one failure is not remembered')
})

await t.test('a truth that goes on failing is left alone, then tried once a pause', async (t) => {
  const kit = createKit()
  kit.failTruth(true)
  for (let key = 0; key < 10; key++) await t.rejects(kit.cache.find(`k${key}`), refused)
  t.equal(kit.loads.length, 5)
  kit.clock.advance(1000)
  for (let key = 0; key < 3; key++) await t.rejects(kit.cache.find(`k${key}`), refused)
  t.equal(kit.loads.length, 6)
  kit.failTruth(false)
  kit.clock.advance(1000)
  t.equal((await kit.cache.find('a')).copy, null)
  t.equal((await kit.cache.find('b')).copy, null)
  t.equal(kit.loads.length, 8)
})

await t.test('copies answer while the truth is away', async (t) => {
  const [here, there] = createTwo()
  here.know('a')
  await here.cache.find('a')
  for (const kit of [here, there]) kit.failTruth(true)
  t.ok(here.cache.peek('a'))
  t.equal((await there.cache.find('a')).tier, 'redis')
})
