// Pictures in the store: bytes come back as they went in, an account's are found by what their ids begin with, and walking
// through whose they are reads no picture.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { avatarKeyOf, newAvatarId, type AvatarRecord } from '../../../src/user/avatar-record.ts'
import { createAvatarRepository } from '../../../src/user/avatar-repository.ts'
import { createStillClock } from '../../helper/clock.ts'
import { mongodbUri } from '../../helper/engines.ts'
import { openDb } from '../visit/visit-kit.ts'

const clock = createStillClock()
const db = await openDb(t, clock)
const avatars = createAvatarRepository(db)
await avatars.ensureIndexes()

async function store (userId: string, ageMs = 0): Promise<AvatarRecord> {
  const avatar: AvatarRecord = { _id: newAvatarId(userId, randomBytes), userId, type: 'image/png', bytes: randomBytes(300), createdAt: new Date(clock.wall() - ageMs) }
  await avatars.insert(avatar)
  return avatar
}
const newUser = (): string => randomBytes(16).toString('base64url')

await t.test('an id cannot be guessed and shows no account; an account\'s begin alike, and no other\'s', async (t) => {
  const [user, other] = [newUser(), newUser()]
  const ids = Array.from({ length: 100 }, () => newAvatarId(user, randomBytes))
  t.equal(new Set(ids).size, 100)
  for (const id of ids) {
    t.match(id, /^[\w-]{22}\.[\w-]{22}$/)
    t.equal(avatarKeyOf(id), avatarKeyOf(ids[0] as string))
    t.notOk(id.includes(user))
  }
  t.not(avatarKeyOf(newAvatarId(other, randomBytes)), avatarKeyOf(ids[0] as string))
  for (const text of ['', '.', `${'a'.repeat(22)}.`, 'a'.repeat(45), `${'a'.repeat(22)}.${'a'.repeat(23)}`, `${'a'.repeat(22)}.${'a'.repeat(22)}\n`]) t.equal(avatarKeyOf(text), undefined, JSON.stringify(text))
})

await t.test('a picture comes back as it was stored', async (t) => {
  const avatar = await store(newUser())
  const found = await avatars.find(avatar._id)
  t.ok(Buffer.isBuffer(found?.bytes))
  t.same(found, avatar)
  t.equal(await avatars.find(newAvatarId(newUser(), randomBytes)), null)
  await t.rejects(avatars.insert(avatar), { code: 11000 })
  await avatars.delete(avatar._id)
  t.equal(await avatars.find(avatar._id), null)
  await avatars.delete(avatar._id)
})

await t.test('the newest picture of an account is found by what its ids begin with', async (t) => {
  const [user, other] = [newUser(), newUser()]
  await store(other)
  const key = avatarKeyOf(newAvatarId(user, randomBytes)) as string
  t.equal(await avatars.findNewest(key), null)
  const newest = await store(user, 10)
  for (let i = 1; i <= 5; i++) await store(user, 10 + i)
  const found = await avatars.findNewest(key)
  t.ok(Buffer.isBuffer(found?.bytes))
  t.same(found, newest)
})

await t.test('whose the pictures are is told in steps, each of them once, in order and without their bytes', async (t) => {
  await db.collection('avatars').deleteMany({})
  const expected: string[] = []
  for (let user = 0; user < 7; user++) {
    const userId = newUser()
    for (let i = 0; i <= user % 3; i++) expected.push(`${userId} ${(await store(userId))._id}`)
  }
  for (const step of [1, 2, 5, 100]) {
    const seen: string[] = []
    let after = null
    for (;;) {
      const list: Awaited<ReturnType<typeof avatars.listOwners>> = await avatars.listOwners(after, step)
      for (const owner of list) t.strictSame(Object.keys(owner).sort(), ['_id', 'userId'])
      seen.push(...list.map(({ userId, _id }) => `${userId} ${_id}`))
      if (list.length < step) break
      after = list.at(-1) ?? null
    }
    t.strictSame(seen, expected.toSorted(), `steps of ${step}`)
  }
})

await t.test('the walk is answered by the index alone', { skip: mongodbUri === undefined && 'the embedded store keeps no order of its own' }, async (t) => {
  const cursors: { explain: () => Promise<{ queryPlanner: { winningPlan: object }, executionStats: { nReturned: number, totalDocsExamined: number, totalKeysExamined: number } }> }[] = []
  const watched = createAvatarRepository({
    collection: (...args: Parameters<typeof db.collection>) => new Proxy(db.collection(...args), {
      get: (inner, name) => name !== 'find'
        ? Reflect.get(inner, name)
        : (...what: Parameters<typeof inner.find>) => {
            const { limit, ...options } = what[1] ?? {}
            cursors.push(inner.find(what[0], { ...options, limit: limit ?? 0 }) as never)
            return inner.find(...what)
          }
    })
  } as unknown as typeof db)
  const [first] = await watched.listOwners(null, 2)
  await watched.listOwners(first ?? null, 100)
  t.equal(cursors.length, 3)
  for (const cursor of cursors) {
    const { executionStats, queryPlanner } = await cursor.explain()
    t.equal(executionStats.totalDocsExamined, 0, JSON.stringify(queryPlanner.winningPlan))
    t.ok(executionStats.totalKeysExamined <= executionStats.nReturned + 1, `${executionStats.totalKeysExamined} keys for ${executionStats.nReturned}`)
    t.notMatch(JSON.stringify(queryPlanner.winningPlan), /COLLSCAN|FETCH|"SORT"/)
  }
})

await t.test('of these the old ones are deleted, and no others', async (t) => {
  const user = newUser()
  const [old, young, kept] = [await store(user, 1000), await store(user, 999), await store(user, 5000)]
  t.equal(await avatars.deleteOld([old._id, young._id, 'nobody'], new Date(clock.wall() - 999)), 1)
  t.strictSame([await avatars.find(old._id), (await avatars.find(young._id))?._id, (await avatars.find(kept._id))?._id], [null, young._id, kept._id])
  t.equal(await avatars.deleteOld([], new Date(clock.wall())), 0)
})
