// The field of the matrix: engines of its own, two instances of the service as processes, and between each instance and
// each store a network of its own that can be broken.
import { readdirSync } from 'node:fs'
import { Redis } from 'ioredis'
import { MongoClient, type Db } from 'mongodb'
import { startFaultProxy, type FaultProxy } from '../helper/fault-proxy.ts'
import { callHttp, type Answer, type Call } from '../helper/http.ts'
import { startOwnEngine, freePort, type OwnEngine } from '../helper/own-engines.ts'
import { startProcess, type ServerProcess } from '../helper/process.ts'
import type { Scope } from '../helper/scratch.ts'
import { testSecret } from '../helper/service.ts'

/** Seconds that a copy of a session may answer: T_fault of this run. */
export const verdictSeconds = 10

export interface Instance {
  name: 'A' | 'B'
  origin: string
  redis: FaultProxy
  mongo: FaultProxy
  /** The process of the moment. */
  process: () => ServerProcess
  isUp: () => boolean
  /** Whether somebody has ended or frozen it on purpose, now or after a moment of `performance.now()`. */
  wasDownSince: (at: number) => boolean
  /** Says that what it answers from now on is the fault's, or no longer. */
  markDown: (isDown: boolean) => void
  /** @param env beside the environment of the field */
  start: (env?: Record<string, string>) => Promise<void>
  kill: () => Promise<void>
  call: (path: string, call?: Call) => Promise<Answer>
  /** Files and sockets that it holds open. */
  descriptors: () => number
}

export interface Field {
  redis: OwnEngine
  mongo: OwnEngine
  /** Straight to the engines, past the broken networks. */
  admin: Redis
  db: Db
  instances: [Instance, Instance]
  /** What else is started here ends with the field. */
  scope: Scope
  /** Settings that both instances share, and the addresses of the engines, for one more process. */
  settings: Record<string, string>
  close: () => Promise<void>
}

const database = 'latchkey_matrix'
/** Redis is slow to load what it has on disk, for F-R13; it has nothing on disk otherwise. */
const redisOptions = { REDIS_OPTIONS: '--key-load-delay 2000 --loading-process-events-interval-bytes 1024' }

export async function startField (): Promise<Field> {
  const endings: (() => unknown)[] = []
  const scope: Scope = { teardown: (...given: unknown[]) => { endings.unshift(given[0] as () => unknown) } }
  const close = async (): Promise<void> => { for (const end of endings.splice(0)) await end() }
  try {
    const [redis, mongo] = await Promise.all([startOwnEngine(scope, 'redis', redisOptions), startOwnEngine(scope, 'mongo')])
    const admin = new Redis(redis.url, { retryStrategy: () => 50, maxRetriesPerRequest: 100 })
    admin.on('error', () => { /* it is being mistreated */ })
    const client = new MongoClient(mongo.url, { serverSelectionTimeoutMS: 10_000 })
    endings.unshift(() => { admin.disconnect() }, () => client.close())
    const shared = sharedSettings()
    const instances = await Promise.all((['A', 'B'] as const).map((name) => createInstance(scope, name, { redis, mongo, shared })))
    for (const instance of instances) await instance.start()
    const settings = { ...shared, MONGODB_URI: mongo.url.replace('/?', `/${database}?`), REDIS_URL: redis.url }
    return { redis, mongo, admin, db: client.db(database), instances: instances as [Instance, Instance], scope, settings, close }
  } catch (error) {
    await close()
    throw error
  }
}

const sharedSettings = (): Record<string, string> => ({
  NODE_ENV: 'test',
  BCRYPT_COST: '10',
  ACCESS_TOKEN_SECRET: testSecret(),
  REFRESH_TOKEN_SECRET: testSecret(),
  SESSION_SECRET: testSecret(),
  VERDICT_TTL_SECONDS: String(verdictSeconds),
  REFRESH_GRACE_SECONDS: '60', // longer than any fault here stands: an honest retry comes within it
  LOGIN_LIMIT_PER_ADDRESS: '1000000', // everybody here has the same one
  VISIT_ARCHIVE_INTERVAL_SECONDS: '5',
  METRICS: 'false'
})

async function createInstance (scope: Scope, name: 'A' | 'B', { redis, mongo, shared }: { redis: OwnEngine, mongo: OwnEngine, shared: Record<string, string> }): Promise<Instance> {
  const [toRedis, toMongo] = await Promise.all([redis, mongo].map(async ({ url }) => await startFaultProxy({ host: '127.0.0.1', port: Number(new URL(url).port) }))) as [FaultProxy, FaultProxy]
  for (const proxy of [toRedis, toMongo]) scope.teardown(() => proxy.close())
  const port = String(await freePort())
  const own = {
    ...shared,
    PORT: port,
    MONGODB_URI: `mongodb://127.0.0.1:${toMongo.port}/${database}?directConnection=true`,
    REDIS_URL: `redis://127.0.0.1:${toRedis.port}`
  }
  const origin = `http://127.0.0.1:${port}`
  let current: ServerProcess | undefined
  let [isDown, upSince] = [true, 0]
  const running = (): ServerProcess => {
    if (current === undefined) throw new Error(`${name} was never started`)
    return current
  }
  const markDown = (now: boolean): void => {
    if (isDown && !now) upSince = performance.now()
    isDown = now
  }
  return {
    name,
    origin,
    redis: toRedis,
    mongo: toMongo,
    process: running,
    isUp: () => !isDown,
    wasDownSince: (at) => isDown || upSince > at,
    markDown,
    async start (env = {}) {
      current = startProcess(scope, { ...own, ...env })
      await current.origin
      markDown(false)
    },
    async kill () {
      markDown(true)
      running().child.kill('SIGKILL')
      await running().ended
    },
    call: (path, call) => callHttp(origin, path, call),
    descriptors: () => readdirSync(`/proc/${running().child.pid}/fd`).length
  }
}

export const wait = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })
