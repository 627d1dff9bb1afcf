// A clock that tests move: it runs like the system's, ahead of it by what the test has added.
import { systemClock, type Clock } from '../../src/clock.ts'

export interface TestClock extends Clock {
  /** Moves both clocks, milliseconds. */
  advance: (ms: number) => void
  /** Moves the time of day alone, as setting a machine's clock does; milliseconds, may be negative. */
  setWallBy: (ms: number) => void
}

export function createTestClock (): TestClock {
  let wall = 0
  let mono = 0
  return {
    wall: () => systemClock.wall() + wall,
    mono: () => systemClock.mono() + mono,
    advance (ms) {
      wall += ms
      mono += ms
    },
    setWallBy (ms) { wall += ms }
  }
}

/** A clock that stands still until it is moved, for tests of edges. */
export function createStillClock (start = 1_800_000_000_000): TestClock {
  let wall = start
  let mono = 5000
  return {
    wall: () => wall,
    mono: () => mono,
    advance (ms) {
      wall += ms
      mono += ms
    },
    setWallBy (ms) { wall += ms }
  }
}
