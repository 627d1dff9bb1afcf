// Client: what changes the session is done one at a time, in all calls of a client and, where the browser has the Web Locks
// API, in all tabs. Locks only spare work: where there are none, or none to be had, the service forgives two refreshes.

export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

type Locks = { request: <T>(name: string, options: { signal: AbortSignal }, work: () => Promise<T>) => Promise<T> }

/** A tab that the browser has put to sleep may keep a lock for ever. */
const mostWaitMs = 15_000

/** @param lockName shared by the tabs; undefined where nobody else has the session */
export function createInTurn (lockName: string | undefined): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  return async (work) => {
    const turn = last.then(async () => lockName === undefined ? await work() : await overTabs(lockName, work))
    last = turn.catch(() => { /* whoever asked is told */ })
    return await turn
  }
}

async function overTabs<T> (name: string, work: () => Promise<T>): Promise<T> {
  const { locks } = (globalThis as { navigator?: { locks?: Locks } }).navigator ?? {}
  if (locks === undefined) return await work()
  let begun: Promise<T> | undefined
  try {
    return await locks.request(name, { signal: AbortSignal.timeout(mostWaitMs) }, () => (begun = work()))
  } catch (error) {
    if (begun !== undefined) throw error
    return await work() // a page that may have none (a sandboxed frame), or one that was waited for in vain
  }
}
