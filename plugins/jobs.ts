// Socket: which jobs there are (MISSION row 15). Those of the whole deployment run on one instance at a time; what only
// this process knows (its guests without Redis, whom it has seen, how it reaches the stores) is its own business.
import fp from 'fastify-plugin'
import { within } from '../src/clock.ts'
import { createCleanUp } from '../src/job/clean-up.ts'
import { createRecount } from '../src/job/recount.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createAvatarSweep } from '../src/user/avatar-sweep.ts'
import type { Sweep } from '../src/visit/visit-job.ts'

/** A session is noted as seen at most once in this time. */
const lastSeenMs = 60_000

/** Milliseconds that the start waits for the first count, and the end for the last notes of who was seen. */
const patienceMs = 1000

export default fp<ScopeOptions>(async function jobs (scope, { config, clock }) {
  const { meter, scheduler, sessions, statistics, visitJob, log } = scope
  const isShared = scope.redisPort !== undefined
  const recount = createRecount({ sessions, active: statistics.active, clock })
  const pictures = createAvatarSweep({ avatars: scope.avatarRepository, users: scope.users, clock })
  const cleanUp = createCleanUp({
    sessions,
    avatars: async (isStopped) => scope.areIndexesReady() ? await pictures.run({ isStopped }) : 0,
    sets: [statistics.active, statistics.profiles, statistics.blacklist],
    clock,
    onSlow (batch) { log.info({ job: 'clean-up', ...batch }, 'a batch took long, the next one is smaller') }
  })
  const visitsEveryMs = config.visitArchiveIntervalSeconds * 1000
  const cleanUpMs = config.cleanupIntervalSeconds * 1000
  const checkMs = config.healthcheckIntervalSeconds * 1000

  async function sweepVisits (sweep: () => Promise<Sweep>, visitors: string): Promise<void> {
    const { archived, failed } = await sweep()
    meter.jobItems('visit-archive', `${visitors}_archived`, archived)
    meter.jobItems('visit-archive', `${visitors}_failed`, failed)
    if (archived + failed > 0) log.info({ job: 'visit-archive', visitors, archived, failed }, 'visits archived')
  }
  const guests = () => sweepVisits(visitJob.sweepGuests, 'guests')
  const members = () => sweepVisits(visitJob.sweepMembers, 'users')

  async function countAnew (): Promise<void> {
    const uncounted = await recount.run()
    meter.jobItems('statistics', 'uncounted', uncounted)
    log.info({ job: 'statistics', uncounted, ...await statistics.read() }, 'sessions counted anew')
  }

  async function takeOut (): Promise<void> {
    const { longestBatchMs, ...counts } = await cleanUp.run()
    for (const [kind, count] of Object.entries(counts)) meter.jobItems('clean-up', kind, count)
    log.info({ job: 'clean-up', ...counts, longestBatchMs }, 'what was over is taken out')
    if (isShared) await countAnew()
  }

  scheduler.once({
    name: 'visit-archive',
    everyMs: visitsEveryMs,
    async run () {
      // an outage of one store stops the one, not the other, and the run is over when both are
      const ends = await Promise.allSettled([members(), isShared ? guests() : undefined])
      for (const end of ends) if (end.status === 'rejected') throw end.reason
    }
  })
  if (!isShared) scheduler.here({ name: 'visit-archive-here', everyMs: visitsEveryMs, run: guests })
  scheduler.once({ name: 'clean-up', everyMs: cleanUpMs, run: takeOut })
  if (isShared) scheduler.once({ name: 'statistics', everyMs: checkMs, async run () { if (await recount.isLost()) await countAnew() } })
  else scheduler.here({ name: 'statistics', everyMs: cleanUpMs, run: countAnew }) // each process has its own
  scheduler.here({ name: 'store-check', everyMs: checkMs, run: scope.storeStates })
  scheduler.here({ name: 'last-seen', everyMs: lastSeenMs, run: scope.lastSeen.flush })

  scope.addHook('onReady', async () => {
    const onFailure = (error: unknown) => { log.warn({ err: error }, 'the sessions could not be counted') }
    if (!isShared) await within(patienceMs, countAnew().catch(onFailure), () => { /* it goes on */ })
  })
  scope.addHook('preClose', (done) => {
    for (const job of [recount, cleanUp, visitJob]) job.stop()
    done()
  })
  // not in preClose: while that waits, connections are still accepted, and those without a request yet would be reset
  scope.addHook('onClose', async () => {
    await within(patienceMs, scope.lastSeen.flush(), () => 0).catch(() => { /* lists alone read it */ })
  })
}, { name: 'latchkey-jobs', dependencies: ['latchkey-meter', 'latchkey-scheduler', 'latchkey-stores', 'latchkey-redis', 'latchkey-statistics', 'latchkey-tokens', 'latchkey-visits'] })
