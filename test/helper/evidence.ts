// What the whole suite leaves behind: log lines, failures, keys and values of the stores, and what operations answered.
// test/guard/leaks greps it for secrets after everything else has run, test/guard/answers holds the answers against the
// document. Secrets of tests carry marks, so that a search finds them in any disguise.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type EvidenceKind = 'log' | 'error' | 'redis-key' | 'redis-value' | 'document' | 'file' | 'answer'

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

/** Everything that the run has noted so far, in every process. */
export function * readEvidence (): Generator<{ kind: EvidenceKind, text: string }> {
  if (evidenceFolder === undefined || !existsSync(evidenceFolder)) return
  for (const file of readdirSync(evidenceFolder)) {
    for (const line of readFileSync(join(evidenceFolder, file), 'utf8').split('\n')) {
      if (line !== '') yield JSON.parse(line) as { kind: EvidenceKind, text: string }
    }
  }
}
