// Chance that can be had again: everything that a run decides by chance comes from its seed. Streams of their own for each
// client, so that what one of them draws does not depend on how fast the others are.

export interface Random {
  /** From 0 up to 1. */
  next: () => number
  /** A whole number from `from` up to and including `to`. */
  int: (from: number, to: number) => number
  chance: (share: number) => boolean
  /** Undefined of none. */
  pick: <T>(all: readonly T[]) => T | undefined
  /** One of the names, as often as its weight says. */
  weighted: <T extends string>(weights: Readonly<Record<T, number>>) => T
  shuffled: <T>(all: readonly T[]) => T[]
}

/** A number of 32 bits from a text (FNV-1a). */
function hash (text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value >>> 0
}

/** @param stream names one of the independent streams of a seed */
export function createRandom (seed: number, stream: string): Random {
  let state = hash(`${seed} ${stream}`)

  /** mulberry32 */
  function next (): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  const int = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))

  return {
    next,
    int,
    chance: (share) => next() < share,
    pick: (all) => all[Math.floor(next() * all.length)],
    weighted (weights) {
      const entries = Object.entries(weights) as [keyof typeof weights, number][]
      let rest = next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [name, weight] of entries) if ((rest -= weight) < 0) return name
      return (entries.at(-1) as typeof entries[number])[0]
    },
    shuffled (all) {
      const mixed = [...all]
      for (let at = mixed.length - 1; at > 0; at--) {
        const other = int(0, at)
        ;[mixed[at], mixed[other]] = [mixed[other] as typeof mixed[number], mixed[at] as typeof mixed[number]]
      }
      return mixed
    }
  }
}
