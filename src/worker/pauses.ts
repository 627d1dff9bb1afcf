// Room `worker`: how long the place of a worker that has died stays empty. A death out of calm costs no pause; one that follows
// another soon after the start costs more each time, so that a program that is broken does not eat the machine.
import type { Clock } from '../clock.ts'

export interface Pauses {
  /**
   * Notes a death.
   * @param number of the worker
   * @param since when it listened, by `mono`; undefined if it never did
   * @returns milliseconds until the next one is to be started
   */
  after: (number: number, since: number | undefined) => number
}

/** Milliseconds after the second death in a row, and the most that it doubles to. */
const [firstPauseMs, mostPauseMs] = [250, 30_000]

/** A worker that has listened for as many milliseconds did not die of its start. */
const calmMs = 60_000

export function createPauses (clock: Clock): Pauses {
  const deaths = new Map<number, number>()
  return {
    after (number, since) {
      const wasCalm = since !== undefined && clock.mono() - since > calmMs
      const inARow = wasCalm ? 1 : (deaths.get(number) ?? 0) + 1
      deaths.set(number, inARow)
      return inARow === 1 ? 0 : Math.min(mostPauseMs, firstPauseMs * 2 ** (inARow - 2))
    }
  }
}
