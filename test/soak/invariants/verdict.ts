// What the invariants have in common: each looks at a history and says how often it looked and what it found.
import { isMaybe, isOk, type Call, type Fault, type History, type Op } from '../history.ts'
import type { Rules } from '../rules.ts'

export interface Verdict {
  checks: number
  violations: string[]
  /** Largest values seen, by name, milliseconds. */
  measured?: Record<string, number>
}

export type Invariant = (history: History, rules: Rules) => Verdict

/** Collects what an invariant finds. */
export function createVerdict () {
  const verdict: Required<Verdict> = { checks: 0, violations: [], measured: {} }
  return {
    verdict,
    check (holds: boolean, told: () => string) {
      verdict.checks++
      if (!holds) verdict.violations.push(told())
    },
    measure (name: string, value: number) { verdict.measured[name] = Math.max(verdict.measured[name] ?? 0, Math.round(value)) }
  }
}

export const grouped = <T, K>(all: readonly T[], keyOf: (one: T) => K | undefined): Map<K, T[]> => {
  const groups = new Map<K, T[]>()
  for (const one of all) {
    const key = keyOf(one)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return groups
}

/** Whether anything was broken at some time between the two. */
export const isBroken = (faults: readonly Fault[], from: number, to: number): boolean => faults.some(({ t0, t1 }) => t0 <= to && t1 >= from)

/** How long after `call` others may not know of it. */
export const slackOf = ({ t0, t1 }: Call, { faults }: History, { tMs, faultMs }: Rules): number => isBroken(faults, t0, t1) ? faultMs : tMs

/** Calls that succeed only with a live session. */
const guarded = new Set<Op>(['profile', 'protected', 'list', 'prefs-read', 'visit-read', 'prefs-write', 'profile-write', 'page', 'visit-end', 'delete', 'password', 'refresh', 'replay'])
export const isUse = ({ op, sid }: Call): boolean => sid !== undefined && guarded.has(op)

/** Calls that present an access token. */
export const isByAccess = (call: Call): boolean => isUse(call) && call.op !== 'refresh' && call.op !== 'replay'

/** Calls that opened a session. */
export const opens = ({ op }: Call): boolean => op === 'login' || op === 'register' || op === 'password'

export const told = (call: Call): string => `${call.client} ${call.op}@${call.inst} ${call.t0.toFixed(0)}..${call.t1.toFixed(0)} ${call.status} ${call.code ?? ''} sid=${call.sid ?? call.out?.sid ?? ''}`

export { isMaybe, isOk }
