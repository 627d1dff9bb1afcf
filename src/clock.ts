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
