// Room `limit`: how many guesses, registrations and visits of guests are let through (DESIGN 6). Each attempt is counted before a hash is
// computed and given back when it succeeds or is refused: what counts in the end is failed logins. An address that has
// used up its share of an account is refused before it counts against the account, so that one stranger cannot lock the
// owner out.
import { createHmac } from 'node:crypto'
import { LatchkeyError } from '../errors.ts'
import { addressKey } from './address.ts'
import type { LimitCounter, Taken } from './limit-counter.ts'

/** Attempts that were let through and counted. */
export interface Reservation {
  /** Takes all of them back: the attempt was not a guess. */
  giveBack: () => Promise<void>
}

export interface LoginLimits {
  /** @throws LatchkeyError `rate_limited` */
  reserveAddress: (address: string) => Promise<Reservation>
  /**
   * @param account the account's name as the client typed it, whether there is such an account or not
   * @throws LatchkeyError `rate_limited`
   */
  reserveAccount: (account: string, address: string) => Promise<Reservation>
  /** @throws LatchkeyError `rate_limited` */
  reserveRegistration: (address: string) => Promise<Reservation>
  /** A visit that a guest begins: it is kept for good. @throws LatchkeyError `rate_limited` */
  reserveVisit: (address: string) => Promise<Reservation>
}

export interface LoginLimitsOptions {
  counter: LimitCounter
  /** Key of the HMAC that stands for accounts in counter keys: no e-mail address reaches a key. */
  hidingKey: string
  /** Failed logins per account and address in 5 minutes; ten times that per account. 0 switches both off. */
  perAccount: number
  /** Failed logins per address in 5 minutes; a fifth of that in registrations, and thirty times that in visits of guests, per hour. 0 switches all of them off. */
  perAddress: number
}

const windowMs = 5 * 60_000
const hourMs = 60 * 60_000

export function createLoginLimits ({ counter, hidingKey, perAccount, perAddress }: LoginLimitsOptions): LoginLimits {
  const hidden = (text: string) => createHmac('sha256', hidingKey).update('limit\0').update(text).digest('base64url')

  async function reserve (rules: { key: string, limit: number, windowMs: number }[]): Promise<Reservation> {
    const taken: Taken[] = []
    for (const rule of rules) {
      if (rule.limit === 0) continue
      const attempt = await counter.take(rule.key, rule.windowMs)
      taken.push(attempt)
      if (attempt.count <= rule.limit) continue
      await giveBack() // what was refused was no failed login: it must not keep the owner out
      throw new LatchkeyError('rate_limited', { retryAfterSeconds: Math.max(1, Math.ceil(attempt.restMs / 1000)) })
    }
    return { giveBack }

    async function giveBack (): Promise<void> { await Promise.all(taken.map((attempt) => attempt.giveBack())) }
  }

  return {
    reserveAddress: (address) => reserve([{ key: `login:address:${addressKey(address)}`, limit: perAddress, windowMs }]),
    reserveAccount (account, address) {
      const name = hidden(account)
      return reserve([
        { key: `login:pair:${name}:${addressKey(address)}`, limit: perAccount, windowMs },
        { key: `login:account:${name}`, limit: perAccount * 10, windowMs }
      ])
    },
    reserveRegistration: (address) => reserve([{ key: `register:address:${addressKey(address)}`, limit: Math.ceil(perAddress / 5), windowMs: hourMs }]),
    reserveVisit: (address) => reserve([{ key: `visit:address:${addressKey(address)}`, limit: perAddress * 30, windowMs: hourMs }])
  }
}
