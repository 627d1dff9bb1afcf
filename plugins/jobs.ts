// Socket: what runs by the clock. Each job runs on one instance at a time (src/job/lease.ts); guests that only this
// process knows are its own business.
import fp from 'fastify-plugin'
import { AsyncTask, SimpleIntervalJob, ToadScheduler } from 'toad-scheduler'
import { createJobRunner, type Job } from '../src/job/job-runner.ts'
import { createLeases } from '../src/job/lease.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import type { Sweep } from '../src/visit/visit-job.ts'

/** Milliseconds between two looks at whether a job is due: a quarter of its interval, within these bounds. */
const [leastLookMs, mostLookMs] = [250, 15_000]

export default fp<ScopeOptions>(async function jobs (scope, { config, clock, randomBytes }) {
  const db = scope.mongo.db as NonNullable<typeof scope.mongo.db>
  const { meter } = scope
  const run = createJobRunner({ leases: meter.timedStore('mongo', 'leases', createLeases(db)), holder: randomBytes(9).toString('base64url'), clock })
  const scheduler = new ToadScheduler()
  const everyMs = config.visitArchiveIntervalSeconds * 1000
  const isShared = scope.redisPort !== undefined
  const under = new Set<Promise<unknown>>()

  async function sweepVisits (sweep: () => Promise<Sweep>, visitors: string): Promise<void> {
    const { archived, failed } = await sweep()
    meter.jobItems('visit-archive', `${visitors}_archived`, archived)
    meter.jobItems('visit-archive', `${visitors}_failed`, failed)
    if (archived + failed > 0) scope.log.info({ job: 'visit-archive', visitors, archived, failed }, 'visits archived')
  }

  const guests = () => sweepVisits(scope.visitJob.sweepGuests, 'guests')
  const members = () => sweepVisits(scope.visitJob.sweepMembers, 'users')
  const shared = counted({
    name: 'visit-archive',
    everyMs,
    async run () {
      await Promise.all([members(), isShared ? guests() : undefined]) // an outage of Redis stops the one, not the other
    }
  })
  const here = counted({ name: 'visit-archive-here', everyMs, run: guests })

  /** A job whose runs are counted; a look that finds it not due, or somebody else's, is no run. */
  function counted (job: Job): Job {
    return { ...job, ...meter.timed({ run: job.run }, (_method, seconds, outcome) => { meter.jobRan(job.name, seconds, outcome) }) }
  }

  function schedule (name: string, ms: number, work: () => Promise<unknown>): void {
    let isFailing = false // one line when it begins and one when it is over: an outage must not drown the log
    const task = new AsyncTask(name, async () => {
      const running = work()
      under.add(running)
      await running.finally(() => { under.delete(running) })
      if (isFailing) scope.log.info({ job: name }, 'the job works again')
      isFailing = false
    }, (error) => {
      if (!isFailing) scope.log.warn({ err: error, job: name }, 'a job failed; it is tried again')
      isFailing = true
    })
    scheduler.addSimpleIntervalJob(new SimpleIntervalJob({ milliseconds: ms }, task, { id: name, preventOverrun: true }))
  }

  scope.addHook('onReady', async () => {
    schedule(shared.name, Math.min(mostLookMs, Math.max(leastLookMs, everyMs / 4)), () => run(shared))
    if (!isShared) schedule(here.name, everyMs, here.run)
  })
  scope.addHook('onClose', async () => {
    scheduler.stop()
    scope.visitJob.stop()
    await Promise.allSettled(under)
  })
}, { name: 'latchkey-jobs', dependencies: ['latchkey-meter', 'latchkey-mongo', 'latchkey-redis', 'latchkey-visits'] })
