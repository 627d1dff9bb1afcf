// What a run of several seeds found, added up.
import os from 'node:os'
import type { Proof } from './bugs/prove.ts'
import type { History } from './history.ts'
import { invariantNames, invariants, type InvariantName } from './invariants/all.ts'
import type { Verdict } from './invariants/verdict.ts'
import type { Rules } from './rules.ts'

export type Verdicts = Record<InvariantName, Verdict>

export interface Totals {
  seeds: number[]
  failedSeeds: number[]
  calls: number
  unanswered: number
  faults: Record<string, number>
  recoveryMs: number
  invariants: Record<InvariantName, { checks: number, violations: number, measured: Record<string, number> }>
  machine: { node: string, cores: number }
}

export const judge = (history: History, by: Rules): Verdicts =>
  Object.fromEntries(invariantNames.map((name) => [name, invariants[name].holds(history, by)])) as Verdicts

export const emptyTotals = (): Totals => ({
  seeds: [],
  failedSeeds: [],
  calls: 0,
  unanswered: 0,
  faults: {},
  recoveryMs: 0,
  invariants: Object.fromEntries(invariantNames.map((name) => [name, { checks: 0, violations: 0, measured: {} }])) as unknown as Totals['invariants'],
  machine: { node: process.version, cores: os.cpus().length }
})

export function addUp (totals: Totals, seed: number, { calls, faults }: History, verdicts: Verdicts): void {
  totals.seeds.push(seed)
  if (Object.values(verdicts).some(({ violations }) => violations.length > 0)) totals.failedSeeds.push(seed)
  totals.calls += calls.length
  totals.unanswered += calls.filter(({ status }) => status === 0 || status >= 500).length
  for (const { name, healed, t1 } of faults) {
    totals.faults[name] = (totals.faults[name] ?? 0) + 1
    totals.recoveryMs = Math.max(totals.recoveryMs, Math.round(t1 - healed))
  }
  for (const name of invariantNames) {
    const [sum, { checks, violations, measured = {} }] = [totals.invariants[name], verdicts[name]]
    sum.checks += checks
    sum.violations += violations.length
    for (const [what, value] of Object.entries(measured)) sum.measured[what] = Math.max(sum.measured[what] ?? 0, value)
  }
}

const table = (head: string[], rows: (string | number)[][]): string[] => [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows.map((row) => `| ${row.join(' | ')} |`)]

/** @returns the result as Markdown */
export function printed ({ seeds, failedSeeds, calls, unanswered, faults, recoveryMs, invariants: found, machine }: Totals): string {
  const most = (name: InvariantName, what: string): string => `${found[name].measured[what] ?? 0} ms`
  return [
    `Seeds ${seeds.join(', ')}: ${seeds.length - failedSeeds.length} clean, ${failedSeeds.length} not${failedSeeds.length > 0 ? ` (${failedSeeds.join(', ')})` : ''}.`,
    `${calls} calls, ${unanswered} of them without a definite answer; ${Object.values(faults).reduce((sum, count) => sum + count, 0)} faults.`,
    `On ${machine.cores} cores, Node ${machine.node}.`, '',
    ...table(['largest seen', 'nothing broken', 'something broken'], [
      ['a session that was ended lets in for', most('I1', 'lag'), most('I1', 'lag while something is broken')],
      ['preferences are older by', most('I9', 'staleness'), most('I9', 'staleness while something is broken')],
      ['the profile is older by', most('I10', 'staleness'), most('I10', 'staleness while something is broken')],
      ['until everybody is well again after a fault', '', `${recoveryMs} ms`],
      ['a call takes, while its instance runs', '', most('I16', 'longest call')],
      ['a call takes that waits for its turn to hash a password', '', most('I16', 'longest call that hashes')]
    ]), '',
    ...table(['invariant', 'checks', 'violations'], invariantNames.map((name) => [`${name} ${invariants[name].what}`, found[name].checks, found[name].violations])), '',
    ...table(['fault', 'times'], Object.entries(faults).sort().map(([name, count]) => [name, count]))
  ].join('\n')
}

export const printedProofs = (proofs: readonly Proof[]): string =>
  table(['bug, put in on purpose', 'must be found by', 'found by', 'without it'], proofs.map(({ what, mustFind, found, cleanWithout }) => [what, mustFind, found.join(', ') || 'nothing', cleanWithout ? 'clean' : 'not clean'])).join('\n')
