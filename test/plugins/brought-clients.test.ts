// Clients that a host brings: however it made them, the service works as with its own, hears revocations and leaves nothing behind
// in them; what could not work is refused with a word on what would.
import Fastify from 'fastify'
import { createRequire } from 'node:module'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { MongoClient, type MongoClientOptions } from 'mongodb'
import t from 'tap'
import latchkey, { type LatchkeyOptions } from '../../src/index.ts'
import { mongodbUri, realEngines, redisUrl } from '../helper/engines.ts'
import { callEveryDoor } from '../helper/every-door.ts'
import { startOwnEngine, withoutOwnEngines } from '../helper/own-engines.ts'
import { register, tierOf } from '../helper/people.ts'
import { createDeployment, startService, testSecret, until, untilHearing, type Service } from '../helper/service.ts'

const skip = redisUrl === undefined && 'needs a Redis: set REDIS_URL'
const skipPair = !realEngines && 'needs two instances on one MongoDB and Redis: set REDIS_URL and MONGODB_URI'

/** Events on which the service listens. */
const redisEvents = ['error', 'close', 'ready']
const mongoEvents = ['topologyDescriptionChanged', 'connectionClosed', 'serverHeartbeatFailed']

await t.test('an ordinary Redis client of the host is enough to hear revocations, and gets its listeners back', { skip }, async (t) => {
  const client = new Redis(redisUrl as string) // connects by itself and queues while offline, as most hosts' clients do
  t.teardown(() => { client.disconnect() })
  const listeners = (): number[] => redisEvents.map((event) => client.listenerCount(event))
  await until(() => client.status === 'ready', 'the host is connected')
  const before = listeners()
  const service = await startService(t, { deployment: createDeployment(t), redisClient: client })
  await untilHearing(service)
  t.match((await service.get('/readyz')).json, { status: 'ready', redis: 'connected', channel: 'hearing' })
  const { accessToken } = await register(service)
  t.equal((await service.post('/api/auth/logout', undefined, { token: accessToken })).status, 200)
  await service.close()
  t.strictSame(listeners(), before)
  t.equal(client.status, 'ready', 'the client is the host\'s to close')
})

/** What the driver's and the library's options can do to what comes and goes. */
const oddMongo: MongoClientOptions = {
  ignoreUndefined: false,
  promoteValues: false,
  promoteLongs: false,
  promoteBuffers: true,
  bsonRegExp: true,
  serializeFunctions: true,
  readPreference: 'secondaryPreferred',
  readConcern: { level: 'majority' },
  writeConcern: { w: 0 },
  retryReads: false,
  retryWrites: false
}
const oddRedis = { protocol: 3, replyMapping: 'resp3' as never, keyPrefix: 'host:', enableAutoPipelining: true, maxRetriesPerRequest: null, lazyConnect: true, connectionName: 'the host' } satisfies RedisOptions

await t.test('clients with every option that changes what comes and goes: every door works, and what is stored is the same', { skip: skipPair, timeout: 300_000 }, async (t) => {
  const shapes: string[][] = []
  for (const isOdd of [false, true]) {
    const deployment = createDeployment(t)
    const mongoClient = new MongoClient(mongodbUri as string, isOdd ? oddMongo : {})
    const redisClient = new Redis(redisUrl as string, isOdd ? oddRedis : {})
    t.teardown(async () => {
      redisClient.disconnect()
      await mongoClient.close()
    })
    const before = mongoEvents.map((event) => mongoClient.listenerCount(event))
    const service = await startService(t, { deployment, mongoClient, redisClient, env: { LOGIN_LIMIT_PER_ADDRESS: '0' } })
    await untilHearing(service)
    t.strictSame(await callEveryDoor(service), [])
    shapes.push(await shapesOf(service))
    const looking = new Redis(redisUrl as string)
    const keys = await looking.keys(`*${deployment.prefix}*`)
    looking.disconnect()
    t.ok(keys.length > 10)
    t.strictSame(keys.filter((key) => key.startsWith('host:') !== isOdd), [], 'a prefix of the host begins every key')
    await service.close()
    const after = mongoEvents.map((event) => mongoClient.listenerCount(event))
    t.strictSame(after.slice(1), before.slice(1))
    t.ok((after[0] ?? 0) - (before[0] ?? 0) <= 1, 'one listener stays, which keeps note of what is behind the client')
  }
  t.strictSame(shapes[1], shapes[0])
})

/** Each collection with the names and types of the fields that its documents have. */
async function shapesOf ({ db, config }: Service): Promise<string[]> {
  const looking = new MongoClient(mongodbUri as string)
  const found = new Set<string>()
  for (const name of ['users', 'usersession', 'avatars', 'visits', 'visitlog']) {
    for (const document of await looking.db(config.store.kind === 'mongodb' ? config.store.database : db.databaseName).collection(name).find().toArray()) {
      for (const [field, value] of Object.entries(document)) found.add(`${name}.${field} ${value === null ? 'null' : (value as object).constructor.name}`)
    }
  }
  await looking.close()
  return [...found].sort()
}

await t.test('an instance with a client of the host and one with its own tell each other', { skip: skipPair }, async (t) => {
  const require = createRequire(import.meta.url)
  const forget = (): void => { for (const path of Object.keys(require.cache)) if (path.includes('/node_modules/ioredis/')) Reflect.deleteProperty(require.cache, path) }
  forget()
  const { Redis: OtherRedis } = require('ioredis') as { Redis: typeof Redis }
  forget()
  t.not(OtherRedis, Redis, 'a host may have a copy of the library of its own')
  const clients = { RESP2: new Redis(redisUrl as string, { protocol: 2 }), 'RESP3, with a prefix': new Redis(redisUrl as string, oddRedis), 'of another copy of the library': new OtherRedis(redisUrl as string) }
  t.teardown(() => { for (const client of Object.values(clients)) client.disconnect() })
  for (const [name, redisClient] of Object.entries(clients)) {
    await t.test(name, async (t) => {
      const deployment = createDeployment(t)
      const pair = [await startService(t, { deployment, redisClient }), await startService(t, { deployment })] as const
      await Promise.all(pair.map(untilHearing))
      for (const [one, other] of [pair, [pair[1], pair[0]]] as const) {
        const { accessToken } = await register(one)
        t.equal((await other.get('/api/protected', { token: accessToken })).status, 200)
        await one.post('/api/auth/logout', undefined, { token: accessToken })
        await until(async () => (await other.get('/api/protected', { token: accessToken })).status === 401, 'felt by the other', 1000)
      }
    })
  }
})

await t.test('a client that waits as long as it takes is not waited for: Redis killed or frozen, MongoDB answers', { skip: withoutOwnEngines, timeout: 240_000 }, async (t) => {
  const engine = await startOwnEngine(t, 'redis')
  const client = new Redis(engine.url, { maxRetriesPerRequest: null })
  client.on('error', () => { /* it is killed here */ })
  t.teardown(() => { client.disconnect() })
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri }), redisClient: client, env: { MEMORY_TIER_ENTRIES: '0' } })
  await untilHearing(service)
  const { accessToken: token } = await register(service)
  t.equal(tierOf(await service.get('/api/protected', { token })), 'redis')
  const answersByMongo = async (what: string): Promise<void> => {
    const answer = await service.get('/api/protected', { token })
    t.strictSame([answer.status, tierOf(answer)], [200, 'mongo'], what)
    t.ok(answer.ms < 1000, `${what}: ${Math.round(answer.ms)} ms`)
  }
  engine.freeze()
  await answersByMongo('frozen')
  engine.thaw()
  await until(async () => {
    service.clock.advance(1000)
    return tierOf(await service.get('/api/protected', { token })) === 'redis'
  }, 'it answers again', 20_000)
  await engine.kill()
  await answersByMongo('killed')
})

