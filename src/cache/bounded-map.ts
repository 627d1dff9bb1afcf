// Room `cache`: a map that never holds more than its capacity, for the two look-ups of the hot path.
// Two generations instead of a linked list: a read moves nothing unless the value sits in the older generation, so a
// hot read is one Map.get, and dropping a generation costs the same however many values die with it
// (the idea is hashlru's; lru-cache measured 0.6 us a get on the project's machine, this 0.1 us).

/** Where a value lives. Once the home is gone, every holder of the value can see it without a look-up. */
export interface Home { live: boolean }

/** What a map can hold: something that knows its home. */
export interface Housed { home: Home }

/** The home of everything that was taken out by name. */
const nowhere: Home = Object.freeze({ live: false })

export interface BoundedMap<V extends Housed, K = string> {
  /** The value of a key, in whichever generation; moves nothing. */
  get: (key: K) => V | undefined
  /** Puts a value in, dropping the older generation when the younger one is full. A value that stood there dies. */
  set: (key: K, value: V) => void
  /** Marks a held value as used; call it at a hit. */
  touch: (key: K, value: V) => void
  /** Takes a key out; its value's home is dead from now on. */
  delete: (key: K) => void
  clear: () => void
  /** Number of values held. */
  size: () => number
}

/** A value before its first `set`. */
export const homeless = (): Home => nowhere

/** @param capacity most values held at a time; 0 holds nothing, 1 counts as 2 */
export function createBoundedMap<V extends Housed, K = string> (capacity: number): BoundedMap<V, K> {
  const half = Math.max(1, Math.floor(capacity / 2))
  let young = new Map<K, V>()
  let old = new Map<K, V>()
  let youngHome: Home = { live: true }
  let oldHome: Home = { live: true }

  function settle (key: K, value: V): void {
    if (young.size >= half && !young.has(key)) {
      oldHome.live = false
      old = young
      oldHome = youngHome
      young = new Map()
      youngHome = { live: true }
    }
    value.home = youngHome
    young.set(key, value)
    old.delete(key)
  }

  const get = (key: K): V | undefined => young.get(key) ?? old.get(key)

  return {
    get,
    set (key, value) {
      if (capacity === 0) return
      const before = get(key)
      if (before !== undefined && before !== value) before.home = nowhere
      settle(key, value)
    },
    touch (key, value) {
      if (value.home !== youngHome) settle(key, value)
    },
    delete (key) {
      const value = get(key)
      if (value === undefined) return
      value.home = nowhere
      young.delete(key)
      old.delete(key)
    },
    clear () {
      youngHome.live = oldHome.live = false
      young = new Map()
      old = new Map()
      youngHome = { live: true }
      oldHome = { live: true }
    },
    size: () => young.size + old.size
  }
}
