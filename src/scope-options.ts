// What every socket gets: the configuration, the time, the chance, and clients that a host or a test brings.
import type { MongoClient } from 'mongodb'
import type { RedisClient } from './cache/shared-tier.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config/config.ts'
import type { Parts } from './config/parts.ts'
import type { WorkerPlace } from './meter/scrape.ts'
import type { ClaimsOf } from './token/access-token.ts'
import type { HostHooks } from './token/host-hooks.ts'
import type { HostView } from './user/user-view.ts'

export interface ScopeOptions {
  config: Config
  /** What of the service is mounted here. */
  parts: Parts
  clock: Clock
  randomBytes: (size: number) => Buffer
  /** Path under which the scope is mounted, without a slash at the end. */
  base: string
  /** A client to use instead of an own one; whoever brings it closes it. */
  mongoClient?: MongoClient
  redisClient?: RedisClient
  /** Is told what happens to accounts and sessions. */
  hooks?: HostHooks
  /** Adds to what an access token says. */
  claims?: ClaimsOf
  /** Adds to what an account shows of itself. */
  hostView?: HostView
  /** If this process is one of several of one service. */
  worker?: WorkerPlace
}
