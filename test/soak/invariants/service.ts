// I16, I18: the service as a whole: every answer comes in time, nothing piles up, and it knows how many live.
import type { Call, Fault, Op } from '../history.ts'
import { createVerdict, told, type Invariant } from './verdict.ts'

/** Milliseconds after everybody is well again from which answers must be as quick as before. */
const recoveredMs = 2000

/** A percentile below this many milliseconds is quick on any machine that others work on, too. */
const quickMs = 500

/** Calls that wait for their turn to hash a password. */
const hashing = new Set<Op>(['login', 'register', 'guess', 'password'])

const mostDescriptors = 64
const mostMb = 300

/** Milliseconds that a share of the calls does not exceed, 0 of none. */
function percentile (calls: readonly Call[], share: number): number {
  const taken = calls.map(({ t0, t1 }) => t1 - t0).sort((one, other) => one - other)
  return taken[Math.floor(taken.length * share)] ?? 0
}

/** Whether the process that was called could not answer. */
const isAway = (faults: readonly Fault[], { t0, t1, inst }: Call): boolean =>
  faults.some((fault) => fault.what === 'instance' && (fault.inst === inst || fault.name.startsWith('both')) && fault.t0 <= t1 && fault.t1 >= t0)

/** I16 */
export const boundedness: Invariant = ({ calls, faults, samples }, { callMs, hashMs }) => {
  const { verdict, check, measure } = createVerdict()
  for (const call of calls) {
    check(call.status < 500 || call.status === 503, () => `neither an answer nor put off: ${told(call)}`)
    if (isAway(faults, call)) continue
    const hashes = hashing.has(call.op)
    measure(hashes ? 'longest call that hashes' : 'longest call', call.t1 - call.t0)
    check(call.t1 - call.t0 <= (hashes ? hashMs : callMs), () => `${(call.t1 - call.t0).toFixed(0)} ms: ${told(call)}`)
  }
  const checks = calls.filter(({ op }) => op === 'protected' || op === 'profile')
  const firstFault = Math.min(Infinity, ...faults.map(({ t0 }) => t0))
  const before = percentile(checks.filter(({ t1 }) => t1 < firstFault), 0.99)
  const after = percentile(checks.filter(({ t0, t1 }) => t0 > firstFault && !faults.some((fault) => fault.t0 <= t1 && fault.t1 + recoveredMs >= t0)), 0.99)
  measure('99th percentile of checks before the first fault', before)
  measure('99th percentile of checks between faults', after)
  check(after <= Math.max(2 * before, quickMs), () => `the 99th percentile was ${before.toFixed(0)} ms and is ${after.toFixed(0)} ms after recovery`)
  for (const { inst, descriptors, rssMb } of samples.filter(({ phase }) => phase === 'end')) {
    const begin = samples.find((sample) => sample.phase === 'begin' && sample.inst === inst)
    if (begin === undefined) continue
    check(descriptors <= begin.descriptors + mostDescriptors, () => `instance ${inst} had ${begin.descriptors} descriptors and has ${descriptors}`)
    check(rssMb <= begin.rssMb + mostMb, () => `instance ${inst} took ${begin.rssMb} MB and takes ${rssMb}`)
  }
  return verdict
}

/** I18 */
export const counters: Invariant = ({ census }) => {
  const { verdict, check } = createVerdict()
  if (census !== undefined) {
    const { told, least, most } = census.stats
    check(told >= least && told <= most, () => `${told} active sessions are told of, and ${least === most ? least : `${least} to ${most}`} live`)
  }
  return verdict
}
