// Socket: which jobs there are (MISSION row 15). Those of the whole deployment run on one instance at a time; what only
// this process knows (its guests without Redis, whom it has seen, how it reaches the stores) is its own business.
import fp from 'fastify-plugin'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCleanUp } from '../src/job/clean-up.ts'
import { createRecount } from '../src/job/recount.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import type { Sweep } from '../src/visit/visit-job.ts'

/** A session is noted as seen at most once in this time. */
const lastSeenMs = 60_000

/** Milliseconds that the start waits for the first count, and the end for the last notes of who was seen. */
const patienceMs = 1000

export default fp<ScopeOptions>(async function jobs (scope, { config, clock }) {
  const { scheduler, sessions, statistics, visitJob, log } = scope
  const isShared = scope.redisPort !== undefined
  const recount = createRecount({ sessions, active: statistics.active, clock })
  const cleanUp = createCleanUp({ sessions, sets: [statistics.active, statistics.profiles, statistics.blacklist], clock })
  const visitsEveryMs = config.visitArchiveIntervalSeconds * 1000
  const cleanUpMs = config.cleanupIntervalSeconds * 1000
  const checkMs = config.healthcheckIntervalSeconds * 1000

  async function sweepVisits (sweep: () => Promise<Sweep>, visitors: string): Promise<void> {
    const { archived, failed } = await sweep()
    if (archived + failed > 0) log.info({ job: 'visit-archive', visitors, archived, failed }, 'visits archived')
  }
  const guests = () => sweepVisits(visitJob.sweepGuests, 'guests')
  const members = () => sweepVisits(visitJob.sweepMembers, 'users')

  async function countAnew (): Promise<void> {
    const uncounted = await recount.run()
    log.info({ job: 'statistics', uncounted, ...await statistics.read() }, 'sessions counted anew')
  }

  scheduler.once({
    name: 'visit-archive',
    everyMs: visitsEveryMs,
    async run () {
      await Promise.all([members(), isShared ? guests() : undefined]) // an outage of Redis stops the one, not the other
    }
  })
  if (!isShared) scheduler.here({ name: 'visit-archive-here', everyMs: visitsEveryMs, run: guests })
  scheduler.once({
    name: 'clean-up',
    everyMs: cleanUpMs,
    async run () {
      log.info({ job: 'clean-up', ...await cleanUp.run() }, 'what was over is taken out')
      if (isShared) await countAnew()
    }
  })
  if (isShared) scheduler.once({ name: 'statistics', everyMs: checkMs, async run () { if (await recount.isLost()) await countAnew() } })
  else scheduler.here({ name: 'statistics', everyMs: cleanUpMs, run: countAnew }) // each process has its own
  scheduler.here({ name: 'store-check', everyMs: checkMs, run: scope.storeStates })
  scheduler.here({ name: 'last-seen', everyMs: lastSeenMs, run: scope.lastSeen.flush })

  const patience = () => sleep(patienceMs, undefined, { ref: false })

  scope.addHook('onReady', async () => {
    if (!isShared) await Promise.race([countAnew().catch((error: unknown) => { log.warn({ err: error }, 'the sessions could not be counted') }), patience()])
  })
  scope.addHook('preClose', async () => {
    for (const job of [recount, cleanUp, visitJob]) job.stop()
    await Promise.race([scope.lastSeen.flush().catch(() => { /* lists alone read it */ }), patience()])
  })
}, { name: 'latchkey-jobs', dependencies: ['latchkey-scheduler', 'latchkey-redis', 'latchkey-statistics', 'latchkey-tokens', 'latchkey-visits'] })
