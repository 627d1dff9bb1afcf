// Room `user`: a bounded line in which nobody can stand before everybody. Sources are served in turn (fair queueing, Nagle
// 1987), and where the line is full the longest source makes way for a shorter one (longest queue drop, Suter et al. 1998):
// who sends a thousand at once waits behind himself.

export interface FairLine<T> {
  /** How many wait. */
  readonly length: number
  /** How many are served before one of this source that came now; Infinity if there is no place for it. */
  ahead: (source: string) => number
  /** @returns whoever had to make way for it */
  add: (source: string, one: T) => T | undefined
  /** Whose turn it is. */
  next: () => T | undefined
  /** Takes one out of the line who waits no more. */
  remove: (source: string, one: T) => void
}

/** @param places most that may wait */
export function createFairLine<T> (places: number): FairLine<T> {
  /** In the order of their turns; no source is empty. */
  const sources = new Map<string, T[]>()
  let length = 0
  const lengthOf = (source: string): number => sources.get(source)?.length ?? 0

  function longest (): string {
    let [name, most] = ['', 0]
    for (const [source, { length }] of sources) if (length >= most) [name, most] = [source, length] // of equals the one that is served last
    return name
  }

  const hasPlace = (source: string): boolean => length < places || lengthOf(source) + 1 < lengthOf(longest())

  function take (source: string, at: number): T | undefined {
    const waiting = sources.get(source)
    const [one] = waiting?.splice(at, 1) ?? []
    if (one === undefined) return undefined
    length--
    if (waiting?.length === 0) sources.delete(source)
    return one
  }

  return {
    get length () { return length },
    ahead (source) {
      if (!hasPlace(source)) return Infinity
      const own = lengthOf(source)
      let ahead = 0
      for (const waiting of sources.values()) ahead += Math.min(waiting.length, own + 1)
      return ahead
    },
    add (source, one) {
      const displaced = length < places ? undefined : take(longest(), -1)
      const waiting = sources.get(source)
      if (waiting === undefined) sources.set(source, [one])
      else waiting.push(one)
      length++
      return displaced
    },
    next () {
      const [source] = sources.keys()
      if (source === undefined) return undefined
      const waiting = sources.get(source) as T[]
      const one = take(source, 0)
      if (sources.delete(source)) sources.set(source, waiting) // its next turn comes after the others'
      return one
    },
    remove (source, one) {
      const at = sources.get(source)?.indexOf(one) ?? -1
      if (at >= 0) take(source, at)
    }
  }
}
