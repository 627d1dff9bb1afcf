// Command line: what a command has to do with the world; a test brings its own.
import type { Clock } from '../clock.ts'

export interface Io {
  /** Variables of the environment; asked for only by commands that need the configuration. */
  environment: () => Record<string, string | undefined>
  /** A line of the result. */
  out: (line: string) => void
  /** Text beside the result: progress, warnings, failures. */
  err: (text: string) => void
  /** Whether `err` goes to a terminal, where a line can be written over. */
  isTerminal: boolean
  clock: Clock
  randomBytes: (size: number) => Buffer
  /** Starts the service in this process. */
  start: () => Promise<unknown>
}

/** How a command ended. */
export const exit = Object.freeze({ done: 0, failed: 1, misused: 2, incomplete: 3 })
