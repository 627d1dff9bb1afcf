// Room `token`: what a host is told of its accounts and sessions. A hook runs when the change stands in MongoDB and before the
// client is answered. It cannot undo anything: a hook that throws, or takes longer than two seconds, is logged, and the answer
// is the same. Whoever must not miss an event writes it down in the hook and works on it later.
import type { Clock } from '../clock.ts'
import type { PublicUser } from '../schemas/shapes.ts'
import type { Client } from './revocation.ts'

/** Where an event came from. */
interface Origin {
  readonly address: string
  readonly userAgent: string
  /** As in the log. */
  readonly requestId: string
  readonly at: Date
}

/** Something happened to a session. */
export interface SessionEvent extends Origin { readonly userId: string, readonly sid: string }

/** Something happened to an account, with this session. */
export interface AccountEvent extends SessionEvent { readonly user: Readonly<PublicUser> }

export interface SignedOutEvent extends SessionEvent {
  /** Which door: this device, all, one from the list of devices (then `sid` is that one), or all others. */
  readonly reason: 'logout' | 'logout_all' | 'session_ended' | 'other_sessions_ended'
  /** Sessions that ended. */
  readonly revoked: number
}

type Hook<E> = (event: E) => void | Promise<void>

/** Functions that a host is called back by; each is awaited. */
export interface HostHooks {
  /** An account was made, and its first session opened. */
  onRegistered?: Hook<AccountEvent>
  onSignedIn?: Hook<AccountEvent>
  /** A refresh was answered with a new pair; also each repetition within the grace. */
  onRefreshed?: Hook<AccountEvent>
  /** A spent refresh token was used after the grace; its session has ended. */
  onReuseDetected?: Hook<SessionEvent>
  onSignedOut?: Hook<SignedOutEvent>
  /** Every session has ended, also that of the device that asked (`sid`), which gets a new one. */
  onPasswordChanged?: Hook<AccountEvent>
}

type EventOf<H extends keyof HostHooks> = Parameters<NonNullable<HostHooks[H]>>[0]

/** Calls a hook and waits for it. Never rejects. */
export type Tell = <H extends keyof HostHooks>(hook: H, client: Client, about: Omit<EventOf<H>, keyof Origin>) => Promise<void>

export interface TellOptions {
  hooks: HostHooks
  clock: Clock
  onFailure: (hook: keyof HostHooks, error: unknown) => void
  /** Milliseconds after which the client is answered although the hook is not done. */
  mostMs?: number
}

export function createTell ({ hooks, clock, onFailure, mostMs = 2000 }: TellOptions): Tell {
  return async (name, { address, userAgent, requestId }, about) => {
    const hook = hooks[name] as Hook<object> | undefined
    if (hook === undefined) return
    let timer: NodeJS.Timeout | undefined
    try {
      const tooLong = new Promise<never>((_resolve, reject) => { timer = setTimeout(() => { reject(new Error(`it took longer than ${mostMs} ms`)) }, mostMs) })
      const done = (async () => { await hook(Object.freeze({ ...about, address, userAgent, requestId, at: new Date(clock.wall()) })) })()
      await Promise.race([done, tooLong])
    } catch (error) {
      onFailure(name, error)
    } finally {
      clearTimeout(timer)
    }
  }
}
