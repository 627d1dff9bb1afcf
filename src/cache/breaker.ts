// Room `cache`: stops asking a store that does not answer, so that a request pays for an outage once, not each time.
// Closed: calls go through. After some failures in a row it opens: calls are refused at once. After a pause one call
// is let through as a probe; its success closes the breaker, its failure opens it for another pause.
import type { Clock } from '../clock.ts'

export interface Breaker {
  /** Whether a call may be tried now; true for one caller at a time once the pause is over. */
  allows: () => boolean
  succeeded: () => void
  failed: () => void
  isOpen: () => boolean
}

export interface BreakerOptions {
  clock: Clock
  /** Failures in a row that open it. */
  failures?: number
  /** Milliseconds without a call before a probe. */
  pauseMs?: number
  onOpen?: () => void
  onClose?: () => void
}

export function createBreaker ({ clock, failures = 5, pauseMs = 1000, onOpen, onClose }: BreakerOptions): Breaker {
  let row = 0
  let open = false
  let probeAt = 0
  return {
    allows () {
      if (!open) return true
      if (clock.mono() < probeAt) return false
      probeAt = clock.mono() + pauseMs // one probe a pause, also when it never comes back
      return true
    },
    succeeded () {
      row = 0
      if (!open) return
      open = false
      onClose?.()
    },
    failed () {
      row++
      if (open || row < failures) return
      open = true
      probeAt = clock.mono() + pauseMs
      onOpen?.()
    },
    isOpen: () => open
  }
}
