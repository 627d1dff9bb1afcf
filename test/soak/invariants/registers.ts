// I9, I10: what was written is what is read. One client at a time writes a value, and values are numbered.
import type { Call, Op } from '../history.ts'
import { createVerdict, grouped, isBroken, isMaybe, isOk, told, type Invariant, type Verdict } from './verdict.ts'

interface Register {
  write: Op
  /** The number that a call has read, undefined if it read none. */
  readOf: (call: Call) => number | undefined
  /** Milliseconds for which an older value may be read while nothing is broken. */
  allowedMs: number
}

/** @param register which value. A value whose write had no answer may be read at any time after its begin. */
function judge ({ write, readOf, allowedMs }: Register, { calls, faults }: Parameters<Invariant>[0], faultMs: number): Verdict {
  const { verdict, check, measure } = createVerdict()
  const writes = grouped(calls.filter(({ op }) => op === write), ({ user }) => user)
  for (const call of calls) {
    const value = call.op === write || !isOk(call) ? undefined : readOf(call)
    if (value === undefined) continue
    const own = writes.get(call.user as string) ?? []
    const written = own.find((one) => one.value === value)
    check(value === 0 || (written !== undefined && written.t0 <= call.t1 && (isOk(written) || isMaybe(written))), () => `${value} was never written: ${told(call)}`)
    if (written !== undefined && isMaybe(written)) continue
    for (const later of own.filter((one) => isOk(one) && (one.value as number) > value && one.t1 < call.t0)) {
      const [staleMs, broken] = [call.t0 - later.t1, isBroken(faults, later.t0, later.t1)]
      measure(broken ? 'staleness while something is broken' : 'staleness', staleMs)
      check(staleMs <= (broken ? faultMs : allowedMs), () => `${value} is read ${staleMs.toFixed(0)} ms after ${later.value} was written (${told(later)}): ${told(call)}`)
    }
  }
  return verdict
}

/** I9: no preferences are older than the last that were acknowledged. */
export const preferences: Invariant = (history, { faultMs }) =>
  judge({ write: 'prefs-write', readOf: ({ op, out }) => op === 'prefs-read' || op === 'profile' ? out?.value : undefined, allowedMs: 0 }, history, faultMs)

/** I10: the name is no older than T, in the profile and in the session. */
export const profile: Invariant = (history, { tMs, faultMs }) =>
  judge({ write: 'profile-write', readOf: ({ op, out }) => op === 'profile' || op === 'protected' ? out?.name : undefined, allowedMs: tMs }, history, faultMs)
