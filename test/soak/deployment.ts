// Two instances of the built service on a Redis and a MongoDB of the run's own, with a network between each instance and each
// store that can be broken. The engines outlive the runs of several seeds; each run has a database and a prefix of its own.
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { MongoClient, type Db } from 'mongodb'
import { startBuilt, type BuiltInstance } from '../helper/built-instance.ts'
import { startFaultProxy, type FaultProxy } from '../helper/fault-proxy.ts'
import { callHttp } from '../helper/http.ts'
import { freePort, startOwnEngine, type OwnEngine } from '../helper/own-engines.ts'
import { testSecret, until, withDatabase } from '../helper/service.ts'
import type { Inst, Sample } from './history.ts'

export interface Engines { redis: OwnEngine, mongo: OwnEngine }

export interface Instance {
  origin: string
  start: () => Promise<void>
  stop: () => Promise<void>
  kill: () => Promise<void>
  freeze: () => void
  thaw: () => void
  /** Processes so far. */
  lives: () => number
  sample: (phase: Sample['phase']) => Sample
}

export interface Deployment {
  engines: Engines
  instances: Record<Inst, Instance>
  network: Record<Inst, { redis: FaultProxy, mongo: FaultProxy }>
  db: Db
  /** A connection to Redis that no fault of the network meets. */
  withRedis: <T>(work: (redis: Redis) => Promise<T>) => Promise<T>
  /** Until both instances say that they are ready and hear each other. */
  untilWell: (withinMs?: number) => Promise<void>
  close: () => Promise<void>
}

export const both: readonly Inst[] = ['a', 'b']

export const startEngines = async (t: { teardown: (end: () => unknown) => void }): Promise<Engines> =>
  ({ redis: await startOwnEngine(t as never, 'redis'), mongo: await startOwnEngine(t as never, 'mongo') })

/** The same address by way of a proxy. */
const through = (url: string, port: number): string => url.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`)

const targetOf = (url: string) => ({ host: '127.0.0.1', port: Number(/127\.0\.0\.1:(\d+)/.exec(url)?.[1]) })

async function createInstance (name: Inst, env: Record<string, string>, imports: readonly string[]): Promise<Instance> {
  const port = await freePort()
  let running: BuiltInstance | undefined
  let lives = 0
  const signal = (what: NodeJS.Signals): void => { running?.child.kill(what) }
  return {
    origin: `http://127.0.0.1:${port}`,
    async start () {
      lives++
      running = await startBuilt({ PATH: process.env['PATH'], PORT: String(port), ...env }, { imports })
    },
    async stop () { await running?.stop() },
    async kill () { await running?.kill() },
    freeze () { signal('SIGSTOP') },
    thaw () { signal('SIGCONT') },
    lives: () => lives,
    sample (phase) {
      const proc = `/proc/${running?.child.pid}`
      const rssKb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`${proc}/status`, 'utf8'))?.[1])
      return { kind: 'sample', inst: name, phase, rssMb: Math.round(rssKb / 1024), descriptors: readdirSync(`${proc}/fd`).length, lives }
    }
  }
}

/** @throws Error with what the instance said last. @param inst its name */
async function untilOneIsWell (inst: Inst, { origin }: Instance, withinMs: number): Promise<void> {
  let said = ''
  await until(async () => {
    const answer = await callHttp(origin, '/readyz', { signal: AbortSignal.timeout(1000) }).catch((error: unknown) => String(error))
    said = typeof answer === 'string' ? answer : answer.text
    return typeof answer !== 'string' && answer.status === 200 && answer.json.status === 'ready' && answer.json.channel === 'hearing'
  }, `instance ${inst} is well`, withinMs).catch((error: unknown) => { throw new Error(`${String(error)}; /readyz: ${said}`) })
}

/** @param settings of the instances, beside where they find their stores. @param imports modules that they load first */
export async function startDeployment (engines: Engines, settings: Record<string, string>, imports: readonly string[] = []): Promise<Deployment> {
  const name = `soak_${randomBytes(4).toString('hex')}`
  const shared = {
    NODE_ENV: 'production',
    LOG_LEVEL: 'info',
    REDIS_KEY_PREFIX: `${name}:`,
    ...Object.fromEntries(['ACCESS_TOKEN_SECRET', 'REFRESH_TOKEN_SECRET', 'SESSION_SECRET'].map((secret) => [secret, testSecret()])),
    ...settings
  }
  async function place (inst: Inst) {
    const [redis, mongo] = await Promise.all([startFaultProxy(targetOf(engines.redis.url)), startFaultProxy(targetOf(engines.mongo.url))])
    const env = { ...shared, REDIS_URL: through(engines.redis.url, redis.port), MONGODB_URI: withDatabase(through(engines.mongo.url, mongo.port), name) }
    return { network: { redis, mongo }, instance: await createInstance(inst, env, imports) }
  }
  const [a, b] = [await place('a'), await place('b')]
  const instances = { a: a.instance, b: b.instance }
  const client = new MongoClient(engines.mongo.url, { serverSelectionTimeoutMS: 5000 })

  async function untilWell (withinMs = 30_000): Promise<void> {
    await Promise.all(both.map((inst) => untilOneIsWell(inst, instances[inst], withinMs)))
  }

  await Promise.all(both.map((inst) => instances[inst].start()))
  await untilWell()
  return {
    engines,
    instances,
    network: { a: a.network, b: b.network },
    db: client.db(name),
    async withRedis (work) {
      const redis = new Redis(engines.redis.url, { maxRetriesPerRequest: 1, commandTimeout: 5000, retryStrategy: () => null })
      redis.on('error', () => { /* the command rejects */ })
      try {
        return await work(redis)
      } finally {
        redis.disconnect()
      }
    },
    untilWell,
    async close () {
      for (const inst of both) instances[inst].thaw()
      await Promise.all(both.map((inst) => instances[inst].stop()))
      await client.db(name).dropDatabase().catch(() => { /* the engine goes with the run */ })
      await client.close()
      await Promise.all([a, b].flatMap(({ network }) => [network.redis.close(), network.mongo.close()]))
    }
  }
}