await t.test('a Cluster of the host', { skip: withoutOwnEngines, timeout: 240_000 }, async (t) => {
  const engine = await startOwnEngine(t, 'redis', { REDIS_OPTIONS: '--cluster-enabled yes --cluster-announce-ip 127.0.0.1' })
  const admin = new Redis(engine.url)
  await admin.call('CLUSTER', ['ADDSLOTSRANGE', '0', '16383'])
  await until(async () => String(await admin.call('CLUSTER', ['INFO'])).includes('cluster_state:ok'), 'the cluster stands', 20_000)
  admin.disconnect()
  const client = new Cluster([engine.url], { redisOptions: { keyPrefix: 'host:' } })
  t.teardown(() => { client.disconnect() })
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri }), redisClient: client, env: { LOGIN_LIMIT_PER_ADDRESS: '0' } })
  await untilHearing(service)
  const { accessToken: token } = await register(service)
  t.equal((await service.post('/api/session/page', { pageId: '/a' })).status, 201)
  t.equal((await service.post('/api/auth/logout', undefined, { token })).status, 200)
  t.equal((await service.get('/api/protected', { token })).status, 401)
})

await t.test('a MongoDB that is away is not waited for by a client whose own patience is half a minute', { skip: mongodbUri === undefined && 'needs a MongoDB' }, async (t) => {
  const mongoClient = new MongoClient('mongodb://127.0.0.1:9')
  t.teardown(() => mongoClient.close())
  const app = Fastify()
  t.teardown(() => app.close())
  const [accessTokenSecret, refreshTokenSecret, sessionSecret] = [testSecret(), testSecret(), testSecret()]
  await app.register(latchkey, { nodeEnv: 'test', mongoClient, accessTokenSecret, refreshTokenSecret, sessionSecret, bcryptCost: 10 })
  await app.ready()
  const begin = performance.now()
  const answer = await app.inject({ method: 'POST', url: '/api/auth/login', payload: { email: 'nobody@leak-mark.example', password: 'x' } })
  t.equal(answer.statusCode, 503)
  t.ok(performance.now() - begin < 5000, `${Math.round(performance.now() - begin)} ms`)
})

await t.test('what is no client, or one that could not work, is refused by name', async (t) => {
  const redis = { defineCommand () {}, getBuiltinCommands () {}, duplicate () {}, on () {}, off () {} }
  const mongo = { db () {}, on () {}, off () {}, options: { dbName: 'test' } }
  for (const [options, said] of [
    [{ mongoClient: { collection () {} } }, /mongoClient: expected a MongoClient.*app\.mongo\.client/],
    [{ mongoClient: 'mongodb://127.0.0.1' }, /mongoClient: expected a MongoClient/],
    [{ mongoClient: mongo, mongodbUri: 'embedded' }, /mongoClient and mongodbUri `embedded` exclude each other/],
    [{ mongoDatabase: 'x' }, /mongoDatabase belongs to mongoClient/],
    [{ mongoClient: mongo, mongoDatabase: 'x', mongodbUri: 'mongodb://127.0.0.1/y' }, /both name a database/],
    [{ mongoClient: mongo, mongoDatabase: 'a/b' }, /mongoDatabase: this is no name of a database/],
    [{ mongoClient: mongo }, /accessTokenSecret is required with MongoDB/],
    [{ redisClient: { connect () {}, duplicate () {}, on () {}, off () {} } }, /redisClient: expected a Redis or a Cluster of `ioredis`/],
    [{ redisClient: { cache: redis } }, /with a namespace, app\.redis\.<namespace>/],
    [{ redisClient: { ...redis, options: { stringNumbers: true } } }, /redisClient: `stringNumbers`/],
    [{ redisClient: { ...redis, options: { redisOptions: { stringNumbers: true } } } }, /redisClient: `stringNumbers`/]
  ] as [LatchkeyOptions, RegExp][]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => { await app.register(latchkey, { nodeEnv: 'test', ...options }) }, { name: 'ConfigError', message: said }, String(said))
  }
})
