// Chance for property tests: from a seed, so that a failure can be repeated. Each run takes a new seed and names it in
// the test's assertion; LATCHKEY_SEED=<number> runs that one again.
import { randomInt } from 'node:crypto'

export interface Random {
  readonly seed: number
  /** From 0 up to 1. */
  next: () => number
  /** A whole number from 0 up to `end`. */
  below: (end: number) => number
  pick: <T>(list: readonly T[]) => T
  bytes: (size: number) => Buffer
  /** Characters of an alphabet. */
  text: (alphabet: string, length: number) => string
}

const seedOfRun = Number(process.env['LATCHKEY_SEED'] ?? randomInt(2 ** 31))

/** Mulberry32: small, and good enough to shake a data structure. */
export function createRandom (seed = seedOfRun): Random {
  let state = seed
  const next = (): number => {
    state = state + 0x6D2B79F5 | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32
  }
  const below = (end: number): number => Math.floor(next() * end)
  return {
    seed,
    next,
    below,
    pick: (list) => list[below(list.length)] as (typeof list)[number],
    bytes: (size) => Buffer.from(Array.from({ length: size }, () => below(256))),
    text: (alphabet, length) => Array.from({ length }, () => alphabet[below(alphabet.length)]).join('')
  }
}
