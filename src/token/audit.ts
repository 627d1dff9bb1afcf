// Room `token`: what happened to accounts, for whoever has to find out later. Each event says what, whose, from where, at
// which request and when; never a token, a password or an address of e-mail. An attacker can have it write no more than the
// work that an event costs him: a wrong password costs a hash, and what costs nothing is bounded here.
import type { Clock } from '../clock.ts'
import type { Client } from './revocation.ts'

/** Every event, and whether it costs a client nothing to cause it. */
const events = {
  registered: 'costly',
  login: 'costly',
  login_failed: 'costly',
  login_limited: 'free',
  registration_limited: 'free',
  refresh_token_reused: 'costly',
  logout: 'costly',
  logout_all: 'costly',
  session_ended: 'costly',
  other_sessions_ended: 'costly',
  current_password_wrong: 'costly',
  current_password_limited: 'free',
  password_changed: 'costly',
  profile_changed: 'costly',
  avatar_changed: 'costly'
} as const satisfies Record<string, 'costly' | 'free'>

export type AuditEvent = keyof typeof events

export const auditEvents = Object.keys(events) as AuditEvent[]

/** Notes an event. @param about the account and the session, where they are known */
export type Audit = (event: AuditEvent, client: Client, about?: { userId?: string, sid?: string }) => void

/** One line of the stream. */
export interface AuditLine {
  readonly event: AuditEvent
  readonly userId?: string
  readonly sid?: string
  readonly address: string
  readonly requestId: string
  /** When, in UTC (ISO 8601). */
  readonly at: string
  /** Events of this kind since its last line that got none of their own. */
  readonly moreSinceLastLine?: number
}

export interface AuditOptions {
  clock: Clock
  write: (line: AuditLine) => void
  /** Told of each event, written or not. */
  onEvent: (event: AuditEvent) => void
}

/** Milliseconds between two lines of an event that costs nothing. */
const quietMs = 1000

export function createAudit ({ clock, write, onEvent }: AuditOptions): Audit {
  const quiet = new Map<AuditEvent, { until: number, unsaid: number }>()

  /** @returns how many were held back before this one; undefined if it is held back too */
  function turnOf (event: AuditEvent): number | undefined {
    const now = clock.mono()
    const held = quiet.get(event)
    if (held !== undefined && now < held.until) {
      held.unsaid++
      return undefined
    }
    quiet.set(event, { until: now + quietMs, unsaid: 0 })
    return held?.unsaid ?? 0
  }

  return (event, { address, requestId }, about = {}) => {
    onEvent(event)
    const unsaid = events[event] === 'free' ? turnOf(event) : 0
    if (unsaid === undefined) return
    const at = new Date(clock.wall()).toISOString()
    write({ event, ...about, address, requestId, at, ...(unsaid > 0 && { moreSinceLastLine: unsaid }) })
  }
}
