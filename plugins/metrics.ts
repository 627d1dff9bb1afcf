// Socket: what is read when somebody scrapes, out of plain counts that cost their owners nothing else.
import fp from 'fastify-plugin'
import { within } from '../src/clock.ts'
import { sample, type Sample } from '../src/meter/meter.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import type { Refusals } from '../src/token/session-check.ts'

/** Milliseconds that MongoDB is given to answer a ping: with the rest, a scrape stays below a second. */
const pingMs = 300

export default fp<ScopeOptions>(async function metrics (scope) {
  const { meter, sessionCheck, sessionCache, profiles, redisPort: redis } = scope

  meter.read(() => [
    ...Object.entries(sessionCheck.counts).map(([tier, count]) => sample('latchkey_checks_total', { tier: tier as 'memory', result: 'ok' }, count)),
    ...refused(sessionCheck.refusals),
    ...Object.entries(profiles.counts).map(([tier, count]) => sample('latchkey_profile_reads_total', { tier: tier as 'redis' }, count)),
    sample('latchkey_memory_entries', { kind: 'sessions' }, sessionCache.size()),
    sample('latchkey_memory_entries', { kind: 'tokens' }, sessionCheck.memoSize()),
    ...(redis === undefined
      ? []
      : [
          sample('latchkey_revocation_channel_hearing', {}, scope.channelState() === 'hearing'),
          sample('latchkey_store_connected', { store: 'redis' }, redis.isConnected())
        ])
  ])
  meter.read(async () => [sample('latchkey_store_connected', { store: 'mongo' }, await within(pingMs, scope.pingMongo(), () => false))])
}, { name: 'latchkey-metrics', dependencies: ['latchkey-meter', 'latchkey-mongo', 'latchkey-redis', 'latchkey-profiles', 'latchkey-tiers', 'latchkey-tokens'] })

function refused (refusals: Refusals): Sample[] {
  return Object.entries(refusals).flatMap(([tier, results]: [string, Record<string, number>]) =>
    Object.entries(results).map(([result, count]) => sample('latchkey_checks_total', { tier: tier as 'none', result: result as 'unavailable' }, count)))
}
