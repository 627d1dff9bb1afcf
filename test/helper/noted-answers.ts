// What the operations answered in this run, in every process that serves them. test/answer-recorder.mjs notes whatever a route
// has seen; the few answers that are given before a route is known are noted by the test that asks for them.
import { evidenceFolder, noteEvidence, readEvidence } from './evidence.ts'
import type { Answer } from './http.ts'

export interface NotedAnswer {
  /** `operationId` of the document. */
  operation: string
  status: number
  /** Of a refusal; '' otherwise. */
  code: string
  /** Content type without parameters. */
  type: string
}

/** What the environment of a process must have so that its answers are noted; nothing where none are. */
export const recording: Record<string, string> = evidenceFolder === undefined
  ? {}
  : { LATCHKEY_EVIDENCE: evidenceFolder, NODE_OPTIONS: `--import ${new URL('../answer-recorder.mjs', import.meta.url).href}` }

export function noteAnswer (operation: string, { status, headers, json }: Answer): void {
  const noted: NotedAnswer = { operation, status, code: json?.code ?? '', type: (headers['content-type'] ?? '').split(';', 1)[0] as string }
  noteEvidence('answer', JSON.stringify(noted))
}

/** Each different one once. */
export function notedAnswers (): NotedAnswer[] {
  const texts = new Set<string>()
  for (const { kind, text } of readEvidence()) if (kind === 'answer') texts.add(text)
  return [...texts].map((text) => JSON.parse(text) as NotedAnswer)
}
