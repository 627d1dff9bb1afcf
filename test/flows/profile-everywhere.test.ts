// Story: a profile changes on one instance and is asked for on the other, whose copies are warm: at the doors and in
// `request.user`. Whoever asks once it was acknowledged gets the new one, with a Redis that is away or refuses to write,
// too, and no reader that was slow puts an old one back (REQUIREMENTS H2, I10; MISSION row 11).
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { openClient } from '../helper/client-of.ts'
import { mongodbUri, realEngines } from '../helper/engines.ts'
import { checkReads, createGates, type Gates } from '../helper/gates.ts'
import { startOwnEngine, withoutOwnEngines } from '../helper/own-engines.ts'
import { login, newPerson, register, tierOf } from '../helper/people.ts'
import { createDeployment, startPair, startService, until, untilHearing, type Service } from '../helper/service.ts'

const path = '/api/auth/profile'
const skip = !realEngines && 'needs two instances'

const nameAt = async (service: Service, token: string): Promise<string> => (await service.get(path, { token })).json.fullName
const userAt = async (service: Service, token: string): Promise<string> => (await service.get('/api/protected', { token })).json.user.fullName
const rename = async (service: Service, token: string, fullName: string): Promise<void> => {
  const answer = await service.call(path, { method: 'PUT', body: { fullName }, token })
  if (answer.status !== 200 || answer.json.fullName !== fullName) throw new Error(`rename: ${answer.status} ${answer.text}`)
}

/** Asks until memory answers, for what Redis and memory hold to be warm. */
async function warm (services: readonly Service[], token: string): Promise<void> {
  for (const service of services) {
    await until(async () => tierOf(await service.get('/api/protected', { token })) === 'memory', 'memory answers')
    await nameAt(service, token)
  }
}

/** Milliseconds until the other instance shows the name in `request.user`: a message is on its way to it. */
async function lagOf (service: Service, token: string, fullName: string): Promise<number> {
  const begin = performance.now()
  await until(async () => await userAt(service, token) === fullName, `request.user is ${fullName}`)
  return performance.now() - begin
}

await t.test('H2 a change on one instance is seen on the other at once, its copies being warm', { skip }, async (t) => {
  const [a, b] = await startPair(t)
  const lags: number[] = []
  for (let turn = 0; turn < 12; turn++) {
    const [here, there] = turn % 2 === 0 ? [a, b] : [b, a]
    const { accessToken: token } = await register(here)
    await warm([a, b], token)
    for (const fullName of ['First', 'Second']) {
      await rename(here, token, fullName)
      t.equal(await nameAt(there, token), fullName, 'the profile, with no time to spare')
      lags.push(await lagOf(there, token, fullName))
      t.strictSame([await nameAt(here, token), await userAt(here, token)], [fullName, fullName])
    }
  }
  const slowest = Math.max(...lags)
  t.comment(`measured: request.user on the other instance, slowest of ${lags.length}: ${slowest.toFixed(1)} ms`)
  t.ok(slowest < 500)
})

await t.test('of two accounts that want one name, over two instances, exactly one has it', { skip }, async (t) => {
  const [a, b] = await startPair(t, { env: { LOGIN_LIMIT_PER_ADDRESS: '1000' } })
  for (const field of ['username', 'email'] as const) {
    for (let round = 0; round < 5; round++) {
      const people = await Promise.all([a, b, a, b].map(async (service) => ({ service, ...await register(service) })))
      const wanted = newPerson()[field]
      const answers = await Promise.all(people.map(({ service, accessToken: token, person }, i) =>
        service.call(path, { method: 'PUT', body: { [field]: i % 2 === 0 ? wanted : wanted.toUpperCase(), currentPassword: person.password }, token })))
      t.strictSame(answers.map(({ status }) => status).sort(), [200, 409, 409, 409])
      for (const [i, { status }] of answers.entries()) {
        const shown = (await b.get(path, { token: people[i]?.accessToken as string })).json[field].toLowerCase()
        t.equal(shown === wanted, status === 200)
      }
    }
  }
})

