// Socket: what is read when somebody scrapes, out of plain counts that cost their owners nothing else.
import fp from 'fastify-plugin'
import { within } from '../src/clock.ts'
import { sample } from '../src/meter/meter.ts'
import type { ScopeOptions } from '../src/scope-options.ts'

/** Milliseconds that MongoDB is given to answer a ping: with the rest, a scrape stays below a second. */
const pingMs = 300

const loadTiers = ['redis', 'mongo'] as const
const tiers = ['memory', ...loadTiers] as const
const undecided = ['token_invalid', 'token_expired', 'unavailable'] as const

export default fp<ScopeOptions>(async function metrics (scope) {
  const { meter, sessionCheck: { counts, refusals, memoSize }, sessionCache, profiles, redisPort: redis } = scope

  meter.read(() => [
    ...tiers.map((tier) => sample('latchkey_checks_total', { tier, result: 'ok' }, counts[tier])),
    ...loadTiers.map((tier) => sample('latchkey_checks_total', { tier, result: 'session_revoked' }, refusals[tier].session_revoked)),
    ...undecided.map((result) => sample('latchkey_checks_total', { tier: 'none', result }, refusals.none[result])),
    ...loadTiers.map((tier) => sample('latchkey_profile_reads_total', { tier }, profiles.counts[tier])),
    sample('latchkey_memory_entries', { kind: 'sessions' }, sessionCache.size()),
    sample('latchkey_memory_entries', { kind: 'tokens' }, memoSize())
  ])
  if (redis !== undefined) {
    meter.read(() => [
      sample('latchkey_revocation_channel_hearing', {}, scope.channelState() === 'hearing'),
      sample('latchkey_store_connected', { store: 'redis' }, redis.isConnected())
    ])
  }
  meter.read(async () => [sample('latchkey_store_connected', { store: 'mongo' }, await within(pingMs, scope.pingMongo(), () => false))])
}, { name: 'latchkey-metrics', dependencies: ['latchkey-meter', 'latchkey-mongo', 'latchkey-redis', 'latchkey-profiles', 'latchkey-tiers', 'latchkey-tokens'] })
