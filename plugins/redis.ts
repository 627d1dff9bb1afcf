// Socket: Redis, if one is configured. The client is bounded (no queue while away, one try, 150 ms a command), is not
// waited for and comes back by itself; whoever uses it goes on without it meanwhile (DESIGN 8).
import fastifyRedis from '@fastify/redis'
import fp from 'fastify-plugin'
import { Cluster, Redis } from 'ioredis'
import { boundedClient } from '../src/cache/bounded-client.ts'
import type { RedisClient } from '../src/cache/shared-tier.ts'
import type { RedisAddress } from '../src/config/addresses.ts'
import { registerApart } from '../src/register-apart.ts'
import type { ScopeOptions } from '../src/scope-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Undefined without Redis. */
    redisPort: RedisPort | undefined
  }
}

/** Redis as the rooms' ports take it. */
export interface RedisPort {
  readonly client: RedisClient
  /** A new connection to subscribe with; see RevocationChannelOptions. */
  readonly subscriberFor: (attempt: number) => Redis
  /** Whether it answered when it was last heard of. */
  readonly isConnected: () => boolean
  /** Asks it, and says so in the log if that changes what was known. */
  readonly ping: () => Promise<boolean>
  /** Calls back each time the connection stands (again). */
  readonly onReturn: (listener: () => void) => void
}

const bounded = {
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  connectTimeout: 1000,
  socketTimeout: 5000,
  connectionName: 'latchkey'
}

/** Milliseconds that a command may take. */
const commandMs = 150

const retryPauseMs = (attempt: number): number => Math.min(50 * 2 ** attempt, 1000)

export default fp<ScopeOptions>(async function redis (scope, { config, redisClient }) {
  if (config.redis === undefined && redisClient === undefined) {
    scope.decorate('redisPort', undefined)
    return
  }
  const client = boundedClient(redisClient ?? open(config.redis as RedisAddress), commandMs)
  let connected = client.status === 'ready'
  const listeners: (() => void)[] = []
  const say = (now: boolean, line: string) => {
    if (connected !== now) scope.log[now ? 'info' : 'error'](line)
    connected = now
  }
  const lost = () => { say(false, 'Redis does not answer: MongoDB decides meanwhile') }
  const back = () => {
    say(true, 'Redis answers')
    for (const listener of listeners) listener()
  }
  client.on('error', lost).on('close', lost).on('ready', back)
  scope.addHook('onClose', async () => { client.off('error', lost).off('close', lost).off('ready', back) })
  if (client.status === 'wait') client.connect().catch(() => { /* it goes on trying */ })
  if (redisClient === undefined) scope.addHook('onClose', async () => { client.disconnect() })
  await registerApart(scope, fastifyRedis, { client: readyView(client) }, { redis: undefined })
  scope.decorate('redisPort', {
    client,
    subscriberFor: (attempt) => subscriberFor(client, attempt),
    isConnected: () => connected,
    async ping () {
      const answers = client.status === 'ready' && await client.ping().then(() => true, () => false)
      if (answers !== connected) (answers ? back : lost)() // a server that hangs tells nobody
      return answers
    },
    onReturn: (listener) => { listeners.push(listener) }
  })
}, { name: 'latchkey-redis' })

function open ({ url, nodes }: RedisAddress): RedisClient {
  if (nodes.length === 0) return new Redis(url as string, { ...bounded, retryStrategy: retryPauseMs })
  const lent = url === undefined ? {} : new Redis(url, { lazyConnect: true }).options
  const { username, password, tls } = lent
  return new Cluster([...nodes], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryPauseMs,
    slotsRefreshTimeout: 1000,
    redisOptions: { ...bounded, ...(username != null && { username }), ...(password != null && { password }), ...(tls && { tls }) }
  })
}

/** Not by its class: a host may have a copy of the library of its own. */
const isCluster = (client: RedisClient): client is Cluster => client.isCluster

/** A connection of its own that ends when it ends: the channel opens the next one. On a cluster, any node carries every channel. */
function subscriberFor (client: RedisClient, attempt: number): Redis {
  const own = { commandTimeout: 1000, connectionName: 'latchkey-revocations', retryStrategy: () => null }
  if (!isCluster(client)) return client.duplicate({ ...bounded, ...own }) // a host's client may connect by itself
  const nodes = client.nodes('master')
  const node = nodes[attempt % Math.max(1, nodes.length)]
  if (node === undefined) throw new Error('no node of the cluster is known yet')
  return node.duplicate({ ...bounded, ...own })
}

/** @fastify/redis waits until a client is ready and fails the start if it never is; this view always looks ready to it. */
function readyView (client: RedisClient): Redis {
  const bound = new Map<PropertyKey, unknown>()
  return new Proxy(client, {
    get (target, name) {
      if (name === 'status') return 'ready'
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      if (!bound.has(name)) bound.set(name, member.bind(target))
      return bound.get(name)
    }
  }) as Redis
}
