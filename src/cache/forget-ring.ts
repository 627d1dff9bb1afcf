// Room `cache`: which keys were forgotten lately. A fill takes a mark before it reads and asks afterwards whether
// its key was forgotten since: if so, what it read may be older than the revocation and must not be kept (DESIGN 4).

export interface ForgetRing {
  /** A point in time to ask about later. */
  mark: () => number
  /** Notes that a key was forgotten now. */
  add: (key: string) => void
  /** Notes that every key was forgotten now. */
  addAll: () => void
  /** Whether the key was forgotten after the mark, or so much was that the ring cannot tell. */
  forgottenSince: (mark: number, key: string) => boolean
}

/** @param size how many forgets are remembered; a fill that more of them overtake is not kept */
export function createForgetRing (size = 1024): ForgetRing {
  const keys = new Array<string>(size).fill('')
  let count = 0
  let lastAll = 0
  return {
    mark: () => count,
    add (key) {
      keys[count % size] = key
      count++
    },
    addAll () {
      count++
      lastAll = count
    },
    forgottenSince (mark, key) {
      if (count === mark) return false
      if (lastAll > mark || count - mark > size) return true
      for (let at = mark; at < count; at++) if (keys[at % size] === key) return true
      return false
    }
  }
}
