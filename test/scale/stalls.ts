// When this machine itself stood still: a virtual one is taken off its cores for tens of milliseconds, and whatever is measured
// then has taken that much longer.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import os from 'node:os'
import { fileURLToPath } from 'node:url'

export interface Stalled {
  count: number
  /** Shorter ones are not counted, milliseconds. */
  leastMs: number
  mostMs: number
  /** Milliseconds between two times (since the epoch) in which at least one core stood still. */
  within: (from: number, to: number) => number
}

type Interval = readonly [from: number, to: number]

const leastMs = 8

/** Starts a watcher on each core. */
export async function watchStalls (): Promise<{ stop: () => Promise<Stalled> }> {
  const script = fileURLToPath(new URL('./stall-watch.mjs', import.meta.url))
  const watchers = os.cpus().map((_, core) => fork(script, [String(leastMs)], { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath] }))
  await Promise.all(watchers.map((watcher) => once(watcher, 'message')))
  return {
    async stop () {
      const all = await Promise.all(watchers.map(async (watcher) => {
        watcher.send('stop')
        return (await once(watcher, 'message'))[0] as Interval[]
      }))
      const stalls = all.flat().sort(([one], [other]) => one - other)
      return { count: stalls.length, leastMs, mostMs: Math.max(0, ...stalls.map(([from, to]) => to - from)), within: (from, to) => covered(stalls, from, to) }
    }
  }
}

/** @param intervals in the order of their beginnings */
function covered (intervals: readonly Interval[], from: number, to: number): number {
  let [sum, end] = [0, from]
  for (const [begin, over] of intervals) {
    const [left, right] = [Math.max(begin, end), Math.min(over, to)]
    if (right > left) sum += right - left
    end = Math.max(end, right)
  }
  return sum
}
