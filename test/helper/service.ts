// Starts the real service for a test: listening on a port, on the engines of this run, with names of its own in them.
// Nothing is replaced but what a deployment may bring: the environment, the clock, clients.
import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { MongoClient, type Db } from 'mongodb'
import type { Test } from 'tap'
import { createConfig, type Config } from '../../src/config/config.ts'
import { readEnvironment } from '../../src/config/environment.ts'
import { createStandalone, type StandaloneOptions } from '../../src/standalone.ts'
import { createTestClock, type TestClock } from './clock.ts'
import { mongodbUri, redisUrl } from './engines.ts'
import { noteEvidence, secretMark } from './evidence.ts'
import { callHttp, type Answer, type Call } from './http.ts'
import { scratchFolder } from './scratch.ts'

/** Names that instances of one deployment share. */
export interface Deployment { env: Record<string, string>, prefix: string, database: string, swept: boolean }

/** Where requests are sent to. */
export interface Caller {
  call: (path: string, call?: Call) => Promise<Answer>
  post: (path: string, body?: unknown, call?: Call) => Promise<Answer>
  get: (path: string, call?: Call) => Promise<Answer>
}

export interface Service extends Caller {
  app: FastifyInstance
  config: Config
  clock: TestClock
  origin: string
  /** Log lines so far, parsed. */
  logs: Record<string, unknown>[]
  /** The database behind it, for looking at records and for fixtures that time would make. */
  db: Db
  close: () => Promise<void>
}

export interface ServiceOptions extends Pick<StandaloneOptions, 'mongoClient' | 'redisClient' | 'randomBytes' | 'worker'> {
  env?: Record<string, string>
  clock?: TestClock
  /** An instance of this deployment, instead of one of its own. */
  deployment?: Deployment
}

/** Sixty characters that no list of samples knows, with the mark that the leak test looks for. */
export const testSecret = (): string => `${secretMark}${randomBytes(24).toString('hex')}`

/** A deployment on the engines of this run; `engines` takes others (stories that kill theirs). */
export function createDeployment (t: Test, engines: { mongodbUri?: string | undefined, redisUrl?: string | undefined } = { mongodbUri, redisUrl }): Deployment {
  const name = randomBytes(6).toString('hex')
  const database = `latchkey_test_${name}`
  return {
    prefix: `t${name}:`,
    database,
    swept: false,
    env: {
      NODE_ENV: 'test',
      LOG_LEVEL: 'info',
      PORT: '0',
      BCRYPT_COST: '10',
      ACCESS_TOKEN_SECRET: testSecret(),
      REFRESH_TOKEN_SECRET: testSecret(),
      SESSION_SECRET: testSecret(),
      REDIS_KEY_PREFIX: `t${name}:`,
      ...(engines.mongodbUri === undefined
        ? { DATA_DIR: scratchFolder(t) }
        : { MONGODB_URI: withDatabase(engines.mongodbUri, database) }),
      ...(engines.redisUrl !== undefined && { REDIS_URL: engines.redisUrl })
    }
  }
}

export const withDatabase = (uri: string, database: string): string => uri.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)\/?/, `$1/${database}`)

export async function startService (t: Test, { env = {}, clock = createTestClock(), deployment = createDeployment(t), ...brought }: ServiceOptions = {}): Promise<Service> {
  const config = createConfig(readEnvironment({ ...deployment.env, ...env }), { randomBytes })
  const logs: Record<string, unknown>[] = []
  const looking = brought.mongoClient ?? await openClient(config, clock)
  const app = createStandalone(config, {
    clock,
    ...(config.store.kind === 'embedded' && { mongoClient: looking }),
    ...brought,
    logStream: {
      write (line) {
        noteEvidence('log', line)
        logs.push(JSON.parse(line) as Record<string, unknown>)
      }
    }
  })
  let open = true
  const close = async (): Promise<void> => {
    if (!open) return
    open = false
    await app.close()
    await looking.close()
  }
  t.teardown(async () => {
    if (open && !deployment.swept) await sweep(looking.db(databaseName(config)), config, deployment).catch(() => { /* an engine that the test has killed */ })
    await close()
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const origin = app.listeningOrigin
  return {
    app,
    config,
    clock,
    origin,
    logs,
    db: looking.db(databaseName(config)),
    call: (path, call) => callHttp(origin, path, call),
    get: (path, call) => callHttp(origin, path, call),
    post: (path, body, call) => callHttp(origin, path, { method: 'POST', ...(body !== undefined && { body }), ...call }),
    close
  }
}

/** Two instances of one deployment. Needs real engines. */
export async function startPair (t: Test, options: ServiceOptions = {}): Promise<[Service, Service]> {
  const deployment = options.deployment ?? createDeployment(t)
  const pair = [await startService(t, { ...options, deployment }), await startService(t, { ...options, deployment })] as [Service, Service]
  await Promise.all(pair.map(untilHearing))
  return pair
}

/** Waits until an instance hears revocations: its first beat has come back. */
export async function untilHearing (service: Service): Promise<void> {
  await until(async () => (await service.get('/readyz')).json.channel === 'hearing', 'the channel is heard')
}

/** Polls a condition that another process or the network brings about. */
export async function until (holds: () => boolean | Promise<boolean>, what: string, withinMs = 10_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!await holds()) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => { setTimeout(resolve, 5) })
  }
}

/** The client behind a service, for looking at records: the embedded store has one client only, a MongoDB any number. */
async function openClient ({ store }: Config, clock: TestClock): Promise<MongoClient> {
  if (store.kind === 'embedded') return await (await import('../../src/embedded/embedded-client.ts')).openEmbeddedClient({ dir: store.dir, clock })
  return new MongoClient(store.uri, { serverSelectionTimeoutMS: 2000 })
}

const databaseName = ({ store }: Config): string => store.kind === 'mongodb' ? store.database : 'latchkey'

/** What stands under a key of Redis, whatever its type. */
export async function valueOf (redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'hash': return JSON.stringify(await redis.hgetall(key))
    case 'list': return JSON.stringify(await redis.lrange(key, 0, -1))
    case 'zset': return JSON.stringify(await redis.zrange(key, '0', '-1'))
    default: return await redis.get(key) ?? ''
  }
}

/** Notes every document, key and value of a deployment for the leak test, then drops them. */
async function sweep (db: Db, config: Config, deployment: Deployment): Promise<void> {
  deployment.swept = true
  for (const name of ['users', 'usersession', 'avatars', 'visits', 'visitlog', 'leases']) {
    // the hash belongs into `users`, and nowhere else; bytes of pictures are no text
    for (const { passwordHash, bytes, ...document } of await db.collection(name).find().toArray()) noteEvidence('document', JSON.stringify(document))
  }
  if (config.redis?.url !== undefined) {
    const redis = new Redis(config.redis.url, { connectTimeout: 1000, retryStrategy: () => null })
    redis.on('error', () => { /* the next command rejects */ })
    for (const key of await redis.keys(`${deployment.prefix}*`)) {
      noteEvidence('redis-key', key)
      noteEvidence('redis-value', await valueOf(redis, key))
    }
    redis.disconnect()
  }
  if (config.store.kind === 'mongodb') await db.dropDatabase()
}
