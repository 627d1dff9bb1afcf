// Socket: the tiers of session copies and the channel of revocations. Without Redis there is no middle tier and nobody
// to hear from: the embedded store has one process and needs neither, while a MongoDB may serve other instances, so
// there a copy in memory answers for a second only.
import fp from 'fastify-plugin'
import { createBreaker } from '../src/cache/breaker.ts'
import { createRevocationChannel, deafAfterMs } from '../src/cache/revocation-channel.ts'
import { createRedisTier } from '../src/cache/shared-tier.ts'
import { createTieredCache, type TieredCache } from '../src/cache/tiered-cache.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { decodeSessionCopy, loadSessionCopy, type SessionCopy } from '../src/token/session-copy.ts'

declare module 'fastify' {
  interface FastifyInstance {
    sessionCache: TieredCache<SessionCopy>
    /** Whether revocations of other instances are heard; `none` where there is nobody to hear from. */
    channelState: () => 'hearing' | 'deaf' | 'none'
  }
}

/** Milliseconds between two lines about revocations that Redis does not take. */
const quietMs = 60_000

/** A tombstone outlives every access token of its session by this long. */
const tombstoneMarginMs = 60_000

export default fp<ScopeOptions>(async function tiers (scope, { config, clock, randomBytes }) {
  const { meter, redisPort: redis, userView: view } = scope
  const channelName = `${config.redisKeyPrefix}revoked`
  const named = (store: string, onClose?: () => void) => ({
    clock,
    onOpen: () => { scope.log.error(`${store} is passed by: it failed several times in a row`) },
    onClose: () => {
      scope.log.info(`${store} is asked again`)
      onClose?.()
    }
  })

  let quietUntil = -Infinity

  /** Redis is back: copies from before may be of sessions that were revoked meanwhile, here or elsewhere. */
  const regain = () => {
    cache.distrustShared()
    void cache.replay()
  }
  const channel = redis && createRevocationChannel({
    subscriberFor: redis.subscriberFor,
    publisher: redis.client,
    channel: channelName,
    beatChannel: `${config.redisKeyPrefix}beat:${randomBytes(9).toString('base64url')}`,
    clock,
    onForget: (key) => {
      meter.add('latchkey_revocation_messages_total', {})
      if (cache.forget(key)) meter.add('latchkey_revocations_heard_total', {})
      scope.profiles.forget(key)
    },
    onBeat: (lagMs) => {
      meter.observe('latchkey_revocation_lag_seconds', {}, lagMs / 1000)
      void cache.replay() // a Redis that refuses to write says nothing when it takes writes again
    },
    onSubscribe: () => { cache.forgetAll() }
  })
  const shared = redis && {
    tier: meter.timedStore('redis', 'session_copies', createRedisTier({
      client: redis.client,
      prefix: `${config.redisKeyPrefix}session:`,
      channel: channelName,
      tombstoneMs: config.accessTokenSeconds * 1000 + tombstoneMarginMs
    })),
    breaker: meter.breaker('sessions_redis', createBreaker(named('Redis', regain)))
  }
  const cache: TieredCache<SessionCopy> = createTieredCache<SessionCopy>({
    clock,
    random: Math.random, // spreads the ends of copies and keeps no secret; the kernel's costs 4 us
    capacity: config.memoryTierEntries,
    ttlMs: config.verdictTtlSeconds * 1000,
    hearing: channel?.hearing ?? { lastBeat: config.store.kind === 'embedded' ? Infinity : -Infinity },
    load: loadSessionCopy({ sessions: scope.sessions, view, clock }),
    codec: { encode: JSON.stringify, decode: (text) => decodeSessionCopy(text, view) },
    ...(shared && { shared }),
    breaker: meter.breaker('sessions_mongo', createBreaker(named('MongoDB'))),
    onUnsent: () => {
      meter.add('latchkey_revocations_unsent_total', {})
      if (clock.mono() < quietUntil) return
      scope.log.warn('revocations do not reach Redis; they are sent again when it takes them')
      quietUntil = clock.mono() + quietMs
    }
  })

  redis?.onReturn(regain)
  scope.addHook('onReady', async () => { channel?.open() })
  scope.addHook('onClose', async () => { channel?.close() })
  scope.decorate('sessionCache', cache)
  scope.decorate('channelState', () => {
    if (channel === undefined) return 'none'
    return clock.mono() - channel.hearing.lastBeat > deafAfterMs ? 'deaf' : 'hearing'
  })
}, { name: 'latchkey-tiers', dependencies: ['latchkey-public-user', 'latchkey-meter', 'latchkey-redis', 'latchkey-stores', 'latchkey-profiles'] })
