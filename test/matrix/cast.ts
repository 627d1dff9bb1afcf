// The people of a cell and what each of them knows to be true: sessions that live, sessions that they ended, pages and
// preferences that were acknowledged, and those of which nobody can say.
import { login, newPerson, register, type Login, type Person } from '../helper/people.ts'
import type { Caller } from '../helper/service.ts'
import type { Instance } from './field.ts'

export interface Member extends Login { person: Person }

/** An ended session, and when its end was acknowledged (`performance.now()`). */
export interface Ended { accessToken: string, refreshToken: string, endedAt: number }

/** A user's pages in their order: those that were acknowledged, and those that may have been taken. */
export interface Diary { member: Member, acknowledged: string[], maybe: Set<string> }

/** A user's language as it was chosen last, and those that may have been. */
export interface Chooser { member: Member, chosen: string | undefined, maybe: Set<string> }

export interface Cast {
  /** Nobody ends these. */
  live: Member[]
  refreshers: Member[]
  enders: Person[]
  ended: Ended[]
  diaries: Diary[]
  choosers: Chooser[]
  /** Registered while the cell is played. */
  registered: Person[]
  /** Of the probes of the recovery. */
  prober: Member
}

export const callerAt = (instance: Instance): Caller => ({
  call: (path, call) => instance.call(path, call),
  get: (path, call) => instance.call(path, call),
  post: (path, body, call) => instance.call(path, { method: 'POST', ...(body !== undefined && { body }), ...call })
})

/** Registers everybody, at the instances in turn. */
export async function enrol (instances: readonly Instance[]): Promise<Cast> {
  let turn = 0
  const next = async (): Promise<Member> => await register(callerAt(instances[turn++ % instances.length] as Instance))
  const two = async (): Promise<[Member, Member]> => [await next(), await next()]
  const [live, refreshers, diarists, choosers, enders] = [await two(), await two(), await two(), await two(), await two()]
  return {
    live: [...live, ...diarists, ...choosers],
    refreshers,
    enders: enders.map(({ person }) => person),
    ended: [],
    diaries: diarists.map((member) => ({ member, acknowledged: [], maybe: new Set() })),
    choosers: choosers.map((member) => ({ member, chosen: undefined, maybe: new Set() })),
    registered: [],
    prober: await next()
  }
}

/** A session that its device ends at once. */
export async function openedAndEnded (instance: Instance, person: Person = newPerson()): Promise<Ended> {
  const { accessToken, refreshToken } = await login(callerAt(instance), person)
  const { status } = await instance.call('/api/auth/logout', { method: 'POST', token: accessToken })
  if (status !== 200) throw new Error(`logout: ${status}`)
  return { accessToken, refreshToken, endedAt: performance.now() }
}
