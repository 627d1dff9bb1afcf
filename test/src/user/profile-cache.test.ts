// Profiles from the shared tier: a copy answers only while it must be true, a change is seen by whoever asks after it, and
// a tier that fails costs the read of MongoDB and nothing else.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createBreaker } from '../../../src/cache/breaker.ts'
import { tombstone } from '../../../src/cache/shared-tier.ts'
import type { Profile } from '../../../src/schemas/shapes.ts'
import { createProfileCache, type ProfileCache } from '../../../src/user/profile-cache.ts'
import { profileOf, type UserRecord } from '../../../src/user/user-record.ts'
import { createUserRepository, type UserRepository } from '../../../src/user/user-repository.ts'
import { createStillClock } from '../../helper/clock.ts'
import { emailMark } from '../../helper/evidence.ts'
import { createFakeTier, type FakeTier } from '../cache/fake-tier.ts'
import { openDb, trap, type Trapped } from '../visit/visit-kit.ts'

const ttlMs = 1_800_000
const tombstoneMs = 10_000
const clock = createStillClock()
const repository = createUserRepository(await openDb(t, clock))

interface Instance { cache: ProfileCache, users: Trapped<UserRepository>, reads: () => number, unsent: unknown[] }

function createInstance (tier: FakeTier | undefined, ttl = ttlMs): Instance {
  const users = trap(repository)
  const unsent: unknown[] = []
  const cache = createProfileCache({
    counted: { add () {}, remove () {} },
    users: users.calls,
    clock,
    ttlMs: ttl,
    onUnsent: (error) => { unsent.push(error) },
    ...(tier !== undefined && { shared: { tier, breaker: createBreaker({ clock }) } })
  })
  return { cache, users, unsent, reads: () => users.count('findById') }
}

const createPair = (): { tier: FakeTier, here: Instance, there: Instance } => {
  const tier = createFakeTier(clock, tombstoneMs)
  return { tier, here: createInstance(tier), there: createInstance(tier) }
}

/** An account of its own. */
async function createUser (): Promise<{ userId: string, profile: Readonly<Profile>, change: (theme: 'dark' | 'light') => Promise<string> }> {
  const name = randomBytes(6).toString('hex')
  const time = new Date(clock.wall())
  const user: UserRecord = {
    _id: randomBytes(16).toString('base64url'),
    email: `${name}@${emailMark}`,
    emailKey: `${name}@${emailMark}`,
    username: name,
    usernameKey: name,
    fullName: null,
    role: 'user',
    passwordHash: '',
    tokenVersion: 0,
    preferences: {},
    avatarId: null,
    version: 1,
    createdAt: time,
    updatedAt: time
  }
  await repository.insert(user)
  return {
    userId: user._id,
    profile: profileOf(user),
    async change (theme) {
      await repository.setPreferences(user._id, { theme }, time)
      return theme
    }
  }
}

const themeOf = async ({ cache }: Instance, userId: string): Promise<string> => (await cache.find(userId)).preferences.theme

await t.test('a copy answers on every instance without MongoDB, up to the end of its time', async (t) => {
  const { tier, here, there } = createPair()
  const { userId, profile } = await createUser()
  t.strictSame(await here.cache.find(userId), profile)
  clock.advance(ttlMs - 1)
  for (const { cache } of [here, there]) t.strictSame(await cache.find(userId), profile)
  t.strictSame([here.reads(), there.reads()], [1, 0])
  tier.texts.set(userId, { text: tier.texts.get(userId)?.text ?? '', endsAt: Infinity }) // a server that is late to drop it
  clock.advance(1)
  t.strictSame(await there.cache.find(userId), profile)
  t.equal(there.reads(), 1)
  t.strictSame(await here.cache.find(userId), profile)
  t.equal(here.reads(), 1, 'what was read is a copy again')
})

await t.test('who answered is told and counted', async (t) => {
  const { here, there } = createPair()
  const { userId } = await createUser()
  for (const { cache } of [here, there, there]) await cache.find(userId)
  t.strictSame([here, there].map(({ cache }) => cache.counts), [{ redis: 0, mongo: 1 }, { redis: 2, mongo: 0 }])
})

await t.test('a copy that is damaged, of somebody else or of another form answers nothing', async (t) => {
  const { tier, here } = createPair()
  const { userId, profile } = await createUser()
  const other = await createUser()
  const text = (value: unknown, head = `1|${clock.wall()}|`): string => head + JSON.stringify(value)
  const { preferences, ...withoutPreferences } = profile
  const bad = [
    '', 'null', '1|', '1|2', text(profile).slice(0, -1), text(profile, ''), text(profile, `|${clock.wall()}|`), text(profile, `-1|${clock.wall()}|`),
    text(profile, '1|NaN|'), text(null), text([]), text('text'), text({}), text(other.profile), text({ ...profile, id: other.userId }),
    text(withoutPreferences), text({ ...profile, preferences: { ...preferences, theme: 'pink' } }), text({ ...profile, role: 'root' }),
    text({ ...profile, passwordHash: 'x' }), text({ ...profile, createdAt: 5 }), tombstone
  ]
  for (const [i, copy] of bad.entries()) {
    tier.texts.set(userId, { text: copy, endsAt: Infinity })
    t.strictSame(await here.cache.find(userId), profile, copy.slice(0, 60))
    t.equal(here.reads(), i + 1)
  }
  tier.texts.set(userId, { text: text({ ...profile, fullName: 'From the copy' }), endsAt: Infinity })
  t.equal((await here.cache.find(userId)).fullName, 'From the copy', 'a sound one does')
})

