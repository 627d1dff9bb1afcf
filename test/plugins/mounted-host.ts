// A host of the tests: an app of somebody else's that mounts the package and guards doors of its own with it.
import Fastify, { type FastifyInstance } from 'fastify'
import { randomBytes } from 'node:crypto'
import type { Db, MongoClient } from 'mongodb'
import type { Test } from 'tap'
import { createConfig } from '../../src/config/config.ts'
import { readEnvironment } from '../../src/config/environment.ts'
import latchkey, { type LatchkeyOptions } from '../../src/index.ts'
import { openClient } from '../helper/client-of.ts'
import { createTestClock, type TestClock } from '../helper/clock.ts'
import { callHttp, type Answer, type Call } from '../helper/http.ts'
import { register } from '../helper/people.ts'
import { createDeployment, type Deployment } from '../helper/service.ts'

export interface Host {
  app: FastifyInstance
  deployment: Deployment
  clock: TestClock
  db: Db
  /** The client of its database, to bring to another host of the same deployment. */
  client: MongoClient
  call: (path: string, call?: Call) => Promise<Answer>
  /** Registers an account through the mounted doors. */
  newcomer: () => ReturnType<typeof register>
}

export interface HostOptions {
  options?: Pick<LatchkeyOptions, 'prefix' | 'ownsNotFound' | 'hooks' | 'claims' | 'parts' | 'publicUser' | 'publicUserSchema' | 'names' | 'redisClient'>
  env?: Record<string, string>
  /** Where its records are, instead of a place of its own; with the client and the clock of whoever else is there. */
  beside?: { deployment: Deployment, client: MongoClient, clock: TestClock }
  /** What the host does before it registers the package. */
  prepare?: (app: FastifyInstance) => void | Promise<void>
  /** Opens the host's own doors; the package is registered by then. */
  open?: (app: FastifyInstance) => void
}

export async function startHost (t: Test, { options = {}, env = {}, beside, prepare, open }: HostOptions = {}): Promise<Host> {
  const deployment = beside?.deployment ?? createDeployment(t)
  const config = createConfig(readEnvironment({ ...deployment.env, LOGIN_LIMIT_PER_ADDRESS: '0', ...env }), { randomBytes })
  const client = beside?.client ?? await openClient(t, deployment)
  const db = client.db(config.store.kind === 'mongodb' ? config.store.database : 'latchkey')
  const clock = beside?.clock ?? createTestClock()
  const app = Fastify()
  t.teardown(async () => {
    if (config.store.kind === 'mongodb' && beside === undefined) await db.dropDatabase()
    await app.close()
  })
  await prepare?.(app)
  await app.register(latchkey, { config, clock, mongoClient: client, ...options })
  open?.(app)
  await app.listen({ port: 0, host: '127.0.0.1' })

  const { prefix = '' } = options
  const call = async (path: string, what?: Call): Promise<Answer> => await callHttp(app.listeningOrigin, path, what)
  return {
    app,
    deployment,
    clock,
    db,
    client,
    call,
    newcomer: () => register({
      call,
      get: (path, what) => call(`${prefix}${path}`, what),
      post: (path, body, what) => call(`${prefix}${path}`, { method: 'POST', ...(body !== undefined && { body }), ...what })
    })
  }
}
