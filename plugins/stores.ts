// Socket: the repositories on MongoDB or the embedded store, and the counters of attempts. The unique indexes are made
// in the background until they stand; before that nobody may register (DESIGN 2).
import fp from 'fastify-plugin'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBreaker } from '../src/cache/breaker.ts'
import { createFallbackCounter, createLocalCounter, createRedisCounter, type LimitCounter } from '../src/limit/limit-counter.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createSessionRepository, type SessionRepository } from '../src/session/session-repository.ts'
import { tellingRevocations } from '../src/session/telling-revocations.ts'
import { createAvatarRepository, type AvatarRepository } from '../src/user/avatar-repository.ts'
import { createUserRepository, type UserRepository } from '../src/user/user-repository.ts'
import { createVisitLog, type VisitLog } from '../src/visit/visit-log.ts'
import { createVisitRepository, type VisitRepository } from '../src/visit/visit-repository.ts'

declare module 'fastify' {
  interface FastifyInstance {
    users: UserRepository
    sessions: SessionRepository
    avatarRepository: AvatarRepository
    visitRepository: VisitRepository
    visitLog: VisitLog
    limitCounter: LimitCounter
    /** Whether the indexes stand. */
    areIndexesReady: () => boolean
    /** How the stores are, within a second. */
    storeStates: () => Promise<StoreStates>
  }
}

export interface StoreStates {
  mongo: 'connected' | 'disconnected' | 'embedded'
  redis: 'connected' | 'disconnected' | 'embedded'
}

/** The start waits this long for a first try, so that a service whose store is up is whole when it says it listens. */
const firstTryMs = 1500
const pauseMs = 1000

export default fp<ScopeOptions>(async function stores (scope, { config, clock, randomBytes, parts }) {
  const db = scope.mongo.db as NonNullable<typeof scope.mongo.db>
  const { meter } = scope
  const users = meter.timedStore('mongo', 'users', createUserRepository(db))
  const stored = meter.timedStore('mongo', 'sessions', createSessionRepository(db))
  const sessions = meter.isOn ? tellingRevocations(stored, (reason, count) => { meter.add('latchkey_revocations_total', { reason }, count) }) : stored
  const avatarRepository = meter.timedStore('mongo', 'avatars', createAvatarRepository(db))
  const visitRepository = meter.timedStore('mongo', 'visits', createVisitRepository(db))
  const visitLog = meter.timedStore('mongo', 'visit_log', createVisitLog(db, config.visitEntries))
  const local = createLocalCounter(clock)
  const redis = scope.redisPort
  // those that a part lists or searches by; the guard reads by id alone, and needs no right to make an index
  const indexed = [...(parts.has('auth') ? [users, sessions, avatarRepository] : []), ...(parts.has('visits') ? [visitRepository] : [])]
  const indexes = { ready: false, givenUp: false, returns: 0 }

  async function ensureIndexes (): Promise<void> {
    while (!indexes.ready && !indexes.givenUp) {
      const { returns } = indexes
      try {
        for (const repository of indexed) await repository.ensureIndexes()
        indexes.ready = returns === indexes.returns
      } catch (error) {
        scope.log.warn({ err: error }, 'the indexes could not be made yet')
        await sleep(pauseMs, undefined, { ref: false })
      }
    }
  }

  scope.decorate('users', users)
  scope.decorate('sessions', sessions)
  scope.decorate('avatarRepository', avatarRepository)
  scope.decorate('visitRepository', visitRepository)
  scope.decorate('visitLog', visitLog)
  scope.decorate('limitCounter', redis === undefined
    ? local
    : createFallbackCounter(
      meter.timedStore('redis', 'limits', createRedisCounter({ client: redis.client, prefix: `${config.redisKeyPrefix}limit:`, clock, randomBytes })),
      local,
      meter.breaker('limits', createBreaker({ clock }))
    ))
  scope.decorate('areIndexesReady', () => indexes.ready)
  scope.decorate('storeStates', async () => {
    const [mongoAnswers, redisAnswers] = await Promise.all([scope.pingMongo(), redis?.ping()])
    return {
      mongo: !mongoAnswers ? 'disconnected' : config.store.kind === 'embedded' ? 'embedded' : 'connected',
      redis: redisAnswers === undefined ? 'embedded' : redisAnswers ? 'connected' : 'disconnected'
    }
  })
  scope.addHook('onClose', async () => { indexes.givenUp = true })
  // a store that was emptied or put in its place while it was away has none of them: one address would have many accounts
  scope.onMongoReturn(() => {
    indexes.returns++
    if (!indexes.ready) return // they are being made, and will be looked at once more
    indexes.ready = false
    void ensureIndexes()
  })
  await Promise.race([ensureIndexes(), sleep(firstTryMs, undefined, { ref: false })])
}, { name: 'latchkey-stores', dependencies: ['latchkey-meter', 'latchkey-mongo', 'latchkey-redis'] })
