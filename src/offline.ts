// The service's sockets without its doors, for commands that work on the stores. A command gets the sockets that it needs
// and no others, so that nothing runs by itself beside it: no jobs and no leases, no visits (whose close would end the
// guests of this process), no hashing threads. Nothing listens.
import Fastify, { type FastifyInstance } from 'fastify'
import { setTimeout as sleep } from 'node:timers/promises'
import meter from '../plugins/meter.ts'
import mongo from '../plugins/mongo.ts'
import profiles from '../plugins/profiles.ts'
import publicUser from '../plugins/public-user.ts'
import redis from '../plugins/redis.ts'
import revocations from '../plugins/revocations.ts'
import statistics from '../plugins/statistics.ts'
import stores from '../plugins/stores.ts'
import tiers from '../plugins/tiers.ts'
import { everyPart } from './config/parts.ts'
import type { ScopeOptions } from './scope-options.ts'

export interface OfflineOptions extends Pick<ScopeOptions, 'config' | 'clock' | 'randomBytes'> {
  /** Gets what the sockets warn of. */
  warn: (line: string) => void
}

/** The sockets, connected. Close it when done. */
export type OfflineApp = FastifyInstance

/** The document store alone; nothing is written, no index is made. */
export const openDocuments = (options: OfflineOptions): Promise<OfflineApp> => open([meter, mongo], options)

/** Accounts, and the copies of them and of their sessions in Redis. */
export const openAccounts = (options: OfflineOptions): Promise<OfflineApp> => open([publicUser, meter, mongo, redis, stores, statistics, profiles, tiers, revocations], options)

async function open (sockets: (typeof mongo)[], { warn, ...options }: OfflineOptions): Promise<OfflineApp> {
  const stream = { write (line: string) { warn((JSON.parse(line) as { msg: string }).msg) } }
  const app = Fastify({ logger: { level: 'warn', stream } })
  for (const socket of sockets) app.register(socket, { base: '', parts: everyPart, ...options })
  try {
    await app.ready()
    return app
  } catch (error) {
    await app.close()
    throw error
  }
}

/** A first connection may take its time, over TLS and through name servers. */
const patienceMs = 5000
const pauseMs = 100

/** @returns whether the store was reached within five seconds */
export async function isReached (answers: () => boolean | Promise<boolean>): Promise<boolean> {
  const enough = AbortSignal.timeout(patienceMs)
  while (!await answers()) {
    if (enough.aborted) return false
    await sleep(pauseMs)
  }
  return true
}
