// Socket: the clock of the jobs. What is scheduled runs from the start on, never beside itself, and has come to its end
// before the service is closed.
import fp from 'fastify-plugin'
import { AsyncTask, SimpleIntervalJob, ToadScheduler } from 'toad-scheduler'
import { createJobRunner, type Job } from '../src/job/job-runner.ts'
import { createLeases } from '../src/job/lease.ts'
import type { ScopeOptions } from '../src/scope-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    scheduler: Scheduler
  }
}

export interface Scheduler {
  /** A job of the whole deployment: it runs on one instance at a time (src/job/lease.ts). */
  once: (job: Job) => void
  /** A job of this instance. */
  here: (job: Job) => void
}

/** Milliseconds between two looks at whether a shared job is due: a quarter of its interval, within these bounds. */
const [leastLookMs, mostLookMs] = [250, 5000]

export default fp<ScopeOptions>(async function scheduler (scope, { clock, randomBytes }) {
  const { meter } = scope
  const db = scope.mongo.db as NonNullable<typeof scope.mongo.db>
  const runOnce = createJobRunner({ leases: meter.timedStore('mongo', 'leases', createLeases(db)), holder: randomBytes(9).toString('base64url'), clock })
  const toad = new ToadScheduler()
  const under = new Set<Promise<unknown>>()

  function schedule (name: string, ms: number, work: () => Promise<unknown>): void {
    let isFailing = false // one line when it begins and one when it is over: an outage must not drown the log
    const task = new AsyncTask(name, async () => {
      const running = work()
      under.add(running)
      const outcome = await running.finally(() => { under.delete(running) })
      if (outcome === false) return // not due, or somebody else's: that says nothing of the job
      if (isFailing) scope.log.info({ job: name }, 'the job works again')
      isFailing = false
    }, (error) => {
      if (!isFailing) scope.log.warn({ err: error, job: name }, 'a job failed; it is tried again')
      isFailing = true
    })
    toad.addSimpleIntervalJob(new SimpleIntervalJob({ milliseconds: ms }, task, { id: name, preventOverrun: true }))
  }

  /** A job whose runs are counted; a look that finds it not due, or somebody else's, is no run. */
  const counted = (job: Job): Job => ({ ...job, ...meter.timed({ run: job.run }, (_method, seconds, outcome) => { meter.jobRan(job.name, seconds, outcome) }) })

  const begin: (() => void)[] = []
  scope.decorate('scheduler', {
    once (job) {
      const { name, everyMs } = job
      begin.push(() => { schedule(name, Math.min(mostLookMs, Math.max(leastLookMs, everyMs / 4)), () => runOnce(counted(job))) })
    },
    here (job) { begin.push(() => { schedule(job.name, job.everyMs, counted(job).run) }) }
  })
  scope.addHook('onReady', async () => { for (const one of begin) one() })
  scope.addHook('onClose', async () => {
    toad.stop()
    await Promise.allSettled(under)
  })
}, { name: 'latchkey-scheduler', dependencies: ['latchkey-meter', 'latchkey-mongo'] })
