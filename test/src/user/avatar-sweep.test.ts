// The sweep takes out the pictures that nobody points at, once they are old enough to be left over for good, and no others.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { newAvatarId } from '../../../src/user/avatar-record.ts'
import { createAvatarRepository } from '../../../src/user/avatar-repository.ts'
import { createAvatarSweep } from '../../../src/user/avatar-sweep.ts'
import type { UserRecord } from '../../../src/user/user-record.ts'
import { createUserRepository } from '../../../src/user/user-repository.ts'
import { createStillClock } from '../../helper/clock.ts'
import { openDb, trap } from '../visit/visit-kit.ts'

const clock = createStillClock()
const db = await openDb(t, clock)
const [repository, users] = [createAvatarRepository(db), createUserRepository(db)]
await repository.ensureIndexes()
const stored = db.collection<{ _id: string }>('avatars')
const onItsWayMs = 600_000
const goOn = { isStopped: () => false }

async function createUser (): Promise<string> {
  const _id = randomBytes(16).toString('base64url')
  const time = new Date(clock.wall())
  const user: UserRecord = { _id, email: _id, emailKey: _id, username: _id, usernameKey: _id, fullName: null, role: 'user', passwordHash: '', tokenVersion: 0, preferences: {}, avatarId: null, version: 1, createdAt: time, updatedAt: time }
  await users.insert(user)
  return _id
}
async function storeFor (userId: string): Promise<string> {
  const _id = newAvatarId(userId, randomBytes)
  await repository.insert({ _id, userId, type: 'image/png', bytes: randomBytes(10), createdAt: new Date(clock.wall()) })
  return _id
}
const remaining = async (): Promise<string[]> => (await stored.find({}, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id).sort()

await t.test('what an account points at stays, what it does not goes after ten minutes', async (t) => {
  const sweep = createAvatarSweep({ avatars: repository, users, clock })
  const [pointing, bare, gone] = [await createUser(), await createUser(), randomBytes(16).toString('base64url')]
  const orphans = [await storeFor(pointing), await storeFor(bare), await storeFor(bare), await storeFor(gone)]
  const current = await storeFor(pointing)
  await users.setAvatar(pointing, current, new Date(clock.wall()))
  t.equal(await sweep.run(goOn), 0, 'one may still be on its way')
  clock.advance(onItsWayMs)
  t.equal(await sweep.run(goOn), 0)
  clock.advance(1)
  t.equal(await sweep.run(goOn), orphans.length)
  t.strictSame(await remaining(), [current])
  t.equal(await sweep.run(goOn), 0)
})

await t.test('an upload that meets the sweep keeps its picture, wherever they meet', async (t) => {
  for (const [method, when] of [['listOwners', 'before'], ['listOwners', 'after'], ['deleteOld', 'before']] as const) {
    const avatars = trap(repository)
    const sweep = createAvatarSweep({ avatars: avatars.calls, users, clock })
    const user = await createUser()
    await storeFor(user) // an orphan, so that there is something to delete
    clock.advance(onItsWayMs + 1)
    const gate = avatars.hold(method, when)
    const running = sweep.run(goOn)
    await gate.reached
    const current = await storeFor(user)
    await users.setAvatar(user, current, new Date(clock.wall()))
    gate.open()
    t.equal(await running, 1)
    t.ok((await remaining()).includes(current), `${when} ${method}`)
  }
})

await t.test('it goes on where it was stopped, in batches that are bounded', async (t) => {
  await stored.deleteMany({})
  const avatars = trap(repository)
  const sweep = createAvatarSweep({ avatars: avatars.calls, users, clock })
  for (let i = 0; i < 600; i++) await storeFor(randomBytes(16).toString('base64url'))
  clock.advance(onItsWayMs + 1)
  let asked = 0
  t.equal(await sweep.run({ isStopped: () => asked++ > 0 }), 250)
  t.equal(await sweep.run({ isStopped: () => true }), 0)
  const before = avatars.count('listOwners')
  t.equal(await sweep.run(goOn), 350)
  t.equal(avatars.count('listOwners') - before, 2)
  t.strictSame(await remaining(), [])
})

await t.test('a store that does not answer ends the run, and the next one does the work', async (t) => {
  const avatars = trap(repository)
  const sweep = createAvatarSweep({ avatars: avatars.calls, users, clock })
  await storeFor('nobody')
  clock.advance(onItsWayMs + 1)
  avatars.hold('deleteOld', 'before').fail(new Error('MongoDB does not answer'))
  await t.rejects(sweep.run(goOn), { message: 'MongoDB does not answer' })
  t.equal(await sweep.run(goOn), 1)
})
