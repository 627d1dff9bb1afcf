// Room `embedded`: where changes, already made in memory, become durable; and the log of a store that lives in memory
// only, for which that is at once.
import { storeClosed } from './store-error.ts'

export interface WriteLog {
  /**
   * @param payloads texts from the value codec; none = wait until all that is visible in memory now is durable
   * @param undo takes the change back; called at most once, and then before the promise rejects
   * @returns resolves when the payloads are durable. @throws StoreError 14031 if they cannot be, 91 after close
   */
  commit: (payloads: readonly string[], undo: () => void) => Promise<void>
  /** Resolves when all commits have been answered and nothing is open any more. */
  close: () => Promise<void>
}

/** @param namespace `database.collection`, for messages */
export function createMemoryLog (namespace: string): WriteLog {
  let closed = false
  return {
    async commit (_payloads, undo) {
      if (!closed) return
      undo()
      throw storeClosed(namespace)
    },
    async close () { closed = true }
  }
}
