// A host of the tests: an app of somebody else's that mounts the package and guards doors of its own with it.
import Fastify, { type FastifyInstance } from 'fastify'
import { randomBytes } from 'node:crypto'
import type { Db } from 'mongodb'
import type { Test } from 'tap'
import { createConfig } from '../../src/config/config.ts'
import { readEnvironment } from '../../src/config/environment.ts'
import latchkey, { type LatchkeyOptions } from '../../src/index.ts'
import { openClient } from '../helper/client-of.ts'
import { createTestClock, type TestClock } from '../helper/clock.ts'
import { callHttp, type Answer, type Call } from '../helper/http.ts'
import { createDeployment } from '../helper/service.ts'

export interface Host {
  app: FastifyInstance
  clock: TestClock
  db: Db
  call: (path: string, call?: Call) => Promise<Answer>
  /** Registers an account through the mounted doors. */
  newcomer: () => Promise<{ accessToken: string, refreshToken: string, userId: string }>
}

export interface HostOptions {
  options?: Pick<LatchkeyOptions, 'prefix' | 'ownsNotFound' | 'hooks' | 'claims'>
  env?: Record<string, string>
  /** What the host does before it registers the package. */
  prepare?: (app: FastifyInstance) => void
  /** Opens the host's own doors; the package is registered by then. */
  open: (app: FastifyInstance) => void
}

export async function startHost (t: Test, { options = {}, env = {}, prepare, open }: HostOptions): Promise<Host> {
  const deployment = createDeployment(t)
  const config = createConfig(readEnvironment({ ...deployment.env, LOGIN_LIMIT_PER_ADDRESS: '0', ...env }), { randomBytes })
  const client = await openClient(t, deployment)
  const db = client.db(config.store.kind === 'mongodb' ? config.store.database : 'latchkey')
  const clock = createTestClock()
  const app = Fastify()
  t.teardown(async () => {
    if (config.store.kind === 'mongodb') await db.dropDatabase()
    await app.close()
  })
  prepare?.(app)
  await app.register(latchkey, { config, clock, mongoClient: client, ...options })
  open(app)
  await app.listen({ port: 0, host: '127.0.0.1' })

  const call = async (path: string, what?: Call): Promise<Answer> => await callHttp(app.listeningOrigin, path, what)
  return {
    app,
    clock,
    db,
    call,
    async newcomer () {
      const name = randomBytes(6).toString('hex')
      const { status, text, json } = await call(`${options.prefix ?? ''}/api/auth/register`, { method: 'POST', body: { username: name, email: `${name}@leak-mark.example`, password: `Pw7mark-${name}` } })
      if (status !== 201) throw new Error(`register: ${status} ${text}`)
      return { accessToken: json.accessToken, refreshToken: json.refreshToken, userId: json.user.id }
    }
  }
}
