// Room `clock`: the one place where the time of day and the age of things come from.
// Rooms take a Clock as a parameter, so that a test can move time instead of sleeping.

/** Two clocks: one for what is written down or compared between machines, one for ages inside this process. */
export interface Clock {
  /** Time of day in milliseconds since the epoch; may jump when the machine's clock is set. */
  wall: () => number
  /** Milliseconds since an arbitrary start; never jumps and never runs backwards. */
  mono: () => number
}

export const systemClock: Clock = Object.freeze({
  wall: () => Date.now(),
  mono: () => performance.now()
})

/**
 * Waits for something that may not come. Where the process stood still in between, what arrived meanwhile is read before it is late:
 * timers come before the network in a turn of the event loop, and one stall must not fail everything that was under way.
 * @param ms longest milliseconds, real ones: for what the network owes, not for what a clock decides
 * @param late what is answered then; the work goes on, and how it ends is its own business
 * @throws what the work throws in time, or `late`
 */
export function within<T, L> (ms: number, work: Promise<T>, late: () => L): Promise<T | L> {
  return new Promise((resolve, reject) => {
    let isSettled = false
    const timer = setTimeout(() => {
      setImmediate(() => { if (!isSettled) resolve(Promise.resolve().then(late)) })
    }, ms)
    const inTime = <V>(settle: (value: V) => void) => (value: V) => {
      isSettled = true
      clearTimeout(timer)
      settle(value)
    }
    work.then(inTime(resolve), inTime(reject))
  })
}
