// How MongoDB is asked, whatever the URI or a host's client prefers.
import { MongoClient, type Db } from 'mongodb'
import t from 'tap'
import { acknowledgedCollection } from '../../../src/user/store-options.ts'

/** A client that is nowhere, and the kind of servers that it is told of. */
function clientOf (uri = 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=1') {
  const client = new MongoClient(uri)
  const tell = (...types: string[]) => {
    const servers = new Map(types.map((type, n) => [String(n), { type }]))
    client.emit('topologyDescriptionChanged', { newDescription: { servers } } as unknown as Parameters<typeof client.emit<'topologyDescriptionChanged'>>[1])
  }
  return { client, tell }
}

await t.test('the truth is read from the primary, which alone has heard of every revocation', async (t) => {
  const db = new MongoClient('mongodb://127.0.0.1:1/?readPreference=secondaryPreferred&w=1&serverSelectionTimeoutMS=1').db('x')
  t.equal(db.readPreference?.mode, 'secondaryPreferred')
  const collection = acknowledgedCollection(db, 'usersession')
  t.equal(collection.readPreference?.mode, 'primary')
  t.match(collection.writeConcern, { w: 'majority', journal: true })
})

await t.test('on disk by the majority of a replica set, and on the disk of a server that stands alone: mongod waits for no journal there when asked for a majority', async (t) => {
  const { client, tell } = clientOf()
  const [users, sessions] = ['users', 'usersession'].map((name) => acknowledgedCollection(client.db('x'), name))
  const are = (expected: object, what: string) => { for (const collection of [users, sessions]) t.match(collection?.writeConcern, expected, what) }
  are({ w: 'majority', journal: true }, 'as long as nobody knows')
  tell('Standalone')
  are({ w: 1, journal: true }, 'alone')
  tell('Unknown')
  are({ w: 1, journal: true }, 'away')
  for (const type of ['RSPrimary', 'Mongos', 'LoadBalancer']) {
    tell('Unknown', type)
    are({ w: 'majority', journal: true }, type)
  }
  t.equal(client.listenerCount('topologyDescriptionChanged'), 1, 'a client is listened to once')
})

await t.test('an operation that the driver never answers is unavailable in time; what is answered is answered as it is', async (t) => {
  const { client } = clientOf()
  let answer: Promise<unknown> = new Promise(() => { /* never */ })
  const methods = ['findOne', 'insertOne', 'updateOne', 'updateMany', 'deleteOne', 'deleteMany', 'findOneAndUpdate', 'bulkWrite']
  const silent = Object.fromEntries([
    ...methods.map((name) => [name, () => answer]),
    ...['find', 'aggregate'].map((name) => [name, () => ({ toArray: () => answer })])
  ])
  const collection = acknowledgedCollection({ client, collection: () => silent } as unknown as Db, 'users', 10) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  const calls: [string, () => Promise<unknown>][] = [
    ...methods.map((name): [string, () => Promise<unknown>] => [name, () => collection[name]?.({}) as Promise<unknown>]),
    ...['find', 'aggregate'].map((name): [string, () => Promise<unknown>] => [name, () => (collection[name]?.({}) as unknown as { toArray: () => Promise<unknown> }).toArray()])
  ]
  for (const [name, call] of calls) await t.rejects(call(), { code: 'unavailable' }, `${name} is given up`)
  answer = Promise.resolve('an answer')
  for (const [name, call] of calls) t.equal(await call(), 'an answer', name)
  const refusal = new Error('refused')
  answer = Promise.reject(refusal)
  for (const [name, call] of calls) t.equal(await call().catch((error: unknown) => error), refusal, name)
})
