// Room `user`: bcrypt in a bounded pool of low-priority threads, so that a storm of logins takes neither the event loop
// nor libuv's threads from everybody else (DESIGN 6; docs/decisions/0017).
// Work that would wait too long is refused at once, in order, instead of piling up.
import bcrypt from 'bcrypt'
import { Piscina } from 'piscina'
import type { Clock } from '../clock.ts'
import { unavailable } from '../errors.ts'
import type { HashTask } from './hash-worker.ts'
import { isHashable } from './password-rules.ts'

export interface PasswordHasher {
  /**
   * Ask before work that would be in vain: in a storm, what is refused must cost next to nothing.
   * @throws LatchkeyError `unavailable` when a hash would be refused now
   */
  checkRoom: () => Promise<void>
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
  /** Milliseconds after which a hash that waits is given up: the estimate was wrong, or others took the processor. */
  mostWaitMs?: number
}

interface Waiting { readonly since: number, readonly begin: () => void, readonly giveUp: () => void }

export function createPasswordHasher ({ clock, cost, concurrency, queue, maxWaitMs = 5000, mostWaitMs = 9500 }: PasswordHasherOptions): PasswordHasher {
  // The worker stands beside this file: TypeScript under tsx and tap, JavaScript in dist.
  const filename = new URL(import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js', import.meta.url).href
  const pool = new Piscina<HashTask, string | boolean>({
    filename,
    minThreads: 1,
    maxThreads: concurrency,
    idleTimeout: Infinity,
    niceIncrement: 10, // a share of a tenth beside one busy process (docs/decisions/0017)
    atomics: 'disabled' // a thread that spins for work would eat the core that checks run on
  })
  pool.on('error', () => { /* a thread that ends is replaced, and its hash is rejected; unheard, it would end the process */ })
  const decoy = `$2b$${cost}$ZpUYcJ3Bu1oVrAhQxEhk9.6dZ0n2kqXQvJqkq0yqfRrA1yHq0V3Ce`

  const guessMs = guessDuration(clock, cost)
  /** Milliseconds that a hash takes lately; by guess until every thread may have started, which the first ones wait for. */
  let usualMs = guessMs
  let [running, completed, closed] = [0, 0, false]
  const line: Waiting[] = []
  const given = new Set<Promise<string | boolean>>()
  function checkRoom (): void {
    if (closed) throw unavailable(new Error('the hashing pool is closed'))
    const waitMs = line.length * usualMs / concurrency
    if (running + line.length >= concurrency + queue || waitMs > maxWaitMs) throw busy(waitMs)
  }

  /** A thread, in the order in which they were asked for. */
  function turn (): Promise<void> | undefined {
    if (running < concurrency) {
      running++
      return undefined
    }
    return new Promise((resolve, reject) => { line.push({ since: clock.mono(), begin: resolve, giveUp: () => { reject(busy(mostWaitMs)) } }) })
  }

  function handOver (): void {
    for (let next = line.shift(); next !== undefined; next = line.shift()) {
      if (clock.mono() - next.since <= mostWaitMs) return next.begin()
      next.giveUp()
    }
    running--
  }

  async function work (task: HashTask): Promise<string | boolean> {
    await turn()
    const begin = clock.mono()
    try {
      const result = await pool.run(task)
      if (++completed > concurrency) usualMs += (clock.mono() - begin - usualMs) / 8
      return result
    } finally {
      handOver()
    }
  }

  async function run (task: HashTask): Promise<string | boolean> {
    checkRoom()
    const result = work(task)
    given.add(result)
    try {
      return await result
    } finally {
      given.delete(result)
    }
  }

  return {
    checkRoom: async () => { checkRoom() },
    hash: async (password) => await run({ kind: 'hash', password, cost }) as string,
    async verify (password, hash) {
      if (!isHashable(password)) return false
      const matches = await run({ kind: 'verify', password, hash: hash === null ? decoy : hash.replace(/^\$2y\$/, '$2b$'), cost })
      return hash !== null && matches as boolean
    },
    isOutdated: (hash) => !hash.startsWith('$2b$') || Number(hash.slice(4, 6)) < cost,
    running: () => running,
    waiting: () => line.length,
    // A thread that is ended inside native code takes the process down with it: no thread ends before every hash is
    // done. Counted here, because piscina's close() ends all threads when the first of several is done (5.3.2).
    async close () {
      closed = true
      await Promise.allSettled(given)
      await pool.destroy()
    }
  }
}

/** @param waitMs milliseconds after which to come back */
const busy = (waitMs: number) => unavailable(new Error('too many passwords wait for a thread'), Math.max(1, Math.ceil(waitMs / 1000)))

/** The duration of a hash, from the shortest there is: each step of the cost doubles it. */
function guessDuration (clock: Clock, cost: number): number {
  const durations = [1, 2, 3].map(() => {
    const begin = clock.mono()
    bcrypt.hashSync('guess', 4)
    return clock.mono() - begin
  })
  return Math.min(...durations) * 2 ** (cost - 4)
}
