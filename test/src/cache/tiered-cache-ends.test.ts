// How long a copy may answer: to the millisecond, by which clock, and what is a miss but never a verdict.
import t from 'tap'
import { createRandom } from '../random.ts'
import { createKit, createTwo, nameOf, type Kit } from './tiered-kit.ts'

/** What stands in the shared tier, in parts. */
function writtenIn ({ tier }: Kit, key: string): { readAt: number, endsAt: number, expiresAt: number } {
  const [readAt, endsAt, expiresAt] = (tier.texts.get(key)?.text ?? '').split('|').map(Number) as [number, number, number]
  return { readAt, endsAt, expiresAt }
}

await t.test('a copy in memory answers until its time is over, and not at that moment', async (t) => {
  const kit = createKit({ ttlMs: 60_000 })
  kit.know('a')
  const { copy } = await kit.cache.find('a')
  kit.clock.advance(59_999)
  t.equal(kit.cache.peek('a'), copy)
  kit.clock.advance(1)
  t.equal(kit.cache.peek('a'), undefined)
  t.notOk(copy !== null && kit.cache.mayAnswer(copy))
})

await t.test('its time begins before the truth is asked, not when it answers', async (t) => {
  const kit = createKit({ ttlMs: 60_000 })
  kit.know('a')
  const reached = kit.holdLoad()
  const finding = kit.cache.find('a')
  const go = await reached
  kit.clock.advance(50_000)
  go()
  await finding
  const { readAt, endsAt } = writtenIn(kit, 'a')
  t.equal(endsAt - readAt, 60_000)
  t.equal(readAt, kit.clock.wall() - 50_000)
  t.equal(kit.tier.texts.get('a')?.endsAt, endsAt, 'the shared tier drops it then too')
  kit.clock.advance(9999)
  t.ok(kit.cache.peek('a'))
  kit.clock.advance(1)
  t.equal(kit.cache.peek('a'), undefined)
})

await t.test('an answer that took longer than a copy may live is given once and kept by nobody', async (t) => {
  const kit = createKit({ ttlMs: 1000 })
  kit.know('a')
  const reached = kit.holdLoad()
  const finding = kit.cache.find('a')
  const go = await reached
  kit.clock.advance(1000)
  go()
  t.equal(nameOf(await finding), 'a')
  t.equal(kit.cache.peek('a'), undefined)
  t.equal(kit.tier.texts.size, 0)
})

await t.test('a copy whose session is over is a miss: only the truth says no', async (t) => {
  const kit = createKit()
  kit.know('a', 'a', 10_000)
  const { copy } = await kit.cache.find('a')
  kit.clock.advance(9999)
  t.ok(kit.cache.peek('a'))
  kit.clock.advance(1)
  t.equal(kit.cache.peek('a'), undefined, 'exactly at its end')
  t.notOk(copy !== null && kit.cache.mayAnswer(copy))
  kit.know('a', 'prolonged')
  const found = await kit.cache.find('a')
  t.equal(found.tier, 'mongo')
  t.equal(nameOf(found), 'prolonged')
})

for (const [what, livesMs, passMs] of [['past its own end', 3_600_000, 60_000], ['past the end of its session', 10_000, 10_000]] as const) {
  await t.test(`a shared copy ${what} is a miss: the truth is asked`, async (t) => {
    const [here, there] = createTwo()
    here.know('a', 'a', livesMs)
    await here.cache.find('a')
    const text = here.tier.texts.get('a')?.text as string
    for (const { clock } of [here, there]) clock.advance(passMs)
    here.tier.texts.set('a', { text, endsAt: Infinity }) // a tier that is late to drop it
    there.know('a', 'prolonged')
    const found = await there.cache.find('a')
    t.equal(found.tier, 'mongo')
    t.equal(nameOf(found), 'prolonged')
  })
}

await t.test('a shared copy that promises more than its session lasts is a miss at the end of the session', async (t) => {
  const kit = createKit()
  const now = kit.clock.wall()
  kit.tier.texts.set('a', { text: `${now - 10}|${now + 60_000}|${now}|{"name":"a"}`, endsAt: Infinity })
  t.same(await kit.cache.find('a'), { copy: null, tier: 'mongo' })
})

await t.test('nothing is promised beyond the end of the session, in no tier', async (t) => {
  const kit = createKit()
  kit.know('a', 'a', 5000)
  await kit.cache.find('a')
  const { endsAt, expiresAt } = writtenIn(kit, 'a')
  t.equal(expiresAt, kit.clock.wall() + 5000)
  t.equal(endsAt, expiresAt)
  t.equal(kit.tier.texts.get('a')?.endsAt, expiresAt)
})

await t.test('copies run out at different times: up to a fifth earlier, never later', async (t) => {
  const random = createRandom()
  let [least, most] = [Infinity, 0]
  for (const chance of [0, 0.5, 1 - 2 ** -32, ...Array.from({ length: 200 }, random.next)]) {
    const kit = createKit({ ttlMs: 60_000, random: () => chance })
    kit.know('a')
    const { copy } = await kit.cache.find('a')
    const life = (copy?.validUntil ?? 0) - (copy?.readAt ?? 0)
    const { readAt, endsAt } = writtenIn(kit, 'a')
    if (endsAt - readAt !== life) t.fail('both tiers promise the same')
    least = Math.min(least, life)
    most = Math.max(most, life)
  }
  t.equal(most, 60_000, `seed ${random.seed}`)
  t.equal(least, 48_000)
})

