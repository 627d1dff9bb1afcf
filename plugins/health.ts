// Socket: how the service is, for people and for balancers, in a bounded time whatever the stores do: from counters, one
// ping of each store, and what this process knows of itself (MISSION row 14).
import fp from 'fastify-plugin'
import { within } from '../src/clock.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import type { Health } from '../src/schemas/health-shapes.ts'

declare module 'fastify' {
  interface FastifyInstance {
    health: () => Promise<Health>
  }
}

/** Milliseconds that the counters are given. */
const patienceMs = 500

export default fp<ScopeOptions>(async function health (scope, { clock, worker }) {
  const { statistics, sessionCheck: { counts } } = scope
  const begin = clock.mono()

  const cacheNumbers = (): Health['cache'] => {
    const { memory, redis, mongo } = counts
    const all = memory + redis + mongo
    return { memory, redis, mongo, hitRatio: all === 0 ? 0 : Math.round((memory + redis) / all * 10_000) / 10_000 }
  }

  scope.decorate('health', async () => {
    const read = within(patienceMs, statistics.read(), () => undefined).catch(() => undefined)
    const [states, stats] = await Promise.all([scope.storeStates(), read])
    const redis = stats === undefined ? 'disconnected' : states.redis
    return {
      status: redis === 'disconnected' || states.mongo === 'disconnected' ? 'DEGRADED' : 'OK',
      redis,
      mongo: states.mongo,
      sessionStats: stats ?? statistics.last(),
      cache: cacheNumbers(),
      uptime: Math.floor((clock.mono() - begin) / 1000),
      ...(worker && { worker: worker.number })
    }
  })
}, { name: 'latchkey-health', dependencies: ['latchkey-stores', 'latchkey-statistics', 'latchkey-tokens'] })
