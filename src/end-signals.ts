// How a process is asked to end, and how long it may take.

/** Milliseconds that requests in flight are given when the process is asked to end. */
export const drainMs = 9000

/** npm passes a signal on that its group has had already: within this time it is the same signal. */
const sameSignalMs = 1000

/** What asks a process to end. */
export const endSignals = ['SIGTERM', 'SIGINT'] as const

/**
 * @param end told of the first of these signals
 * @param atOnce told of one that comes later
 */
export function onEndSignal (end: (signal: string) => void, atOnce: () => void): void {
  let asked: number | undefined
  for (const signal of endSignals) {
    process.on(signal, () => {
      const now = performance.now()
      if (asked === undefined) {
        asked = now
        end(signal)
      } else if (now - asked > sameSignalMs) atOnce()
    })
  }
}
