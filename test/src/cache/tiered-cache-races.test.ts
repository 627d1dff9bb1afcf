// What happens when a revocation and a reading meet: whoever read before a forget keeps nothing, a tombstone is final.
import t from 'tap'
import { createKit, createTwo, nameOf, settle, type Kit, type Value } from './tiered-kit.ts'

/** A find whose load has read the truth and not yet answered. */
async function findHeld (kit: Kit, key: string): Promise<{ finding: ReturnType<Kit['cache']['find']>, go: () => void }> {
  const reached = kit.holdLoad()
  const finding = kit.cache.find(key)
  return { finding, go: await reached }
}

const truthOf = (kit: Kit, name: string): { value: Value, expiresAt: number } => ({ value: { name }, expiresAt: kit.clock.wall() + 3_600_000 })

for (const [how, forget] of [['its key', (kit: Kit) => { kit.cache.forget('a') }], ['every key', (kit: Kit) => { kit.cache.forgetAll() }]] as const) {
  await t.test(`a load that a forget of ${how} overtook is not kept in memory`, async (t) => {
    const kit = createKit()
    kit.know('a')
    const { finding, go } = await findHeld(kit, 'a')
    forget(kit)
    go()
    const { copy } = await finding
    t.equal(copy?.value.name, 'a', 'who asked before gets what was true then')
    t.equal(kit.cache.peek('a'), undefined)
    t.notOk(copy !== null && kit.cache.mayAnswer(copy), 'and cannot use it again')
    t.equal(kit.cache.size(), 0)
  })

  await t.test(`a reading of the shared tier that a forget of ${how} overtook is not kept either`, async (t) => {
    const [here, there] = createTwo()
    here.know('a', 'before')
    await there.cache.find('a')
    const reached = here.tier.hold('get')
    const finding = here.cache.find('a')
    const go = await reached
    forget(here)
    here.know('a', 'after')
    go()
    await finding
    t.not(here.cache.peek('a')?.value.name, 'before')
  })

  await t.test(`who asks after a forget of ${how} does not join what began before`, async (t) => {
    const kit = createKit()
    kit.know('a', 'before')
    const { finding, go } = await findHeld(kit, 'a')
    forget(kit)
    kit.truths.delete('a')
    kit.tier.texts.clear()
    t.equal((await kit.cache.find('a')).copy, null, 'the truth of now')
    t.strictSame(kit.loads, ['a', 'a'])
    go()
    await finding
  })

  await t.test(`a fill whose moment is before a forget of ${how} is not kept`, async (t) => {
    const kit = createKit()
    const since = kit.cache.now()
    forget(kit)
    await kit.cache.fill('a', truthOf(kit, 'a'), since)
    t.equal(kit.cache.peek('a'), undefined)
    await kit.cache.fill('a', truthOf(kit, 'a'), kit.cache.now())
    t.ok(kit.cache.peek('a'), 'a later one is')
  })
}

await t.test('a forget of another key overtakes nothing', async (t) => {
  const kit = createKit()
  kit.know('a')
  const { finding, go } = await findHeld(kit, 'a')
  kit.cache.forget('b')
  go()
  await finding
  t.ok(kit.cache.peek('a'))
})

await t.test('the end of an overtaken load does not end the later one: that is still joined', async (t) => {
  const kit = createKit()
  kit.know('a', 'before')
  const first = await findHeld(kit, 'a')
  kit.cache.forget('a')
  kit.know('a', 'after')
  kit.clock.advance(1)
  const second = await findHeld(kit, 'a')
  first.go()
  await first.finding
  const joined = kit.cache.find('a')
  await settle()
  t.strictSame(kit.loads, ['a', 'a'], 'no third load')
  second.go()
  t.equal(nameOf(await joined), 'after')
  t.equal(kit.cache.peek('a')?.value.name, 'after')
})

await t.test('a tombstone that comes while the truth is asked is the last word', async (t) => {
  const [here, there] = createTwo()
  here.know('a')
  const { finding, go } = await findHeld(here, 'a')
  await there.cache.bury('a') // the message has not arrived here yet
  go()
  t.same(await finding, { copy: null, tier: 'mongo' })
  t.equal(here.cache.peek('a'), undefined)
  t.equal(here.tier.texts.get('a')?.text, 'x')
})

await t.test('no fill brings a buried key back, in no tier', async (t) => {
  const kit = createKit()
  await kit.cache.bury('a')
  kit.clock.advance(1000)
  await kit.cache.fill('a', truthOf(kit, 'a'), kit.cache.now())
  t.equal(kit.cache.peek('a'), undefined)
  t.same(await kit.cache.find('a'), { copy: null, tier: 'redis' })
})

