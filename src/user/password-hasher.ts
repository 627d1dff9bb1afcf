// Room `user`: bcrypt in a bounded number of low-priority threads, so that a storm of logins takes neither the event loop
// nor libuv's threads from everybody else (DESIGN 6; docs/decisions/0017).
// Work that would wait too long is refused at once, in order, instead of piling up, and no address can fill the line for all.
import bcrypt from 'bcrypt'
import type { Clock } from '../clock.ts'
import { unavailable } from '../errors.ts'
import { addressKey } from '../limit/address.ts'
import { createFairLine } from './fair-line.ts'
import { createHashThreads } from './hash-threads.ts'
import { costOf, type HashTask } from './hash-worker.ts'
import { isHashable } from './password-rules.ts'

export interface PasswordHasher {
  /**
   * Keeps a place for a hash that is to come: ask before work that would be in vain. In a storm, what is refused must cost next to
   * nothing; and of a hundred who come at once, most are refused now and not when each has asked the stores.
   * @param address of the client: addresses are served in turn
   * @returns to be called when the hash is done, or will not come
   * @throws LatchkeyError `unavailable` when a hash would be refused now
   */
  keepPlace: (address: string) => Promise<() => void>
  /** @throws LatchkeyError `unavailable` when too much waits */
  hash: (password: string, address: string) => Promise<string>
  /**
   * Takes as long for an account that does not exist (hash null) as for one that does.
   * @throws LatchkeyError `unavailable` when too much waits
   */
  verify: (password: string, hash: string | null, address: string) => Promise<boolean>
  /**
   * Verifies a password and hashes the next one in one turn: who changes a password waits once.
   * @returns the hash of the next one; null if the password does not fit
   * @throws LatchkeyError `unavailable` when too much waits
   */
  replace: (password: string, hash: string, next: string, address: string) => Promise<string | null>
  /** Whether a hash was made with less than today's cost or in an older form. */
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

interface Waiting { readonly since: number, readonly begin: () => void, readonly giveUp: (waitMs: number) => void }

export function createPasswordHasher ({ clock, cost, concurrency, queue, maxWaitMs = 5000, mostWaitMs = 7000 }: PasswordHasherOptions): PasswordHasher {
  const threads = createHashThreads(concurrency, clock)
  const decoy = `$2b$${cost}$ZpUYcJ3Bu1oVrAhQxEhk9.6dZ0n2kqXQvJqkq0yqfRrA1yHq0V3Ce`

  const guessMs = guessDuration(clock, cost)
  /** Milliseconds that a hash takes lately; by guess until every thread may have started, which the first ones wait for. */
  let usualMs = guessMs
  let [running, completed, closed] = [0, 0, false]
  const line = createFairLine<Waiting>(queue)
  const given = new Set<Promise<string | boolean>>()
  /** By source: places that are kept, and those of them whose hash has come. */
  const kept = new Map<string, { onTheirWay: number, arrived: number }>()
  /** Milliseconds, several times as long as a hash should take: one that takes longer does not get on. */
  function patienceMs (task: HashTask): number {
    const dearer = task.kind === 'hash' ? 1 : Math.max(1, 2 ** (costOf(task.hash) - cost)) * (task.kind === 'replace' ? 2 : 1)
    const shouldTake = guessMs * dearer
    return Math.max(20, Math.min(5 * shouldTake, Math.max(mostWaitMs, 3 * shouldTake)))
  }

  const waitOf = (many: number): number => many * usualMs / concurrency
  /** @param onTheirWay hashes of this source that have a place and are not here yet */
  function checkRoom (source: string, onTheirWay = 0): void {
    if (closed) throw unavailable(new Error('the hashing pool is closed'))
    if (running + onTheirWay < concurrency) return
    const ahead = line.ahead(source) + onTheirWay
    if (waitOf(ahead) > maxWaitMs) throw busy(waitOf(Math.min(ahead, line.length + onTheirWay)))
  }

  function keepPlace (source: string): () => void {
    const places = kept.get(source) ?? { onTheirWay: 0, arrived: 0 }
    checkRoom(source, places.onTheirWay)
    places.onTheirWay++
    kept.set(source, places)
    return () => {
      if (places.arrived > 0) places.arrived--
      else places.onTheirWay--
      if (places.onTheirWay + places.arrived === 0) kept.delete(source)
    }
  }

  /** Which of the places a hash was kept does not matter: they are alike. */
  function arrive (source: string): void {
    const places = kept.get(source)
    if (places === undefined || places.onTheirWay === 0) return
    places.onTheirWay--
    places.arrived++
  }

  /** A thread, in turn with the other sources. */
  function turn (source: string): Promise<void> | undefined {
    if (running < concurrency) {
      running++
      return undefined
    }
    return new Promise((resolve, reject) => {
      // by a timer too: where a hash takes longer than that, nobody's turn comes in time
      const timer = setTimeout(() => { waiting.giveUp(mostWaitMs) }, mostWaitMs).unref()
      const waiting: Waiting = {
        since: clock.mono(),
        begin () {
          clearTimeout(timer)
          resolve()
        },
        giveUp (waitMs) {
          clearTimeout(timer)
          line.remove(source, waiting)
          reject(busy(waitMs))
        }
      }
      line.add(source, waiting)?.giveUp(waitOf(line.length))
    })
  }

  function handOver (): void {
    for (let next = line.next(); next !== undefined; next = line.next()) {
      if (clock.mono() - next.since <= mostWaitMs) return next.begin()
      next.giveUp(mostWaitMs)
    }
    running--
  }

  async function work (task: HashTask, source: string): Promise<string | boolean> {
    await turn(source)
    const begin = clock.mono()
    try {
      const result = await threads.run(task, patienceMs(task))
      if (++completed > concurrency) usualMs += (clock.mono() - begin - usualMs) / 8
      return result
    } finally {
      handOver()
    }
  }

  async function run (task: HashTask, address: string): Promise<string | boolean> {
    const source = addressKey(address)
    arrive(source)
    checkRoom(source)
    const result = work(task, source)
    given.add(result)
    try {
      return await result
    } finally {
      given.delete(result)
    }
  }

  return {
    keepPlace: async (address) => keepPlace(addressKey(address)),
    hash: async (password, address) => await run({ kind: 'hash', password, cost }, address) as string,
    async verify (password, hash, address) {
      if (!isHashable(password)) return false
      const matches = await run({ kind: 'verify', password, hash: hash === null ? decoy : readable(hash), cost }, address)
      return hash !== null && matches as boolean
    },
    async replace (password, hash, next, address) {
      if (!isHashable(password)) return null
      return (await run({ kind: 'replace', password, hash: readable(hash), next, cost }, address) || null) as string | null
    },
    isOutdated: (hash) => !hash.startsWith('$2b$') || costOf(hash) < cost,
    running: () => running,
    waiting: () => line.length,
    // Counted here, because piscina's close() ends all threads when the first of several is done (5.3.2).
    async close () {
      closed = true
      await Promise.allSettled(given)
      await threads.close()
    }
  }
}

/** `$2y$` is what PHP calls `$2b$`. */
const readable = (hash: string): string => hash.replace(/^\$2y\$/, '$2b$')

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
