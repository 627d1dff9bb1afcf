// Room `job`: one try to run a job: take the lease, run, and leave the lease standing until the next run is due; a run that
// failed is anybody's again after the length of a lease.
import type { Clock } from '../clock.ts'
import type { Leases } from './lease.ts'

export interface Job {
  readonly name: string
  /** Milliseconds from one run to the next. */
  readonly everyMs: number
  readonly run: () => Promise<unknown>
}

export interface JobRunnerOptions {
  leases: Leases
  /** Names this instance. */
  holder: string
  clock: Clock
}

/** Milliseconds after which the job of a holder that died is somebody else's. */
export const leaseMs = 30_000

/** @returns a function that runs the job if it is due and nobody else runs it, and says whether it did */
export function createJobRunner ({ leases, holder, clock }: JobRunnerOptions): (job: Job) => Promise<boolean> {
  return async ({ name, everyMs, run }) => {
    if (!await leases.take(name, holder, leaseMs)) return false
    const begin = clock.mono()
    let restMs = leaseMs
    const renewal = setInterval(() => { leases.hold(name, holder, leaseMs).catch(() => { /* the next one may */ }) }, leaseMs / 3)
    try {
      await run()
      restMs = everyMs - (clock.mono() - begin)
    } finally {
      clearInterval(renewal)
      await leases.hold(name, holder, Math.max(0, Math.min(everyMs, restMs)))
    }
    return true
  }
}