await t.test('a forget drops what is held, for whoever holds it', async (t) => {
  const kit = createKit()
  for (const key of ['a', 'b']) kit.know(key)
  const { copy } = await kit.cache.find('a')
  await kit.cache.find('b')
  kit.cache.forget('a')
  t.equal(kit.cache.peek('a'), undefined)
  t.notOk(copy !== null && kit.cache.mayAnswer(copy))
  t.ok(kit.cache.peek('b'))
  kit.cache.forgetAll()
  t.equal(kit.cache.peek('b'), undefined)
  t.equal(kit.cache.size(), 0)
})

await t.test('a burial is done here before anybody else is asked', async (t) => {
  const kit = createKit()
  kit.know('a')
  const { copy } = await kit.cache.find('a')
  const reached = kit.tier.hold('bury')
  const burying = kit.cache.bury('a')
  t.equal(kit.cache.peek('a'), undefined)
  t.notOk(copy !== null && kit.cache.mayAnswer(copy))
  const go = await reached
  go()
  await burying
  t.strictSame(kit.tier.told, ['a'])
  t.equal(kit.tier.texts.get('a')?.text, 'x')
})

await t.test('a shared copy read before its key was forgotten is not believed: its burial may have been refused', async (t) => {
  const [here, there] = createTwo()
  here.know('a')
  await there.cache.find('a')
  here.truths.delete('a')
  here.tier.fail('bury', 'announce')
  await here.cache.bury('a')
  t.equal(here.unsent.length, 1)
  t.same(await here.cache.find('a'), { copy: null, tier: 'mongo' })
})

await t.test('what could not be sent is told once each, announced if that works, and sent when asked', async (t) => {
  const kit = createKit()
  kit.tier.fail('bury')
  await kit.cache.bury('a')
  await kit.cache.bury('b')
  t.match(kit.unsent, [{ message: /bury/ }, { message: /bury/ }])
  t.strictSame(kit.tier.told, ['a', 'b'])
  t.equal(kit.tier.texts.size, 0)
  kit.tier.fail()
  await kit.cache.replay()
  t.strictSame([...kit.tier.texts.values()].map(({ text }) => text), ['x', 'x'])
})

for (const withShared of [true, false]) {
  await t.test(`${withShared ? 'with' : 'without'} a shared tier: an older reading never replaces a later one`, async (t) => {
    const kit = createKit({ withShared })
    const early = kit.cache.now()
    kit.clock.advance(5)
    await kit.cache.fill('a', truthOf(kit, 'later'), kit.cache.now())
    await kit.cache.fill('a', truthOf(kit, 'older'), early)
    t.equal(kit.cache.peek('a')?.value.name, 'later')
    if (withShared) t.match(kit.tier.texts.get('a')?.text, /later/)
  })
}

await t.test('a load that began before a fill and ends after it does not undo it', async (t) => {
  const kit = createKit({ withShared: false })
  kit.know('a', 'older')
  const { finding, go } = await findHeld(kit, 'a')
  kit.clock.advance(5)
  await kit.cache.fill('a', truthOf(kit, 'later'), kit.cache.now())
  go()
  await finding
  t.equal(kit.cache.peek('a')?.value.name, 'later')
})

await t.test('the later reading of another instance is taken over', async (t) => {
  const [here, there] = createTwo()
  here.know('a', 'older')
  const { finding, go } = await findHeld(here, 'a')
  there.clock.advance(5)
  here.clock.advance(5)
  await there.cache.fill('a', truthOf(there, 'later'), there.cache.now())
  go()
  t.equal(nameOf(await finding), 'later')
  t.equal(here.cache.peek('a')?.value.name, 'later')
})

await t.test('which reading is later is told by when the truth was asked, not by when a copy of it was found', async (t) => {
  const [here, there] = createTwo()
  here.know('a', 'older')
  await there.cache.find('a')
  for (const { clock } of [here, there]) clock.advance(5)
  const since = here.cache.now()
  here.clock.advance(5)
  t.equal(nameOf(await here.cache.find('a')), 'older')
  await here.cache.fill('a', truthOf(here, 'later'), since)
  t.equal(here.cache.peek('a')?.value.name, 'later')
})

await t.test('when too many forgets overtake a load to remember them, it is not kept', async (t) => {
  const kit = createKit()
  kit.know('a')
  const { finding, go } = await findHeld(kit, 'a')
  for (let key = 0; key < 20_000; key++) kit.cache.forget(`k${key}`)
  go()
  await finding
  t.equal(kit.cache.peek('a'), undefined)
})
