// Socket: the jobs of accounts and their sessions (MISSION row 15). They are the whole deployment's: they run on one instance
// at a time.
import fp from 'fastify-plugin'
import { createCleanUp } from '../src/job/clean-up.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createAvatarSweep } from '../src/user/avatar-sweep.ts'

export default fp<ScopeOptions>(async function accountJobs (scope, { config, clock }) {
  const { meter, scheduler, sessions, statistics, sessionCount, log } = scope
  const isShared = scope.redisPort !== undefined
  const pictures = createAvatarSweep({ avatars: scope.avatarRepository, users: scope.users, clock })
  const cleanUp = createCleanUp({
    sessions,
    avatars: async (isStopped) => scope.areIndexesReady() ? await pictures.run({ isStopped }) : 0,
    sets: [statistics.active, statistics.profiles, statistics.blacklist],
    clock,
    onSlow (batch) { log.info({ job: 'clean-up', ...batch }, 'a batch took long, the next one is smaller') }
  })

  async function takeOut (): Promise<void> {
    const { longestBatchMs, ...counts } = await cleanUp.run()
    for (const [kind, count] of Object.entries(counts)) meter.jobItems('clean-up', kind, count)
    log.info({ job: 'clean-up', ...counts, longestBatchMs }, 'what was over is taken out')
    if (isShared) await sessionCount.recount()
  }

  scheduler.once({ name: 'clean-up', everyMs: config.cleanupIntervalSeconds * 1000, run: takeOut })
  if (isShared) {
    scheduler.once({
      name: 'statistics',
      everyMs: config.healthcheckIntervalSeconds * 1000,
      async run () { if (await sessionCount.isLost()) await sessionCount.recount() }
    })
  }

  scope.addHook('preClose', (done) => {
    cleanUp.stop()
    done()
  })
}, { name: 'latchkey-account-jobs', dependencies: ['latchkey-meter', 'latchkey-scheduler', 'latchkey-stores', 'latchkey-redis', 'latchkey-statistics', 'latchkey-jobs'] })
