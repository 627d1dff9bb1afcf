// Socket: the copies of profiles in Redis.
import fp from 'fastify-plugin'
import { createBreaker } from '../src/cache/breaker.ts'
import { createRedisTier } from '../src/cache/shared-tier.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createProfileCache, type ProfileCache } from '../src/user/profile-cache.ts'

declare module 'fastify' {
  interface FastifyInstance {
    profiles: ProfileCache
  }
}

/** Milliseconds between two tries to tell Redis of changes that it could not be told of. */
const replayMs = 1000

/** A tombstone outlives every reading that began before the change; none takes half as long (DESIGN 8). */
const tombstoneMs = 10_000

export default fp<ScopeOptions>(async function profiles (scope, { config, clock }) {
  const redis = scope.redisPort
  const distrust = () => { cache.distrust() }
  const shared = redis && {
    tier: scope.meter.timedStore('redis', 'profile_copies', createRedisTier({
      client: redis.client,
      prefix: `${config.redisKeyPrefix}user:profile:`,
      channel: `${config.redisKeyPrefix}revoked`, // a Redis that refuses to write still tells the other instances
      tombstoneMs
    })),
    breaker: scope.meter.breaker('profiles', createBreaker({ clock, onClose: distrust }))
  }
  const cache: ProfileCache = createProfileCache({
    users: scope.users,
    view: scope.userView,
    clock,
    ttlMs: config.profileTtlSeconds * 1000,
    counted: scope.statistics.profiles,
    onRead: (tier) => { scope.log.debug({ tier }, 'profile read') },
    onUnsent: () => { scope.log.debug('the change of a profile did not reach Redis; it is told again') },
    ...(shared && { shared })
  })
  redis?.onReturn(distrust)
  const replays = setInterval(() => { void cache.replay() }, replayMs).unref()
  scope.addHook('onClose', async () => { clearInterval(replays) })
  scope.decorate('profiles', cache)
}, { name: 'latchkey-profiles', dependencies: ['latchkey-public-user', 'latchkey-meter', 'latchkey-redis', 'latchkey-stores', 'latchkey-statistics'] })
