// Room `user`: bcrypt in a bounded pool of low-priority threads, so that a storm of logins takes neither the event loop
// nor libuv's threads from everybody else (DESIGN 6; measured: p99 of checks 24 ms with libuv's pool, 3.3 ms at nice 19).
// Work that would wait too long is refused at once, in order, instead of piling up.
import bcrypt from 'bcrypt'
import { Piscina } from 'piscina'
import type { Clock } from '../clock.ts'
import { unavailable } from '../errors.ts'
import type { HashTask } from './hash-worker.ts'
import { isHashable } from './password-rules.ts'

export interface PasswordHasher {
  /** @throws LatchkeyError `unavailable` when too much waits */
  hash: (password: string) => Promise<string>
  /**
   * Takes as long for an account that does not exist (hash null) as for one that does.
   * @throws LatchkeyError `unavailable` when too much waits
   */
  verify: (password: string, hash: string | null) => Promise<boolean>
  /** Whether a hash was made with less than today's cost or an older form. */
  isOutdated: (hash: string) => boolean
  /** Hashes that are computed now. */
  running: () => number
  /** Hashes that wait for a thread. */
  waiting: () => number
  close: () => Promise<void>
}

export interface PasswordHasherOptions {
  clock: Clock
  /** bcrypt cost of new hashes. */
  cost: number
  /** Threads. */
  concurrency: number
  /** Hashes that may wait. */
  queue: number
  /** Longest milliseconds that a hash is let wait, by estimate. */
  maxWaitMs?: number
}

export function createPasswordHasher ({ clock, cost, concurrency, queue, maxWaitMs = 5000 }: PasswordHasherOptions): PasswordHasher {
  // The worker stands beside this file: TypeScript under tsx and tap, JavaScript in dist.
  const filename = new URL(import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js', import.meta.url).href
  const pool = new Piscina<HashTask, string | boolean>({
    filename,
    minThreads: 1,
    maxThreads: concurrency,
    idleTimeout: Infinity,
    niceIncrement: 19,
    atomics: 'disabled' // a thread that spins for work would eat the core that checks run on
  })
  const decoy = `$2b$${cost}$ZpUYcJ3Bu1oVrAhQxEhk9.6dZ0n2kqXQvJqkq0yqfRrA1yHq0V3Ce`

  const guessMs = guessDuration(clock, cost)
  let taken = 0
  let closed = false
  const given = new Set<Promise<string | boolean>>()
  const waiting = (): number => Math.max(0, taken - concurrency)
  /** Milliseconds that a hash takes; by guess until some were computed, because the first one also starts its thread. */
  const usualMs = (): number => pool.completed < 3 ? guessMs : pool.histogram.runTime.p50

  async function run (task: HashTask): Promise<string | boolean> {
    if (closed) throw unavailable(new Error('the hashing pool is closed'))
    const waitMs = waiting() * usualMs() / concurrency
    if (taken >= concurrency + queue || waitMs > maxWaitMs) {
      throw unavailable(new Error('too many passwords wait for a thread'), Math.max(1, Math.ceil(waitMs / 1000)))
    }
    taken++
    const result = pool.run(task)
    given.add(result)
    try {
      return await result
    } finally {
      taken--
      given.delete(result)
    }
  }

  return {
    hash: async (password) => await run({ kind: 'hash', password, cost }) as string,
    async verify (password, hash) {
      if (!isHashable(password)) return false
      const matches = await run({ kind: 'verify', password, hash: hash === null ? decoy : hash.replace(/^\$2y\$/, '$2b$'), cost })
      return hash !== null && matches as boolean
    },
    isOutdated: (hash) => !hash.startsWith('$2b$') || Number(hash.slice(4, 6)) < cost,
    running: () => Math.min(taken, concurrency),
    waiting,
    // A thread that is ended inside native code takes the process down with it: no thread ends before every hash is
    // done. Counted here, because piscina's close() ends all threads when the first of several is done (5.3.2).
    async close () {
      closed = true
      await Promise.allSettled(given)
      await pool.destroy()
    }
  }
}

/** The duration of a hash, from the shortest there is: each step of the cost doubles it. */
function guessDuration (clock: Clock, cost: number): number {
  const durations = [1, 2, 3].map(() => {
    const begin = clock.mono()
    bcrypt.hashSync('guess', 4)
    return clock.mono() - begin
  })
  return Math.min(...durations) * 2 ** (cost - 4)
}
