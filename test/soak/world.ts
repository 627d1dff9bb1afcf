// What the clients of a run know together: accounts, their sessions and the tokens of those. An honest client acts on this
// knowledge; the checker does not look at it, it judges the recorded history alone.

export interface Session {
  readonly sid: string
  readonly user: User
  /** The newest access token, and those before it with their ends. */
  access: Token
  readonly olderAccess: Token[]
  /** Every refresh token so far, the newest last, and when each came. */
  readonly refresh: { text: string, at: number }[]
  endsAt: number
  absoluteAt: number
  /** A refresh is under way. */
  isBusy: boolean
  /** Pages were noted and the visit was not ended. */
  hasVisit: boolean
  state: 'live' | 'dead'
  diedAt: number
}

export interface Token { text: string, exp: number }

export interface User {
  readonly id: string
  /** Short name, which everything that is written for it begins with. */
  readonly key: string
  readonly email: string
  readonly username: string
  /** Every password that was ever tried to be set. */
  readonly passwords: string[]
  /** Numbers of those that it may have now; more than one after a change whose outcome nobody knows. */
  candidates: number[]
  unsureSince: number
  isChanging: boolean
  readonly sessions: Session[]
  prefs: number
  name: number
}

export interface World {
  hot: User[]
  /** Private users of each client. */
  owned: Map<string, User[]>
  byKey: Map<string, User>
  pages: number
}

export const createWorld = (): World => ({ hot: [], owned: new Map(), byKey: new Map(), pages: 0 })

export const liveOf = ({ sessions }: User): Session[] => sessions.filter(({ state }) => state === 'live')

export function bury (session: Session, at: number): void {
  if (session.state === 'dead') return
  session.state = 'dead'
  session.diedAt = at
}

/** Values of registers name whose they are and which one of them, such as `u7` and 12. */
export const languageOf = (user: User, value: number): string => `en-x-${user.key}-s${value}`
export const fullNameOf = (user: User, value: number): string => `${user.key} n${value}`

/** @returns the number of a value, 0 for one that was never set, and the short name of whose it is */
export function readValue (text: unknown): { value: number, key?: string } {
  const [, key, digits] = /(u\w+)[- ][sn](\d+)$/.exec(String(text)) ?? []
  return key === undefined ? { value: 0 } : { value: Number(digits), key }
}
