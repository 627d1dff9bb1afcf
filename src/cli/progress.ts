// Command line: how far a long work is. On a terminal one line that is written over, elsewhere a line every few seconds.
import type { Io } from './io.ts'

export interface Progress {
  /** Says how far it is, if it is time to. */
  show: (text: string) => void
  /** Makes room for another line. */
  clear: () => void
}

/** Milliseconds between two lines. */
const [everyMs, everyMsOnTerminal] = [5000, 100]

export function createProgress ({ err, isTerminal, clock }: Pick<Io, 'err' | 'isTerminal' | 'clock'>): Progress {
  let quietUntil = clock.mono() + (isTerminal ? 0 : everyMs)
  let isShown = false
  return {
    show (text) {
      if (clock.mono() < quietUntil) return
      quietUntil = clock.mono() + (isTerminal ? everyMsOnTerminal : everyMs)
      err(isTerminal ? `\r\x1b[K${text}` : `${text}\n`)
      isShown = isTerminal
    },
    clear () {
      if (isShown) err('\r\x1b[K')
      isShown = false
    }
  }
}