await t.test('the fast clock of another instance cannot make a copy live longer than our own would', async (t) => {
  const [here, there] = createTwo({ ttlMs: 60_000 })
  there.clock.setWallBy(3_600_000)
  here.know('a', 'a', 86_400_000)
  await there.cache.find('a')
  const reached = here.tier.hold('get')
  const finding = here.cache.find('a')
  const go = await reached
  here.clock.advance(10_000)
  go()
  t.equal((await finding).tier, 'redis')
  here.clock.advance(49_999)
  t.ok(here.cache.peek('a'), 'counted from the begin of the read')
  here.clock.advance(1)
  t.equal(here.cache.peek('a'), undefined)
})

await t.test('the slow clock of another instance makes its copies a miss, not a verdict', async (t) => {
  const [here, there] = createTwo({ ttlMs: 60_000 })
  there.clock.setWallBy(-3_600_000)
  here.know('a')
  await there.cache.find('a')
  t.equal((await here.cache.find('a')).tier, 'mongo')
})

await t.test('setting this machine\'s clock makes no copy immortal', async (t) => {
  const kit = createKit({ ttlMs: 60_000 })
  kit.know('a')
  await kit.cache.find('a')
  kit.clock.advance(30_000)
  kit.clock.setWallBy(-600_000)
  t.ok(kit.cache.peek('a'))
  kit.clock.advance(30_000)
  t.equal(kit.cache.peek('a'), undefined, 'its age is not told by the time of day')
  const ahead = createKit()
  ahead.know('b', 'b', 300_000)
  await ahead.cache.find('b')
  ahead.clock.setWallBy(600_000)
  t.equal(ahead.cache.peek('b'), undefined, 'but the end of the session is')
})

await t.test('while revocations are heard, a copy answers all its life; 2000 ms of silence are still hearing', async (t) => {
  const kit = createKit()
  kit.know('a')
  kit.hearing.lastBeat = kit.clock.mono()
  await kit.cache.find('a')
  kit.clock.advance(2000)
  t.ok(kit.cache.peek('a'))
  kit.clock.advance(1)
  t.equal(kit.cache.peek('a'), undefined, '2001 ms are not')
  kit.hearing.lastBeat = kit.clock.mono()
  t.ok(kit.cache.peek('a'), 'one beat, and it may answer again: whatever was told before the beat has arrived')
})

await t.test('while they are not heard, a copy answers for 1000 ms after its read', async (t) => {
  const kit = createKit()
  kit.know('a')
  kit.hearing.lastBeat = -Infinity
  const { copy } = await kit.cache.find('a')
  kit.clock.advance(1000)
  t.ok(kit.cache.peek('a'))
  t.ok(copy !== null && kit.cache.mayAnswer(copy))
  kit.clock.advance(1)
  t.equal(kit.cache.peek('a'), undefined)
  t.notOk(copy !== null && kit.cache.mayAnswer(copy))
  t.equal((await kit.cache.find('a')).tier, 'redis')
  t.ok(kit.cache.peek('a'), 'it was read again: another second')
})

await t.test('in silence a revocation is dead after the second, because the shared tier is asked', async (t) => {
  const [here, there] = createTwo()
  here.know('a')
  there.hearing.lastBeat = -Infinity
  await here.cache.find('a')
  t.equal(nameOf(await there.cache.find('a')), 'a')
  here.truths.delete('a')
  await here.cache.bury('a')
  there.clock.advance(1001)
  t.equal(there.cache.peek('a'), undefined)
  t.same(await there.cache.find('a'), { copy: null, tier: 'redis' })
})

await t.test('a read that takes long counts from its begin in silence too', async (t) => {
  const kit = createKit()
  kit.know('a')
  kit.hearing.lastBeat = -Infinity
  const reached = kit.tier.hold('get')
  kit.tier.texts.set('a', { text: `1|${kit.clock.wall() + 60_000}|${kit.clock.wall() + 60_000}|{"name":"a"}`, endsAt: Infinity })
  const finding = kit.cache.find('a')
  const go = await reached
  kit.clock.advance(1001)
  go()
  t.equal((await finding).tier, 'redis')
  t.equal(kit.cache.peek('a'), undefined)
})

await t.test('after an outage only copies read since then are believed', async (t) => {
  const [here, there] = createTwo()
  here.know('a', 'before')
  await there.cache.find('a')
  here.clock.advance(1)
  there.clock.advance(1)
  here.know('a', 'after')
  here.cache.distrustShared()
  const found = await here.cache.find('a')
  t.equal(found.tier, 'mongo')
  t.equal(nameOf(found), 'after')
  t.equal(nameOf(await there.cache.find('a')), 'after', 'and the shared tier has the later one')
  t.equal((await here.cache.find('a')).tier, 'redis', 'a copy of the very moment is believed')
})

await t.test('a distrusted copy that stays in the shared tier is not taken into memory either', async (t) => {
  const [here, there] = createTwo()
  const truth = { value: { name: 'truth' }, expiresAt: here.clock.wall() + 60_000 }
  const early = here.cache.now()
  for (const { clock } of [here, there]) clock.advance(10)
  await there.cache.fill('a', { ...truth, value: { name: 'distrusted' } }, there.cache.now())
  for (const { clock } of [here, there]) clock.advance(10)
  here.cache.distrustShared()
  await here.cache.fill('a', truth, early)
  t.match(here.tier.texts.get('a')?.text, /distrusted/, 'it is the later reading, so it stays')
  t.equal(here.cache.peek('a')?.value.name, 'truth', 'rather our own reading than one that we do not believe')
})
