// Times of answers, judged on a machine that does other things as well: what is compared is asked in turn, so that its moods
// hit both, and where a first measurement was disturbed more are taken. What really differs differs in all of them.
import type { Test } from 'tap'
import type { Answer } from './http.ts'

/** @param share 0 to 1, such as 0.99 */
export function percentile (times: readonly number[], share: number): number {
  const sorted = [...times].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number
}

export const median = (times: readonly number[]): number => percentile(times, 0.5)

/**
 * Expects two requests to take the same time: medians, of all that were made, that differ by less than a tenth.
 * @param rounds how often each is made, in turn, either one first; as often again where that was not enough to tell
 * @param most times that it is done
 */
export async function expectSameTime (t: Test, one: () => Promise<Answer>, other: () => Promise<Answer>, rounds: number, most = 4): Promise<void> {
  const times: [number[], number[]] = [[], []]
  const ratios: number[] = []
  const isEqual = (ratio: number): boolean => ratio > 0.9 && ratio < 1.1
  while (ratios.length < most && !ratios.some(isEqual)) {
    for (let round = 0; round < rounds; round++) {
      const turns = [async () => times[0].push((await one()).ms), async () => times[1].push((await other()).ms)]
      for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn()
    }
    ratios.push(median(times[1]) / median(times[0]))
  }
  const shown = ratios.map((ratio) => ratio.toFixed(3)).join(', ')
  t.comment(`measured: ratio of medians ${shown}`)
  t.ok(ratios.some(isEqual), `medians differ by less than a tenth: ${shown}`)
}

/**
 * Expects most requests to be answered soon while something else goes on.
 * @param measure starts what goes on, and @returns the times of the requests meanwhile, milliseconds
 */
export async function expectSoon (t: Test, what: string, mostMs: number, measure: () => Promise<number[]>, tries = 4): Promise<void> {
  const seen: number[] = []
  while (seen.length < tries && !seen.some((p99) => p99 < mostMs)) seen.push(percentile(await measure(), 0.99))
  const shown = seen.map(Math.round).join(', ')
  t.comment(`measured: ${what}, p99 in ms: ${shown}`)
  t.ok(seen.some((p99) => p99 < mostMs), `${what}: p99 below ${mostMs} ms: ${shown}`)
}
