// What the measurements of scale share: latencies of doors, and their medians.
import { callHttp, type Answer, type Call } from '../helper/http.ts'

/** A row of the result; `bound` says what was asked for and whether it is met. */
export type Note = (what: string, found: string, bound?: { text: string, isMet: boolean }) => void

/** A value of sorted numbers, such as 0.5 for the median; 0 of none. */
export function quantile (numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

export const inMs = (numbers: readonly number[]): string => `least ${quantile(numbers, 0).toFixed(1)} ms, median ${quantile(numbers, 0.5).toFixed(1)} ms, p99 ${quantile(numbers, 0.99).toFixed(1)} ms, most ${quantile(numbers, 1).toFixed(1)} ms (${numbers.length})`

/** A request that must be answered with 2xx. */
export async function ask (origin: string, path: string, call?: Call): Promise<Answer> {
  const answer = await callHttp(origin, path, call)
  if (answer.status >= 300) throw new Error(`${call?.method ?? 'GET'} ${path}: ${answer.status} ${answer.text}`)
  return answer
}

/** What a job may take. */
const patienceMs = 60 * 60_000

/** Asks doors in turn, one request at a time, until `isOver`; rejects if that takes too long. @returns milliseconds of each answer, door by door */
export async function watch (origin: string, doors: Readonly<Record<string, Call>>, isOver: () => boolean | Promise<boolean>): Promise<Record<string, number[]>> {
  const taken: Record<string, number[]> = Object.fromEntries(Object.keys(doors).map((path) => [path, []]))
  const begin = performance.now()
  while (!await isOver()) {
    if (performance.now() - begin > patienceMs) throw new Error('what is waited for does not come')
    for (const [path, call] of Object.entries(doors)) taken[path]?.push((await ask(origin, path, call)).ms)
    await new Promise((resolve) => { setTimeout(resolve, 5) })
  }
  return taken
}
