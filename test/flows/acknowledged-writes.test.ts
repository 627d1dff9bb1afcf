// Story: what MongoDB has acknowledged is on its disk. Counted at the client: no write of any door is sent without asking
// for that in the way that this deployment needs; and played: an engine that dies in a stream of writes has them afterwards.
import { MongoClient } from 'mongodb'
import t from 'tap'
import { acknowledgedCollection } from '../../src/user/store-options.ts'
import { openClient } from '../helper/client-of.ts'
import { mongodbUri } from '../helper/engines.ts'
import { startOwnEngine, withoutOwnEngines } from '../helper/own-engines.ts'
import { login, register } from '../helper/people.ts'
import { createDeployment, startService, until } from '../helper/service.ts'
import { visitorAt } from '../helper/visitors.ts'

const writes = new Set(['insert', 'update', 'delete', 'findAndModify'])

await t.test('every write that a request waits for asks for the journal, also through a client that the host connected before', { skip: mongodbUri === undefined && 'looks at the commands of a real MongoDB: set MONGODB_URI' }, async (t) => {
  const deployment = createDeployment(t)
  const mongoClient = await openClient(t, deployment, { monitorCommands: true })
  await mongoClient.connect()
  const { setName } = await mongoClient.db('admin').command({ hello: 1 })
  const expected = setName === undefined ? { w: 1, j: true } : { w: 'majority', j: true, wtimeout: 2000 }
  const service = await startService(t, { deployment, mongoClient })
  const sent: Record<string, unknown>[] = []
  mongoClient.on('commandStarted', ({ commandName, command }) => { if (writes.has(commandName)) sent.push({ into: command[commandName], ...command['writeConcern'] }) })
  const { person, accessToken: token } = await register(service)
  const other = await login(service, person)
  const user = visitorAt(service, { token })
  await user.page('/a')
  await user.action('b')
  await service.post('/api/preferences', { theme: 'dark' }, { token })
  await service.call('/api/auth/profile', { method: 'PUT', token, body: { fullName: 'C' } })
  await service.post('/api/auth/refresh', { refreshToken: other.refreshToken })
  await user.end()
  await service.post('/api/auth/logout-all', {}, { token })
  const into = new Set(sent.map((one) => one['into']))
  for (const name of ['users', 'usersession', 'visits', 'visitlog']) t.ok(into.has(name), `writes into ${name} were seen`)
  t.strictSame(sent.filter(({ into: _, ...concern }) => JSON.stringify(Object.entries(concern).sort()) !== JSON.stringify(Object.entries(expected).sort())), [])
})

await t.test('six kills in streams of writes: what was acknowledged is there', { skip: withoutOwnEngines }, async (t) => {
  const mongo = await startOwnEngine(t, 'mongo')
  for (let kill = 0; kill < 6; kill++) {
    const client = new MongoClient(mongo.url, { serverSelectionTimeoutMS: 5000 })
    await client.db('admin').command({ fsync: 1 }) // keeps the engine's flusher busy: without it the loss shows ten times more rarely
    const log = acknowledgedCollection<{ _id: string }>(client.db('story'), 'log')
    await until(async () => log.writeConcern?.w === 1, 'it is known to stand alone')
    let acknowledged = 0
    const stream = (async () => {
      for (;;) {
        await log.insertOne({ _id: `${kill}:${acknowledged}` })
        acknowledged++
      }
    })()
    stream.catch(() => { /* the engine dies */ })
    await until(async () => acknowledged > 20, 'a stream of writes', 5000)
    await mongo.kill()
    await t.rejects(stream)
    await client.close()
    await mongo.start()
    const after = new MongoClient(mongo.url, { serverSelectionTimeoutMS: 5000 })
    const there = await after.db('story').collection('log').countDocuments({ _id: { $regex: `^${kill}:` } as never })
    await after.close()
    t.ok(there >= acknowledged, `${acknowledged} acknowledged, ${there} there`)
  }
})
