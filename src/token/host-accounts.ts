// Room `token`: what a host may do to accounts by its own code: keep a little of its own with them, and say that what they show
// is out of date. Both reach the copies of every instance as a change of the profile does.
import type { Clock } from '../clock.ts'
import { LatchkeyError } from '../errors.ts'
import type { PublicUser } from '../schemas/shapes.ts'
import type { UserRepository } from '../user/user-repository.ts'
import type { UserView } from '../user/user-view.ts'
import type { ChangeAccount } from './account-change.ts'

export interface HostAccounts {
  /** Whoever asks from now on gets what `publicUser` says of the account now, on every instance. Rejects when MongoDB does not answer. */
  refreshUser: (userId: string) => Promise<void>
  /**
   * Replaces what the host keeps with an account, which its `publicUser` gets as `hostData`.
   * @param data an object of JSON, at most 4 KB; null takes it away
   * @returns what the account shows from now on
   * @throws TypeError for anything else, LatchkeyError `not_found` if there is no such account, `unavailable`
   */
  setHostData: (userId: string, data: Readonly<Record<string, unknown>> | null) => Promise<Readonly<PublicUser>>
}

export interface HostAccountsOptions {
  users: UserRepository
  view: UserView
  changeAccount: ChangeAccount
  clock: Clock
}

const mostBytes = 4096

export function createHostAccounts ({ users, view, changeAccount, clock }: HostAccountsOptions): HostAccounts {
  return {
    async refreshUser (userId) {
      await changeAccount(idOf(userId), async () => { /* what it shows comes from elsewhere */ })
    },
    async setHostData (userId, data) {
      const kept = data === null ? null : plainData(data)
      const user = await changeAccount(idOf(userId), () => users.setHostData(userId, kept, new Date(clock.wall())))
      if (user === null) throw new LatchkeyError('not_found', { detail: 'There is no such account.' })
      return view.publicUser(user)
    }
  }
}

/** A query by anything else would find somebody, or everybody. */
function idOf (userId: unknown): string {
  if (typeof userId !== 'string' || userId === '') throw new TypeError('the id of a user is a text')
  return userId
}

/** What MongoDB will give back as it was given: JSON, without the names that its query language would read. */
function plainData (data: unknown): Record<string, unknown> {
  const text = typeof data === 'object' && !Array.isArray(data) ? JSON.stringify(data, refuseOperators) : undefined
  if (text === undefined || Buffer.byteLength(text) > mostBytes) throw new TypeError(`hostData is an object of at most ${mostBytes} bytes as JSON, or null`)
  return JSON.parse(text) as Record<string, unknown>
}

function refuseOperators (name: string, value: unknown): unknown {
  if (/^\$|[.\0]/.test(name) || name === '__proto__') throw new TypeError('a name in hostData begins with no $, and has no dot and no NUL in it')
  return value
}
