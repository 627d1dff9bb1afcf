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
  /**
   * Call it when nobody waits for a hash any more. Threads that still make one which was given up are not waited for, on a busy core
   * that takes long: they end when they are done, for one that is ended while it loads bcrypt takes the process down with it.
   */
  close: () => Promise<void>
}

/** How many times as long as a meek thread was waited for in vain nobody tries one again; then one does, for all: little is lost by trying. */
const restPerPatience = 10

/** @param concurrency hashes that `run` is asked for at the same time, at most */
export function createHashThreads (concurrency: number, clock: Clock): HashThreads {
  // The worker stands beside this file: TypeScript under tsx and tap, JavaScript in dist.
  const filename = new URL(import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js', import.meta.url).href
  const open = (niceIncrement: number): Piscina<HashTask, string | boolean> => {
    const pool = new Piscina<HashTask, string | boolean>({
      filename,
      minThreads: 1, // they start with the service: on a busy core starting takes long
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
  const pools = { meek: open(19), steady: open(10) }
  function give (kind: 'meek' | 'steady', task: HashTask): Promise<string | boolean> {
    const result = pools[kind].run(task).finally(() => { given[kind].delete(result) })
    given[kind].add(result)
    return result
  }

  /** Whether the last one that was waited for in vain has not been followed by one that got on; and until when nobody tries. */
  let [isDoubted, meekAgainAt] = [false, -Infinity]
  function mayTryMeek (): boolean {
    if (given.meek.size === concurrency) return false
    if (given.steady.size >= concurrency) return true // a steady one would wait behind what nobody waits for
    return !isDoubted || (given.meek.size === 0 && clock.mono() >= meekAgainAt)
  }

  async function runMeekly (task: HashTask, patienceMs: number): Promise<string | boolean> {
    let isLate = false
    const first = give('meek', task)
    const result = await within(patienceMs, first, () => {
      [isLate, isDoubted] = [true, true]
      meekAgainAt = Math.max(meekAgainAt, clock.mono() + restPerPatience * patienceMs)
      return Promise.race([first, give('steady', task)])
    })
    if (!isLate && clock.mono() >= meekAgainAt) isDoubted = false
    return result
  }

  return {
    run: (task, patienceMs) => mayTryMeek() ? runMeekly(task, patienceMs) : give('steady', task),
    async close () {
      const isDone = Promise.allSettled([...given.meek, ...given.steady]).then(() => Promise.all([pools.meek.destroy(), pools.steady.destroy()]))
      if (given.meek.size + given.steady.size === 0) await isDone
    }
  }
}
