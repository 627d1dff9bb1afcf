// Where log lines of the process go: to standard output, or nowhere. A disk that is full, a reader that has gone or one that
// does not read costs lines and never the service: pino's own destination throws into whoever logs, or waits for ever.
import { writeSync } from 'node:fs'

/** A pipe that is full is tried again after so many milliseconds, and so often; then the line is lost. */
const pauseMs = 5
const mostTries = 10

const pause = new Int32Array(new SharedArrayBuffer(4))

/** @param fd standard output unless told otherwise */
export function createLogStream (fd = 1): { write: (line: string) => void } {
  /** After a lost line nobody is waited for until one is taken again: who does not read must not slow the service down. */
  let patience = mostTries
  let isTorn = false
  return {
    write (line) {
      let rest = Buffer.from(isTorn ? `\n${line}` : line)
      const whole = rest.length
      for (let tries = 1; ; tries++) {
        try {
          rest = rest.subarray(writeSync(fd, rest))
          if (rest.length === 0) break
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break
        }
        if (tries >= patience) break
        Atomics.wait(pause, 0, 0, pauseMs)
      }
      if (rest.length < whole) isTorn = rest.length > 0
      patience = rest.length === 0 ? mostTries : 1
    }
  }
}
