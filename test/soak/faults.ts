// What can break: instances, Redis, MongoDB, the network between them. Each fault lasts until it is healed; that everybody is
// well again afterwards is waited for by the schedule.
import type { Deployment } from './deployment.ts'
import type { Broken, Inst } from './history.ts'
import { other } from './session-operations.ts'

export interface FaultKind {
  name: string
  what: Broken
  /** Redis forgets what it held. */
  losesRedis?: true
  /** @returns what heals it */
  inject: (deployment: Deployment, inst: Inst) => Promise<() => Promise<void> | void>
}

/** Repeats something until it is stopped. */
function keepDoing (everyMs: number, work: () => Promise<unknown>): () => Promise<void> {
  const enough = new AbortController()
  const loop = (async () => {
    while (!enough.signal.aborted) {
      await work().catch(() => { /* the next time */ })
      await new Promise((resolve) => { setTimeout(resolve, everyMs) })
    }
  })()
  return async () => {
    enough.abort()
    await loop
  }
}

/** A command that breaks Redis, and one that heals it. */
const byCommand = (name: string, breaking: string[], healing: string[]): FaultKind => ({
  name,
  what: 'redis',
  async inject ({ withRedis }) {
    const send = ([command, ...args]: string[]) => withRedis((redis) => redis.call(command as string, ...args))
    await send(breaking)
    return async () => { await send(healing) }
  }
})

const killingClients = (name: string, type: string): FaultKind => ({
  name,
  what: 'redis',
  inject: async ({ withRedis }) => keepDoing(200, () => withRedis((redis) => redis.call('CLIENT', 'KILL', 'TYPE', type)))
})

/** The network between an instance and a store; the other instance has no part in it. */
const byNetwork = (store: 'redis' | 'mongo', name: string, ...set: Parameters<Deployment['network']['a']['redis']['set']>): FaultKind => ({
  name: `${store}: network ${name}`,
  what: 'network',
  async inject ({ network }, inst) {
    const line = network[inst][store]
    line.set(...set)
    return () => { line.set('pass') }
  }
})

export const faultKinds: readonly FaultKind[] = [
  {
    name: 'instance killed',
    what: 'instance',
    async inject ({ instances }, inst) {
      await instances[inst].kill()
      return () => instances[inst].start()
    }
  },
  {
    name: 'instance frozen',
    what: 'instance',
    async inject ({ instances }, inst) {
      instances[inst].freeze()
      return () => { instances[inst].thaw() }
    }
  },
  {
    name: 'both instances killed',
    what: 'instance',
    async inject ({ instances }, inst) {
      await Promise.all([instances[inst].kill(), instances[other(inst)].kill()])
      return async () => { await Promise.all([instances[inst].start(), instances[other(inst)].start()]) }
    }
  },
  {
    name: 'redis: killed, comes back empty',
    what: 'redis',
    losesRedis: true,
    async inject ({ engines }) {
      await engines.redis.kill()
      return () => engines.redis.start()
    }
  },
  {
    name: 'redis: frozen',
    what: 'redis',
    async inject ({ engines }) {
      engines.redis.freeze()
      return () => { engines.redis.thaw() }
    }
  },
  { ...byCommand('redis: flushed', ['FLUSHALL'], ['PING']), losesRedis: true },
  killingClients('redis: connections killed', 'normal'),
  killingClients('redis: subscribers killed', 'pubsub'),
  { name: 'redis: paused', what: 'redis', inject: async ({ withRedis }) => keepDoing(600, () => withRedis((redis) => redis.call('CLIENT', 'PAUSE', '500', 'ALL'))) },
  byCommand('redis: a replica, writes refused', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']),
  byCommand('redis: too few replicas, writes refused', ['CONFIG', 'SET', 'min-replicas-to-write', '1'], ['CONFIG', 'SET', 'min-replicas-to-write', '0']),
  byCommand('redis: out of memory', ['CONFIG', 'SET', 'maxmemory', '1mb'], ['CONFIG', 'SET', 'maxmemory', '0']),
  {
    name: 'mongo: killed',
    what: 'mongo',
    async inject ({ engines }) {
      await engines.mongo.kill()
      return () => engines.mongo.start()
    }
  },
  {
    name: 'mongo: frozen',
    what: 'mongo',
    async inject ({ engines }) {
      engines.mongo.freeze()
      return () => { engines.mongo.thaw() }
    }
  },
  ...(['redis', 'mongo'] as const).flatMap((store) => [
    byNetwork(store, 'late', 'delay', { ms: store === 'redis' ? 100 : 400 }),
    byNetwork(store, 'mute', 'mute'),
    byNetwork(store, 'black hole', 'blackhole'),
    byNetwork(store, 'cut off in the middle', 'cut', { bytes: 700 }),
    byNetwork(store, 'reset', 'reset'),
    byNetwork(store, 'new connections refused', 'refuse')
  ])
]
