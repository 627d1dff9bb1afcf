// Room `account`: an attempt at a password is counted before anything is hashed, and given back when it was right or was no
// guess at all: a store that fails, a limit that refuses, a pool that is full (DESIGN 6). A name that is taken counts,
// too: who could ask without end would learn who has an account.
import { LatchkeyError, type ErrorCode } from '../errors.ts'
import type { LoginLimits, Reservation } from '../limit/login-limits.ts'

const noGuess = new Set<ErrorCode>(['unavailable', 'rate_limited'])

/** @returns what `work` does; its reservations count only if it failed as a guess does */
export async function givingBack<T> (reservations: readonly Reservation[], work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof LatchkeyError) || noGuess.has(error.code)) await giveBackAll(reservations)
    throw error
  }
}

/** @param onLimited told of an attempt that was one too many, which is an event */
export async function reserving (onLimited: () => void, reserve: () => Promise<Reservation>): Promise<Reservation> {
  try {
    return await reserve()
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === 'rate_limited') onLimited()
    throw error
  }
}

export interface Attempt {
  limits: LoginLimits
  /** What attempts are counted by: as it was typed, so that counting tells nothing of who exists. */
  account: string
  address: string
  onLimited: () => void
}

/** Makes an attempt at the password of an account. @throws LatchkeyError `rate_limited`, and whatever `work` throws */
export async function attempt<T> ({ limits, account, address, onLimited }: Attempt, work: () => Promise<T>): Promise<T> {
  const byAddress = await reserving(onLimited, () => limits.reserveAddress(address))
  return await givingBack([byAddress], async () => {
    const byAccount = await reserving(onLimited, () => limits.reserveAccount(account, address))
    return await givingBack([byAccount], async () => {
      const result = await work()
      await giveBackAll([byAddress, byAccount])
      return result
    })
  })
}

async function giveBackAll (reservations: readonly Reservation[]): Promise<void> {
  await Promise.all(reservations.map((reservation) => reservation.giveBack()))
}
