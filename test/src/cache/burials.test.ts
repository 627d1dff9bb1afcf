// Burials that the shared tier refuses: announced if it can still carry a message, kept for replay, and bounded.
import t from 'tap'
import { createBurials, type Burials } from '../../../src/cache/burials.ts'
import { createStillClock } from '../../helper/clock.ts'
import { createFakeTier, type FakeTier } from './fake-tier.ts'

function createKit (): { tier: FakeTier, burials: Burials, unsent: unknown[] } {
  const tier = createFakeTier(createStillClock())
  const unsent: unknown[] = []
  return { tier, unsent, burials: createBurials(tier, (error) => { unsent.push(error) }) }
}

await t.test('a burial is one call, told to everybody', async (t) => {
  const { tier, burials, unsent } = createKit()
  await burials.bury('a')
  t.strictSame(tier.calls, ['bury'])
  t.strictSame(tier.told, ['a'])
  await burials.replay()
  t.strictSame(tier.calls, ['bury'], 'what was sent is not sent again')
  t.strictSame(unsent, [])
})

await t.test('a tier that refuses to write still carries the message', async (t) => {
  const { tier, burials, unsent } = createKit()
  tier.fail('bury')
  await burials.bury('a')
  t.strictSame(tier.calls, ['bury', 'announce'])
  t.strictSame(tier.told, ['a'])
  t.match(unsent, [{ message: 'the tier does not answer: bury' }])
})

await t.test('a tier that does nothing rejects nothing', async (t) => {
  const { tier, burials, unsent } = createKit()
  tier.fail('bury', 'announce')
  await burials.bury('a')
  await burials.replay()
  t.equal(unsent.length, 1, 'told once, however often it is tried')
  t.strictSame(tier.told, [])
})

await t.test('an announcement is no burial: the tombstone is still owed', async (t) => {
  const { tier, burials } = createKit()
  tier.fail('bury')
  for (const key of ['a', 'b', 'a']) await burials.bury(key)
  tier.fail()
  tier.calls.length = 0
  await burials.replay()
  t.strictSame(tier.calls, ['bury', 'bury'], 'each key once')
  t.strictSame([...tier.texts.keys()], ['a', 'b'])
  await burials.replay()
  t.equal(tier.calls.length, 2, 'and then nothing is owed')
})

await t.test('a replay that fails half-way keeps what is left', async (t) => {
  const { tier, burials } = createKit()
  tier.fail('bury', 'announce')
  for (const key of ['a', 'b', 'c']) await burials.bury(key)
  tier.fail()
  const reached = tier.hold('bury')
  const replaying = burials.replay()
  const go = await reached
  tier.fail('bury', 'announce')
  go()
  await replaying
  t.strictSame([...tier.texts.keys()], ['a'])
  tier.fail()
  await burials.replay()
  t.strictSame([...tier.texts.keys()], ['a', 'b', 'c'])
})

await t.test('a key that is buried meanwhile is owed no more', async (t) => {
  const { tier, burials } = createKit()
  tier.fail('bury')
  await burials.bury('a')
  tier.fail()
  await burials.bury('a')
  tier.calls.length = 0
  await burials.replay()
  t.strictSame(tier.calls, [])
})

await t.test('ten thousand are remembered; beyond that the oldest is left to the end of its copies', async (t) => {
  const { tier, burials } = createKit()
  tier.fail('bury', 'announce')
  for (let key = 0; key < 10_002; key++) await burials.bury(`k${key}`)
  tier.fail()
  await burials.replay()
  t.equal(tier.texts.size, 10_000)
  t.notOk(tier.texts.has('k1'))
  t.ok(tier.texts.has('k2'))
  t.ok(tier.texts.has('k10001'))
})
