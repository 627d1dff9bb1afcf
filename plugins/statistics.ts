// Socket: how many sessions and copies there are, for the health answer.
import fp from 'fastify-plugin'
import { createLocalEndingSet, createRedisEndingSet } from '../src/cache/ending-set.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createStatistics, type Statistics } from '../src/session/statistics.ts'

declare module 'fastify' {
  interface FastifyInstance {
    statistics: Statistics
  }
}

/** Milliseconds between two tries to make the changes that Redis did not take. */
const replayMs = 1000

export default fp<ScopeOptions>(async function counters (scope, { config, clock, randomBytes }) {
  const redis = scope.redisPort
  const setOf = (name: string) => redis === undefined ? createLocalEndingSet() : createRedisEndingSet(redis.client, `${config.redisKeyPrefix}${name}`, randomBytes)
  const sets = { active: setOf('active'), profiles: setOf('profiles'), blacklist: setOf('blacklist') }
  const replays = setInterval(() => { for (const set of Object.values(sets)) void set.replay() }, replayMs).unref()
  scope.addHook('onClose', async () => { clearInterval(replays) })
  const statistics = createStatistics({ ...sets, clock, tokensMs: config.accessTokenSeconds * 1000 })
  scope.meter.statistics(statistics.read)
  scope.decorate('statistics', statistics)
}, { name: 'latchkey-statistics', dependencies: ['latchkey-meter', 'latchkey-redis'] })
