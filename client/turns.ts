// Client: what changes the session is done one at a time, in all calls of a client and, where the browser has the Web Locks
// API, in all tabs. Locks only spare work: where there are none, or none to be had, the service forgives two refreshes.

export interface Turns {
  take: <T>(work: () => Promise<T>) => Promise<T>
  /**
   * Says in all tabs that this state has been refreshed. A tab that gets its turn may not see yet what the one before it has
   * written into the storage: browsers bring that over when they can. Locks are known to all at once.
   */
  spend: (mark: string) => Promise<void>
  isSpent: (mark: string) => Promise<boolean>
}

interface Locks {
  request: <T>(name: string, options: { signal?: AbortSignal, mode?: 'shared' }, work: () => Promise<T>) => Promise<T>
  query: () => Promise<{ held?: { name?: string }[] }>
}

/** A tab that the browser has put to sleep may keep a lock for ever. */
const mostWaitMs = 15_000
/** Longer than any storage needs to be brought over. */
const toldMs = 5000
const mostTellMs = 1000

/** @param lockName shared by the tabs; undefined where nobody else has the session */
export function createTurns (lockName: string | undefined): Turns {
  let last: Promise<unknown> = Promise.resolve()

  /** @returns undefined where there are none */
  const locksOf = (): Locks | undefined => lockName === undefined ? undefined : (globalThis as { navigator?: { locks?: Locks } }).navigator?.locks

  async function overTabs<T> (work: () => Promise<T>): Promise<T> {
    const locks = locksOf()
    if (locks === undefined) return await work()
    let begun: Promise<T> | undefined
    try {
      return await locks.request(lockName as string, { signal: AbortSignal.timeout(mostWaitMs) }, () => (begun = work()))
    } catch (error) {
      if (begun !== undefined) throw error
      return await work() // a page that may have none (a sandboxed frame), or one that was waited for in vain
    }
  }

  return {
    async take (work) {
      const turn = last.then(async () => await overTabs(work))
      last = turn.catch(() => { /* whoever asked is told */ })
      return await turn
    },
    async spend (mark) {
      await new Promise<void>((resolve) => {
        const told = async (): Promise<void> => {
          resolve()
          await pause(toldMs)
        }
        (locksOf()?.request(`${lockName} ${mark}`, { mode: 'shared', signal: AbortSignal.timeout(mostTellMs) }, told) ?? Promise.resolve()).then(resolve, () => { resolve() })
      })
    },
    async isSpent (mark) {
      try {
        const { held = [] } = await locksOf()?.query() ?? {}
        return held.some(({ name }) => name === `${lockName} ${mark}`)
      } catch {
        return false
      }
    }
  }
}

/** Holds no process up that has nothing else to do. */
export async function pause (ms: number): Promise<void> {
  await new Promise<void>((resolve) => { (setTimeout(resolve, ms) as { unref?: () => void }).unref?.() })
}