await t.test('with Redis away a change is seen on the other instance, and is still seen when Redis is back', { skip: withoutOwnEngines }, async (t) => {
  const redis = await startOwnEngine(t, 'redis')
  const [a, b] = await startPair(t, { deployment: createDeployment(t, { mongodbUri, redisUrl: redis.url }) })
  const { accessToken: token } = await register(a)
  await rename(a, token, 'Before')
  for (const service of [a, b]) service.clock.advance(11_000)
  await warm([a, b], token)
  redis.freeze()
  await rename(a, token, 'After')
  t.equal(await userAt(a, token), 'After', 'where it was made, at once')
  const lag = await lagOf(b, token, 'After')
  t.comment(`measured: with Redis frozen, request.user on the other instance after ${Math.round(lag)} ms`)
  t.ok(lag < 3500)
  for (const service of [a, b]) t.equal(await nameAt(service, token), 'After')
  redis.thaw()
  await until(async () => (await Promise.all([a, b].map((service) => service.get('/readyz')))).every(({ json }) => json.redis === 'connected' && json.channel === 'hearing'), 'Redis is back')
  for (const service of [a, b, a, b]) t.strictSame([await nameAt(service, token), await userAt(service, token)], ['After', 'After'])
})

await t.test('H2 a change that nobody was told of, because its instance was cut off from Redis and died, is seen within VERDICT_TTL_SECONDS', { skip }, async (t) => {
  const [a, b] = await startPair(t)
  const { accessToken: token, userId } = await register(a)
  await warm([a, b], token)
  await a.db.collection<{ _id: string }>('users').updateOne({ _id: userId }, { $set: { fullName: 'After' }, $inc: { version: 1 } })
  t.equal(await nameAt(b, token), null, 'a copy stands in Redis, for half an hour')
  for (const { clock } of [a, b]) clock.advance(61_000)
  for (const service of [b, a]) t.strictSame([await nameAt(service, token), await userAt(service, token)], ['After', 'After'])
  t.equal((await b.get('/api/preferences', { token })).status, 200)
})

await t.test('a Redis that refuses to write still tells the other instance', { skip: withoutOwnEngines }, async (t) => {
  const redis = await startOwnEngine(t, 'redis')
  const admin = new Redis(redis.url)
  t.teardown(() => { admin.disconnect() })
  const [a, b] = await startPair(t, { deployment: createDeployment(t, { mongodbUri, redisUrl: redis.url }) })
  const { accessToken: token } = await register(a)
  await warm([a, b], token)
  await admin.config('SET', 'min-replicas-to-write', '1')
  for (const name of ['One', 'Two']) {
    await rename(a, token, name)
    await until(async () => await nameAt(b, token) === name && await userAt(b, token) === name, 'the message has come', 1000)
  }
  await admin.config('SET', 'min-replicas-to-write', '0')
  await until(async () => await nameAt(b, token) === 'Two' && await userAt(b, token) === 'Two', 'it stays')
})

/** An instance whose reads can be held, and on real engines a second one beside it, on which the change is made. */
async function setStage (t: Test): Promise<{ gates: Gates, slow: Service, other: Service, clocks: Service[] }> {
  const deployment = createDeployment(t)
  const gates = createGates(await openClient(t, deployment))
  const slow = await startService(t, { deployment, mongoClient: gates.client })
  if (!realEngines) return { gates, slow, other: slow, clocks: [slow] }
  const other = await startService(t, { deployment })
  await Promise.all([slow, other].map(untilHearing))
  return { gates, slow, other, clocks: [slow, other] }
}

await t.test('a profile that was read before the change is put nowhere after it', async (t) => {
  const { gates, slow, other } = await setStage(t)
  const { accessToken: token } = await register(slow)
  for (const service of [slow, other]) await service.get('/api/protected', { token })
  const gate = gates.hold('users.findOne', 'after')
  const late = nameAt(slow, token)
  await gate.reached
  await rename(other, token, 'New')
  gate.open()
  t.equal(await late, null, 'it had asked before')
  for (const service of [slow, other, slow]) t.equal(await nameAt(service, token), 'New')
})

for (const operation of checkReads) {
  await t.test(`a public user that was read before the change (${operation}) is put nowhere after it`, async (t) => {
    const { gates, slow, other, clocks } = await setStage(t)
    const { person, accessToken: token } = await register(slow)
    for (const { clock } of clocks) clock.advance(61_000) // the copies of the login have run out
    const second = await login(other, person)
    const gate = gates.hold(operation, 'after')
    const late = slow.get('/api/protected', { token })
    await gate.reached
    await rename(other, second.accessToken, 'New')
    gate.open()
    t.equal((await late).status, 200)
    for (const service of [slow, other, slow]) t.equal(await userAt(service, token), 'New')
  })
}
