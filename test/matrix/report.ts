// What the run of the matrix says: a line a cell, and the page docs/reliability.md.
import type { Played } from './play.ts'

const seconds = (ms: number | undefined): string => ms === undefined ? '-' : `${(ms / 1000).toFixed(1)} s`

export function lineOf ({ cell, failures, recoveryMs, judged, measured, warnings, seconds: took }: Played): string {
  const share = (100 * judged.off / Math.max(1, judged.count)).toFixed(1)
  const facts = [
    `recovered in ${seconds(recoveryMs)} of ${seconds(cell.recoverWithinMs)}`,
    `${judged.count} answers, ${share} % put off`,
    `checks: ${judged.checksOff} of ${judged.checks} put off, p99 ${Math.round(judged.checkP99Ms)} ms`,
    `slowest ${Math.round(judged.slowest.ms)} ms (${judged.slowest.kind})`,
    `revocations felt within ${Math.round(judged.lagMs)} ms`,
    ...(judged.broken > 0 ? [`${judged.broken} broken off`] : []),
    ...measured,
    `${warnings} warnings`,
    `${took.toFixed(0)} s`
  ]
  return `${failures.length === 0 ? 'ok    ' : 'FAILED'} ${cell.id.padEnd(14)} ${facts.join('; ')}${failures.map((failure) => `\n         ${failure}`).join('')}`
}
