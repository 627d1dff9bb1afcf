// Socket: the jobs of visits (MISSION row 15): those that are over are archived. That of the whole deployment runs on one
// instance at a time; guests whom only this process knows, without Redis, are its own business.
import fp from 'fastify-plugin'
import type { ScopeOptions } from '../src/scope-options.ts'
import type { Sweep } from '../src/visit/visit-job.ts'

export default fp<ScopeOptions>(async function visitJobs (scope, { config }) {
  const { meter, scheduler, visitJob, log } = scope
  const isShared = scope.redisPort !== undefined
  const everyMs = config.visitArchiveIntervalSeconds * 1000

  async function sweepVisits (sweep: () => Promise<Sweep>, visitors: string): Promise<void> {
    const { archived, failed } = await sweep()
    meter.jobItems('visit-archive', `${visitors}_archived`, archived)
    meter.jobItems('visit-archive', `${visitors}_failed`, failed)
    if (archived + failed > 0) log.info({ job: 'visit-archive', visitors, archived, failed }, 'visits archived')
  }
  const guests = () => sweepVisits(visitJob.sweepGuests, 'guests')
  const members = () => sweepVisits(visitJob.sweepMembers, 'users')

  scheduler.once({
    name: 'visit-archive',
    everyMs,
    async run () {
      // an outage of one store stops the one, not the other, and the run is over when both are
      const ends = await Promise.allSettled([members(), isShared ? guests() : undefined])
      for (const end of ends) if (end.status === 'rejected') throw end.reason
    }
  })
  if (!isShared) scheduler.here({ name: 'visit-archive-here', everyMs, run: guests })

  scope.addHook('preClose', (done) => {
    visitJob.stop()
    done()
  })
}, { name: 'latchkey-visit-jobs', dependencies: ['latchkey-meter', 'latchkey-scheduler', 'latchkey-redis', 'latchkey-visits'] })