await t.test('what was read before copies were distrusted answers no more, what is read from then on does', async (t) => {
  const { here, there } = createPair()
  const { userId } = await createUser()
  await here.cache.find(userId)
  clock.advance(1)
  here.cache.distrust()
  await here.cache.find(userId)
  t.equal(here.reads(), 2)
  for (const { cache } of [here, there]) await cache.find(userId)
  t.strictSame([here.reads(), there.reads()], [2, 0])
})

await t.test('a change buries the copy before it is made and again after it, and everybody sees it', async (t) => {
  const { tier, here, there } = createPair()
  const { userId, change } = await createUser()
  await there.cache.find(userId)
  tier.calls.length = 0
  const theme = await here.cache.changing(userId, async () => {
    t.strictSame([tier.calls, tier.texts.get(userId)?.text], [['bury'], tombstone])
    return await change('dark')
  })
  t.equal(theme, 'dark', 'the work\'s result')
  t.strictSame(tier.calls, ['bury', 'bury'])
  for (const instance of [here, there]) t.equal(await themeOf(instance, userId), 'dark')
  clock.advance(tombstoneMs)
  for (const instance of [here, there]) t.equal(await themeOf(instance, userId), 'dark')
  const reads = here.reads()
  t.equal(await themeOf(here, userId), 'dark')
  t.equal(here.reads(), reads, 'from a copy again')
})

await t.test('a change that failed may have been made: it buries as well', async (t) => {
  const { tier, here } = createPair()
  const { userId, change } = await createUser()
  await here.cache.find(userId)
  tier.calls.length = 0
  await t.rejects(here.cache.changing(userId, async () => {
    await change('dark')
    throw new Error('the answer was lost')
  }), { message: 'the answer was lost' })
  t.strictSame(tier.calls, ['bury', 'bury'])
  t.equal(await themeOf(here, userId), 'dark')
})

await t.test('a reading from before a change replaces nothing, however late it comes', async (t) => {
  for (const isTombstoneGone of [false, true]) {
    const { tier, here, there } = createPair()
    const { userId, change } = await createUser()
    const gate = there.users.hold('findById', 'after')
    const late = there.cache.find(userId)
    await gate.reached
    await here.cache.changing(userId, () => change('dark'))
    if (isTombstoneGone) {
      clock.advance(tombstoneMs)
      t.equal(await themeOf(here, userId), 'dark', 'which is a copy now')
    }
    const stands = tier.texts.get(userId)?.text
    gate.open()
    t.equal((await late).preferences.theme, 'system', 'it had asked before')
    t.equal(tier.texts.get(userId)?.text, stands)
    for (const instance of [here, there]) t.equal(await themeOf(instance, userId), 'dark')
  }
})

await t.test('a change of which the tier could not be told is seen by who made it, and by all when the tier answers', async (t) => {
  const { tier, here, there } = createPair()
  const [one, other] = [await createUser(), await createUser()]
  for (const { userId, change } of [one, other]) {
    await there.cache.find(userId)
    tier.fail('bury', 'announce')
    t.equal(await here.cache.changing(userId, () => change('dark')), 'dark')
    tier.fail()
  }
  t.equal(here.unsent.length, 4, 'and somebody is told')
  t.equal(await themeOf(here, one.userId), 'dark')
  await here.cache.replay()
  for (const { userId } of [one, other]) t.equal(await themeOf(there, userId), 'dark')
  tier.calls.length = 0
  await here.cache.replay()
  t.strictSame(tier.calls, [], 'nothing is owed any more')
})

await t.test('who hears of a change believes no copy from before it, though one stands there', async (t) => {
  const { tier, here, there } = createPair()
  const { userId, change } = await createUser()
  await there.cache.find(userId)
  tier.fail('bury')
  await here.cache.changing(userId, () => change('dark'))
  tier.fail('put')
  for (const key of tier.told) there.cache.forget(key)
  t.equal(await themeOf(there, userId), 'dark')
  tier.fail()
  clock.advance(1)
  const reads = there.reads()
  for (let times = 0; times < 2; times++) t.equal(await themeOf(there, userId), 'dark')
  t.equal(there.reads(), reads + 1, 'one from after it is')
})

await t.test('without a tier, and with no time for copies, MongoDB is asked each time', async (t) => {
  const { tier } = createPair()
  for (const instance of [createInstance(undefined), createInstance(tier, 0)]) {
    const { userId, profile, change } = await createUser()
    for (let times = 1; times <= 3; times++) {
      t.strictSame(await instance.cache.find(userId), profile)
      t.equal(instance.reads(), times)
    }
    t.equal(await instance.cache.changing(userId, () => change('dark')), 'dark')
    t.equal(await themeOf(instance, userId), 'dark')
  }
  t.strictSame(tier.calls, [], 'and the tier is left alone')
})

await t.test('a tier that fails costs the read, and soon is not asked any more', async (t) => {
  const { tier, here } = createPair()
  const { userId, profile } = await createUser()
  tier.fail('get', 'put', 'bury', 'announce')
  for (let times = 1; times <= 6; times++) {
    t.strictSame(await here.cache.find(userId), profile)
    t.equal(here.reads(), times)
  }
  t.equal(tier.calls.length, 5, 'five failures in a row, then a pause')
  tier.fail()
  clock.advance(1000)
  await here.cache.find(userId)
  await here.cache.find(userId)
  t.equal(here.reads(), 7, 'then copies answer again')
})

await t.test('an account that is gone has no session; a MongoDB that does not answer is no such verdict', async (t) => {
  const { tier, here } = createPair()
  await t.rejects(here.cache.find('nobody'), { code: 'session_revoked' })
  t.strictSame([...tier.texts], [], 'and leaves no copy')
  here.users.hold('findById', 'before').fail(new Error('MongoDB does not answer'))
  await t.rejects(here.cache.find('nobody'), { message: 'MongoDB does not answer' })
})
