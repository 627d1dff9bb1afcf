// What the whole suite leaves behind: log lines, failures, keys and values of the stores. test/guard/leaks greps it for
// secrets after everything else has run. Secrets of tests carry marks, so that a search finds them in any disguise.
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

export type EvidenceKind = 'log' | 'error' | 'redis-key' | 'redis-value' | 'document' | 'file'

/** Folder of the run's evidence; set by test/run.mjs, absent when a test file is run by hand. */
export const evidenceFolder = process.env['LATCHKEY_EVIDENCE'] || undefined

/** Begins every password of the tests. */
export const passwordMark = 'Pw7mark-'

/** Domain of every e-mail address of the tests. */
export const emailMark = 'leak-mark.example'

/** Begins every key and secret of the tests. */
export const secretMark = 'Key9mark'

export function noteEvidence (kind: EvidenceKind, text: string): void {
  if (evidenceFolder === undefined) return
  mkdirSync(evidenceFolder, { recursive: true })
  appendFileSync(join(evidenceFolder, `${process.pid}.jsonl`), JSON.stringify({ kind, text }) + '\n')
}
