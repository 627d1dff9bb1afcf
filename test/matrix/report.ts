// What the run of the matrix says: a line a cell, and its part of docs/reliability.md.
import { readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Cell } from './cell.ts'
import { elsewhereCells } from './elsewhere.ts'
import { verdictSeconds } from './field.ts'
import type { Played } from './play.ts'

const seconds = (ms: number | undefined): string => ms === undefined ? '-' : `${(ms / 1000).toFixed(1)} s`
const share = (part: number, whole: number): string => `${(100 * part / Math.max(1, whole)).toFixed(1)} %`

export function lineOf ({ cell, failures, recoveryMs, judged, measured, warnings, seconds: took }: Played): string {
  const facts = [
    `recovered in ${seconds(recoveryMs)} of ${seconds(cell.recoverWithinMs)}`,
    `${judged.count} answers, ${share(judged.off, judged.count)} put off`,
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

const page = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url))
const [opening, closing] = ['<!-- faults -->', '<!-- /faults -->']

/** Writes the run into the page, between its marks. */
/** @param earlier how many of them another run has played */
export function writePage (played: readonly Played[], leftOut: readonly Cell[], earlier: number): void {
  const text = readFileSync(page, 'utf8')
  const [from, to] = [text.indexOf(opening), text.indexOf(closing)]
  if (from < 0 || to < from) throw new Error('docs/reliability.md has no marks for the faults')
  writeFileSync(page, `${text.slice(0, from + opening.length)}\n${partOf(played, leftOut, earlier)}\n${text.slice(to)}`)
}

const row = (...cells: string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

function partOf (played: readonly Played[], leftOut: readonly Cell[], earlier: number): string {
  const failed = played.filter(({ failures }) => failures.length > 0)
  return [
    `Made by \`npm run test:faults -- --page\` on ${os.cpus().length} cores (${os.cpus()[0]?.model}), Node ${process.version}, two instances and both engines`,
    `on the same machine; load average at the end ${os.loadavg().map((load) => load.toFixed(1)).join(' ')}. ${played.length - failed.length} of ${played.length} cells hold${earlier > 0 ? `; ${earlier} of them are from an earlier run` : ''}.`,
    `T is 3 s; T_fault is \`VERDICT_TTL_SECONDS\`, here ${verdictSeconds}. "Revoked, still let in" is the longest time after an acknowledged logout`,
    'at which a request that began then was let in. Shares are of all answers of the cell, from before the fault until after it.',
    '',
    row('cell', 'fault', 'required', 'recovery (allowed)', 'put off: all, checks', 'check p99, slowest answer', 'revoked, still let in', 'result'),
    row(...Array.from({ length: 8 }, () => '---')),
    ...played.map(({ cell, failures, recoveryMs, judged, measured }) => row(
      cell.id,
      cell.fault,
      cell.required,
      `${seconds(recoveryMs)} (${seconds(cell.recoverWithinMs)})`,
      `${share(judged.off, judged.count)}, ${share(judged.checksOff, judged.checks)}`,
      `${Math.round(judged.checkP99Ms)} ms, ${(judged.slowest.ms / 1000).toFixed(1)} s`,
      `${Math.round(judged.lagMs)} ms`,
      [failures.length === 0 ? 'holds' : `**fails**: ${failures.join('; ')}`, ...measured].join('; ')
    )),
    '',
    'Cells that need what this machine does not have:',
    '',
    row('cell', 'fault', 'needs', 'how'),
    row('---', '---', '---', '---'),
    ...leftOut.map(({ id, fault, skip }) => row(id, fault, String(skip), `\`npm run test:faults -- --only ${id}\``)),
    ...elsewhereCells.map(({ id, fault, needs, how }) => row(id, fault, needs, how))
  ].join('\n')
}
