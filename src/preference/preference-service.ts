// Room `preference`: the preferences of users, in their accounts. One write changes what is given and nothing else, so
// that two devices which change different things both prevail. Those of guests are in their cookies and need nobody.
import type { Clock } from '../clock.ts'
import { LatchkeyError } from '../errors.ts'
import type { Preferences } from '../schemas/shapes.ts'
import type { ProfileCache } from '../user/profile-cache.ts'
import { wholePreferences, type UserRecord } from '../user/user-record.ts'
import type { UserRepository } from '../user/user-repository.ts'
import { canonical, chosenIn, cookieText, type Chosen } from './preference-rules.ts'

export interface PreferenceService {
  /** @param leastVersion of the account, as the session has it. @throws LatchkeyError `session_revoked` if the account is gone, `unavailable` */
  read: (userId: string, leastVersion: number) => Promise<Readonly<Preferences>>
  /** @returns all of them afterwards. @throws LatchkeyError `validation_failed`, `session_revoked`, `unavailable` */
  change: (userId: string, chosen: Chosen) => Promise<Readonly<Preferences>>
  /** @param text what the guest's cookie says, undefined without one */
  readGuest: (text: string | undefined) => Readonly<Preferences>
  /** @returns all of them afterwards, and what the cookie says from now on. @throws LatchkeyError `validation_failed` */
  changeGuest: (text: string | undefined, chosen: Chosen) => { preferences: Readonly<Preferences>, text: string }
  /** What a guest chose, for one who has become this user and never chose that; never fails. */
  fill: (userId: string, text: string) => Promise<void>
}

export interface PreferenceServiceOptions {
  users: UserRepository
  profiles: ProfileCache
  clock: Clock
  /** Told of what could not be carried over. */
  onFailure: (error: unknown) => void
}

export function createPreferenceService ({ users, profiles, clock, onFailure }: PreferenceServiceOptions): PreferenceService {
  const write = (userId: string, work: (now: Date) => Promise<UserRecord | null>): Promise<UserRecord | null> =>
    profiles.changing(userId, () => work(new Date(clock.wall())))

  return {
    async read (userId, leastVersion) {
      return (await profiles.find(userId, leastVersion)).preferences
    },
    async change (userId, chosen) {
      const wanted = canonical(chosen)
      if (Object.keys(wanted).length === 0) return (await profiles.find(userId)).preferences
      const user = await write(userId, (now) => users.setPreferences(userId, wanted, now))
      if (user === null) throw new LatchkeyError('session_revoked')
      return wholePreferences(user.preferences)
    },
    readGuest: (text) => wholePreferences(chosenIn(text)),
    changeGuest (text, chosen) {
      const all = { ...chosenIn(text), ...canonical(chosen) }
      return { preferences: wholePreferences(all), text: cookieText(all) }
    },
    async fill (userId, text) {
      const chosen = chosenIn(text)
      if (Object.keys(chosen).length === 0) return
      try {
        await write(userId, (now) => users.fillPreferences(userId, chosen, now))
      } catch (error) {
        onFailure(error)
      }
    }
  }
}
