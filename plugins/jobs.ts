// Socket: the jobs of every mount (MISSION row 15): what only this process knows, and so does for itself: how it reaches the
// stores, whom it has seen, and without Redis how many sessions there are. Those of a part are in sockets of their own.
import fp from 'fastify-plugin'
import { within } from '../src/clock.ts'
import { createRecount } from '../src/job/recount.ts'
import type { ScopeOptions } from '../src/scope-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    sessionCount: SessionCount
  }
}

export interface SessionCount {
  /** Counts the sessions anew, by MongoDB. */
  recount: () => Promise<void>
  /** Whether the counter may lack some: it came back empty, or was never counted to the end. */
  isLost: () => Promise<boolean>
}

/** A session is noted as seen at most once in this time. */
const lastSeenMs = 60_000

/** Milliseconds that the start waits for the first count, and the end for the last notes of who was seen. */
const patienceMs = 1000

export default fp<ScopeOptions>(async function jobs (scope, { config, clock }) {
  const { meter, scheduler, sessions, statistics, log } = scope
  const isShared = scope.redisPort !== undefined
  const recount = createRecount({ sessions, active: statistics.active, clock })

  async function count (): Promise<void> {
    const uncounted = await recount.run()
    meter.jobItems('statistics', 'uncounted', uncounted)
    log.info({ job: 'statistics', uncounted, ...await statistics.read() }, 'sessions counted anew')
  }

  let counting: Promise<void> | undefined
  /** A count that takes longer than the time between two is not made twice side by side. */
  const countAnew = (): Promise<void> => { // who finds one that began before the loss it is to mend finds the set not whole afterwards
    counting ??= count().finally(() => { counting = undefined })
    return counting
  }

  if (!isShared) { // each process has its own
    scheduler.here({ name: 'statistics', everyMs: config.cleanupIntervalSeconds * 1000, run: countAnew })
    scheduler.here({ name: 'first-count', everyMs: config.healthcheckIntervalSeconds * 1000, async run () { if (await recount.isLost()) await countAnew() } })
  }
  scheduler.here({ name: 'store-check', everyMs: config.healthcheckIntervalSeconds * 1000, run: scope.storeStates })
  scheduler.here({ name: 'last-seen', everyMs: lastSeenMs, run: scope.lastSeen.flush })
  scope.decorate('sessionCount', { recount: countAnew, isLost: recount.isLost })

  scope.addHook('onReady', async () => {
    const onFailure = (error: unknown) => { log.warn({ err: error }, 'the sessions could not be counted; it is tried again') }
    if (!isShared) await within(patienceMs, countAnew().catch(onFailure), () => { /* it goes on */ })
  })
  scope.addHook('preClose', (done) => {
    recount.stop()
    done()
  })
  // not in preClose: while that waits, connections are still accepted, and those without a request yet would be reset
  scope.addHook('onClose', async () => {
    await within(patienceMs, scope.lastSeen.flush(), () => 0).catch(() => { /* lists alone read it */ })
  })
}, { name: 'latchkey-jobs', dependencies: ['latchkey-meter', 'latchkey-scheduler', 'latchkey-stores', 'latchkey-redis', 'latchkey-statistics', 'latchkey-tokens'] })
