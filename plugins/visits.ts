// Socket: visits. Guests' live in Redis, or in this process without one; users' in MongoDB.
import fp from 'fastify-plugin'
import { createBreaker } from '../src/cache/breaker.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import type { GuestStore } from '../src/visit/guest-store.ts'
import { createGuardedGuestStore } from '../src/visit/guarded-guest-store.ts'
import { createGuestVisits, type GuestVisits } from '../src/visit/guest-visits.ts'
import { createLocalGuestStore } from '../src/visit/local-guest-store.ts'
import { createMemberVisits, type MemberVisits } from '../src/visit/member-visits.ts'
import { createMembership, type Membership } from '../src/visit/membership.ts'
import { RedisSessionStore } from '../src/visit/redis-session-store.ts'
import { createRedisGuestStore } from '../src/visit/redis-guest-store.ts'
import { createRunningVisits } from '../src/visit/running-visits.ts'
import { tellingGuestVisits, tellingMemberVisits, tellingRunningVisits, type VisitListener } from '../src/visit/telling-visits.ts'
import { createVisitArchive } from '../src/visit/visit-archive.ts'
import { createVisitHandover } from '../src/visit/visit-handover.ts'
import { createVisitJob, type VisitJob } from '../src/visit/visit-job.ts'
import { createVisitNotes } from '../src/visit/visit-notes.ts'

declare module 'fastify' {
  interface FastifyInstance {
    guestVisits: GuestVisits
    memberVisits: MemberVisits
    /** Undefined where the part `visits` is not mounted. */
    membership: Membership | undefined
    visitJob: VisitJob
    /** The store under @fastify/session. */
    visitSessionStore: RedisSessionStore
  }
}

export default fp<ScopeOptions>(async function visits (scope, { config, clock, randomBytes }) {
  const { meter, redisPort: redis, sessions, visitRepository, visitLog: log } = scope
  const limits = { idleMs: config.visitIdleSeconds * 1000, mostEntries: config.visitEntries }
  const store = redis === undefined
    ? createLocalGuestStore({ now: clock.wall, ...limits })
    : createGuardedGuestStore(timedGuests(createRedisGuestStore({ client: redis.client, prefix: `${config.redisKeyPrefix}visit:`, ...limits })), meter.breaker('guest_visits', createBreaker({ clock })))
  const archive = createVisitArchive({ visits: visitRepository, log, guests: store, clock, idleMs: limits.idleMs })
  const known = telling(tellingRunningVisits, createRunningVisits({ visits: visitRepository, log, archive, sessions, clock, randomBytes, ...limits }))
  const notes = createVisitNotes({ log, archive, known, mostEntries: config.visitEntries })
  const guests = telling(tellingGuestVisits, createGuestVisits({ store, archive, clock, randomBytes, admit: scope.loginLimits.reserveVisit }))
  const handover = createVisitHandover({ visits: visitRepository, archive, known, sessions, clock, idleMs: limits.idleMs })
  const members = telling(tellingMemberVisits, createMemberVisits({ visits: visitRepository, log, archive, known, notes, clock, randomBytes, idleMs: limits.idleMs }))
  const onFailure = (error: unknown) => {
    meter.add('latchkey_visit_failures_total', {})
    scope.log.warn({ err: error }, 'a visit could not be carried over or archived; the job tries again')
  }
  const job = createVisitJob({ store, visits: visitRepository, archive, known, clock, idleMs: limits.idleMs, onFailure })

  scope.decorate('guestVisits', guests)
  scope.decorate('memberVisits', members)
  scope.decorate('membership', createMembership({ guests, handover, store, clock, randomBytes, onFailure }))
  scope.decorate('visitJob', job)
  scope.decorate('visitSessionStore', new RedisSessionStore(store.records))
  // guests that only this process knows would be gone with it
  if (redis === undefined) scope.addHook('onClose', async () => { await job.sweepGuests(Infinity) })

  function telling<T> (wrap: (target: T, listener: VisitListener) => T, target: T): T {
    return meter.isOn
      ? wrap(target, {
        onBegin: (visitor) => { meter.add('latchkey_visits_begun_total', { visitor }) },
        onEntry: (visitor, kind) => { meter.add('latchkey_visit_entries_total', { visitor, kind }) }
      })
      : target
  }

  function timedGuests (store: GuestStore): GuestStore {
    const timed = meter.timedStore('redis', 'guest_visits', store)
    return { ...timed, records: meter.timedStore('redis', 'guest_records', timed.records) }
  }
}, { name: 'latchkey-visits', dependencies: ['latchkey-meter', 'latchkey-redis', 'latchkey-stores', 'latchkey-limits'] })
