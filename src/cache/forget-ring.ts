// Room `cache`: which keys were forgotten lately, and when. A fill takes a mark before it reads and asks afterwards
// whether its key was forgotten since: if so, what it read may be older than the revocation and must not be kept. A copy
// of the shared tier that was read before its key was forgotten is not believed: its burial may have been refused there.
import { createBoundedMap, homeless, type Home } from './bounded-map.ts'

export interface ForgetRing {
  /** A point in the order of forgets, to ask about later. */
  mark: () => number
  /** Notes that a key was forgotten. @param at milliseconds since the epoch */
  add: (key: string, at: number) => void
  /** Notes that every key was forgotten. */
  addAll: () => void
  /** Whether the key was forgotten after the mark, or so many were that the ring cannot tell. */
  forgottenSince: (mark: number, key: string) => boolean
  /** When the key was last forgotten, milliseconds since the epoch; 0 if the ring knows of no time. */
  lastForgotten: (key: string) => number
}

interface Forget { home: Home, readonly order: number, readonly at: number }

/** @param size keys that are remembered at least; a fill that more of them overtake is not kept */
export function createForgetRing (size = 8192): ForgetRing {
  const forgets = createBoundedMap<Forget>(size * 2)
  let order = 0
  let lastAll = 0
  return {
    mark: () => order,
    add (key, at) { forgets.set(key, { home: homeless(), order: ++order, at }) },
    addAll () { lastAll = ++order },
    forgottenSince (mark, key) {
      if (order === mark) return false
      if (lastAll > mark || order - mark > size) return true
      return (forgets.get(key)?.order ?? 0) > mark
    },
    lastForgotten: (key) => forgets.get(key)?.at ?? 0
  }
}
