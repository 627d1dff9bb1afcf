// Story: an upload is cut off, or meets another one, between any two of its writes. The account points at a whole picture at
// every moment, the old or the new; what is left over is swept out (issue 4, REQUIREMENTS H7, F-D1, F-P1).
import { MongoNetworkError } from 'mongodb'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { createAvatarRepository } from '../../src/user/avatar-repository.ts'
import { createAvatarSweep } from '../../src/user/avatar-sweep.ts'
import { createUserRepository } from '../../src/user/user-repository.ts'
import { openClient } from '../helper/client-of.ts'
import { realEngines } from '../helper/engines.ts'
import { createGates } from '../helper/gates.ts'
import { register } from '../helper/people.ts'
import { avatarPath, pictureOf, upload } from '../helper/pictures.ts'
import { createDeployment, startService, untilHearing, type Service } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

/** An instance whose writes can be held, and on real engines another one beside it. */
const deployment = createDeployment(t)
const gates = createGates(await openClient(t, deployment))
const service = await startService(t, { deployment, env: { LOGIN_LIMIT_PER_ADDRESS: '0' }, mongoClient: gates.client })
const other = realEngines ? await startService(t, { deployment }) : service
if (realEngines) await Promise.all([service, other].map(untilHearing))

interface Owner { accessToken: string, userId: string, oldUrl: string }

/** A user with a picture. */
async function newOwner (): Promise<Owner> {
  const { accessToken, userId } = await register(service)
  const { json: { avatarUrl } } = await upload(service, accessToken, await pictureOf('png'))
  return { accessToken, userId, oldUrl: avatarUrl }
}

const countOf = async ({ userId }: Owner): Promise<number> => await service.db.collection('avatars').countDocuments({ userId })
const urlAt = async (instance: Service, { accessToken }: Owner): Promise<string> => (await instance.get('/api/auth/profile', { token: accessToken })).json.avatarUrl

async function isWhole (t: Test, url: string, what: string): Promise<void> {
  for (const instance of [service, other]) {
    const shown = await instance.get(url)
    t.equal(shown.status, 200, what)
    t.equal((await sharp(shown.bytes).stats()).channels.length, 3, `${what}: the picture is whole`)
  }
}

async function sweepLater (): Promise<void> {
  for (const { clock } of new Set([service, other])) clock.advance(600_001)
  await createAvatarSweep({ avatars: createAvatarRepository(service.db), users: createUserRepository(service.db), clock: service.clock }).run({ isStopped: () => false })
}

const steps = [
  ['avatars.insertOne', 'before', 'old', 503], ['avatars.insertOne', 'after', 'old', 503],
  ['users.findOneAndUpdate', 'before', 'old', 503], ['users.findOneAndUpdate', 'after', 'new', 503],
  ['avatars.deleteOne', 'before', 'new', 201], ['avatars.deleteOne', 'after', 'new', 201]
] as const

for (const [operation, when, world, status] of steps) {
  await t.test(`an upload that ends ${when} ${operation} leaves the ${world} picture`, async (t) => {
    const owner = await newOwner()
    const { accessToken, oldUrl } = owner
    const gate = gates.hold(operation, when)
    const uploading = upload(service, accessToken, await pictureOf('jpeg'))
    await gate.reached

    // this is what is left if the process dies here
    const meanwhile = await urlAt(other, owner)
    t.equal(meanwhile === oldUrl, world === 'old')
    await isWhole(t, meanwhile, 'the picture of the account')
    await isWhole(t, oldUrl, 'the old address')

    gate.fail(new MongoNetworkError('the store is gone'))
    const answer = await uploading
    t.equal(answer.status, status, answer.text)
    for (const instance of [service, other]) t.equal(await urlAt(instance, owner), meanwhile, 'and stays so')
    await sweepLater()
    t.equal(await countOf(owner), 1, 'one picture remains')
    await isWhole(t, meanwhile, 'after the sweep')
    t.equal((await upload(service, accessToken, await pictureOf('webp'))).status, 201, 'and the next upload works')
    t.equal(await countOf(owner), 1)
  })
}

await t.test('two uploads of a user at a time leave one picture, that of the later', async (t) => {
  for (const [operation, when] of [['avatars.insertOne', 'after'], ['users.findOneAndUpdate', 'before'], ['users.findOneAndUpdate', 'after'], ['avatars.deleteOne', 'before']] as const) {
    const owner = await newOwner()
    const { accessToken } = owner
    const gate = gates.hold(operation, when)
    const first = upload(service, accessToken, await pictureOf('png'))
    await gate.reached
    const second = await upload(other, accessToken, await pictureOf('png'))
    t.equal(second.status, realEngines ? 201 : 503, 'one instance takes one upload of a user at a time')
    gate.open()
    t.equal((await first).status, 201)
    t.equal(await countOf(owner), 1, `${when} ${operation}`)
    const url = await urlAt(other, owner)
    await isWhole(t, url, 'the one')
    t.equal((await service.get(url)).headers['cache-control'], 'public, max-age=31536000, immutable', 'it is the one that is pointed at')
  }
})

await t.test('an upload and a deletion at a time leave the picture of the upload, or none', async (t) => {
  for (const [operation, when, remains] of [['avatars.insertOne', 'after', true], ['users.findOneAndUpdate', 'before', true], ['users.findOneAndUpdate', 'after', false], ['avatars.deleteOne', 'before', false]] as const) {
    const owner = await newOwner()
    const { accessToken } = owner
    const gate = gates.hold(operation, when)
    const uploading = upload(service, accessToken, await pictureOf('png'))
    await gate.reached
    t.equal((await other.call(avatarPath, { method: 'DELETE', token: accessToken })).status, 204)
    gate.open()
    t.equal((await uploading).status, 201)
    t.equal(await countOf(owner), remains ? 1 : 0, `${when} ${operation}`)
    const url = await urlAt(other, owner)
    if (remains) await isWhole(t, url, 'the one')
    else t.equal(url, null)
  }
})

await t.test('an account that goes while its picture comes keeps none', async (t) => {
  const owner = await newOwner()
  const { accessToken, userId } = owner
  const gate = gates.hold('users.findOneAndUpdate', 'before')
  const uploading = upload(service, accessToken, await pictureOf('png'))
  await gate.reached
  await service.db.collection<{ _id: string }>('users').deleteOne({ _id: userId })
  gate.open()
  expectProblem(t, await uploading, 401, 'session_revoked')
  t.equal(await countOf(owner), 1, 'the new one is gone; the old one')
  await sweepLater()
  t.equal(await countOf(owner), 0, 'goes with the sweep')
})

await t.test('a deletion that is cut off leaves no account with a picture that is not there', async (t) => {
  for (const [operation, when, status] of [['users.findOneAndUpdate', 'before', 503], ['users.findOneAndUpdate', 'after', 503], ['avatars.deleteOne', 'before', 204]] as const) {
    const owner = await newOwner()
    const { accessToken } = owner
    const gate = gates.hold(operation, when)
    const deleting = service.call(avatarPath, { method: 'DELETE', token: accessToken })
    await gate.reached
    gate.fail(new MongoNetworkError('the store is gone'))
    t.equal((await deleting).status, status)
    const url = await urlAt(other, owner)
    if (url !== null) await isWhole(t, url, `${when} ${operation}`)
    t.equal((await service.call(avatarPath, { method: 'DELETE', token: accessToken })).status, 204)
    await sweepLater()
    t.equal(await countOf(owner), 0)
  }
})
