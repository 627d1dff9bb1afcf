// Room `user`: the threads that hash, in two kinds (docs/decisions/0017). Meek ones give way to whatever else wants the core, so
// that nobody's check waits for a password. On a core that is never free they would take sixty times as long, so a hash that does
// not get on is taken up by a thread of the other kind as well, which has a share of its own, and for a while nobody else tries a meek one.
import { Piscina } from 'piscina'
import { type Clock, within } from '../clock.ts'
import type { HashTask } from './hash-worker.ts'

export interface HashThreads {
  /**
   * @param patienceMs milliseconds that a meek thread has for it, real ones: an injected clock does not know how busy a core is
   * @throws when the thread ends
   */
  run: (task: HashTask, patienceMs: number) => Promise<string | boolean>
  /** Ends the threads when they are done: no thread may end inside native code, which takes the process down with it. */
  close: () => Promise<void>
}

/** How many times as long as a meek thread was waited for in vain nobody tries one again: at most a tenth is lost by trying. */
const restPerPatience = 10

/** @param concurrency hashes that `run` is asked for at the same time, at most */
export function createHashThreads (concurrency: number, clock: Clock): HashThreads {
  // The worker stands beside this file: TypeScript under tsx and tap, JavaScript in dist.
  const filename = new URL(import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js', import.meta.url).href
  const open = (niceIncrement: number, minThreads: number): Piscina<HashTask, string | boolean> => {
    const pool = new Piscina<HashTask, string | boolean>({
      filename,
      minThreads,
      maxThreads: concurrency,
      idleTimeout: Infinity,
      niceIncrement,
      atomics: 'disabled' // a thread that spins for work would eat the core that checks run on
    })
    pool.on('error', () => { /* a thread that ends is replaced, and its hash is rejected; unheard, it would end the process */ })
    return pool
  }

  /** What each kind was given and has not done yet; some of it is no longer waited for. */
  const given = { meek: new Set<Promise<unknown>>(), steady: new Set<Promise<unknown>>() }
  const pools = { meek: open(19, 0), steady: open(10, 1) } // a steady thread starts with the service: where it is needed, starting takes long
  function give (kind: 'meek' | 'steady', task: HashTask): Promise<string | boolean> {
    const result = pools[kind].run(task).finally(() => { given[kind].delete(result) })
    given[kind].add(result)
    return result
  }

  let meekAgainAt = -Infinity
  return {
    async run (task, patienceMs) {
      if (given.meek.size === concurrency || clock.mono() < meekAgainAt) return await give('steady', task)
      const first = give('meek', task)
      return await within(patienceMs, first, () => {
        meekAgainAt = clock.mono() + restPerPatience * patienceMs
        return Promise.race([first, give('steady', task)])
      })
    },
    async close () {
      await Promise.allSettled([...given.meek, ...given.steady])
      await Promise.all([pools.meek.destroy(), pools.steady.destroy()])
    }
  }
}
