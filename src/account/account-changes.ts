// Room `account`: what the owner changes of an account. What signs a person in (address, username, password) needs the
// current password, which is limited like a login: a stolen access token must not be a way to guess it (REQUIREMENTS E7, H2).
import type { Clock } from '../clock.ts'
import { LatchkeyError, unavailable } from '../errors.ts'
import type { LoginLimits } from '../limit/login-limits.ts'
import type { Profile } from '../schemas/shapes.ts'
import type { Member } from '../session/session-rules.ts'
import type { ChangeAccount } from '../token/account-change.ts'
import type { Audit } from '../token/audit.ts'
import type { Tell } from '../token/host-hooks.ts'
import type { Client, RevokeOlder, SignedOut } from '../token/revocation.ts'
import type { Issued, TokenService } from '../token/token-service.ts'
import type { PasswordHasher } from '../user/password-hasher.ts'
import { canonicalPassword, checkNewPassword } from '../user/password-rules.ts'
import { emailKeyOf, usernameKeyOf, type UserRecord } from '../user/user-record.ts'
import type { ProfileFields, UserRepository } from '../user/user-repository.ts'
import { plainView, type UserView } from '../user/user-view.ts'
import { attempt } from './attempts.ts'

export interface ProfileChange { fullName?: string | null, username?: string, email?: string, currentPassword?: string }
export interface PasswordChange { currentPassword: string, newPassword: string }

export interface AccountChanges {
  /**
   * Changes what is given and leaves the rest alone.
   * @throws LatchkeyError `validation_failed`, `current_password_invalid`, `rate_limited`, `email_taken`, `username_taken`,
   * `session_revoked` if the account is gone, `unavailable`
   */
  changeProfile: (member: Member, change: ProfileChange, client: Client) => Promise<Readonly<Profile>>
  /**
   * Ends every session; the device that asks gets a new one.
   * @throws LatchkeyError `current_password_invalid`, `password_*`, `rate_limited`, `session_revoked`, `unavailable`
   */
  changePassword: (member: Member, change: PasswordChange, client: Client) => Promise<Issued & SignedOut>
}

export interface AccountChangesOptions {
  users: UserRepository
  view?: UserView
  changeAccount: ChangeAccount
  revokeOlder: RevokeOlder
  tokens: TokenService
  hasher: PasswordHasher
  limits: LoginLimits
  clock: Clock
  passwordMinLength: number
  audit: Audit
  tellHost: Tell
}

/** Tries of a change whose account another change, or an upgrade of the hash, overtook. */
const mostTries = 3

export function createAccountChanges (options: AccountChangesOptions): AccountChanges {
  const { users, view = plainView, changeAccount, revokeOlder, tokens, hasher, limits, clock, passwordMinLength, audit, tellHost } = options

  async function findUser (userId: string): Promise<UserRecord> {
    const user = await users.findById(userId)
    if (user === null) throw new LatchkeyError('session_revoked')
    return user
  }

  /**
   * Makes a write that holds only while the hash is the one that was checked.
   * @param check answers undefined when the password does not fit
   * @param write answers null when the hash was another; it gets what the check has answered
   */
  async function confirmed<T, C> (
    { userId, sid }: Member, typed: string | undefined, client: Client,
    check: (password: string, user: UserRecord) => Promise<C | undefined>, write: (user: UserRecord, checked: C) => Promise<T | null>
  ): Promise<T> {
    if (typed === undefined) throw new LatchkeyError('current_password_invalid', { detail: 'This change needs the current password of the account.' })
    const password = canonicalPassword(typed)
    const onLimited = () => { audit('current_password_limited', client, { userId, sid }) }
    return await attempt({ limits, account: `id ${userId}`, address: client.address, onLimited }, async () => {
      for (let tries = 0; tries < mostTries; tries++) {
        const user = await findUser(userId)
        const checked = await check(password, user)
        if (checked === undefined) {
          audit('current_password_wrong', client, { userId, sid })
          throw new LatchkeyError('current_password_invalid')
        }
        const written = await write(user, checked)
        if (written !== null) return written
      }
      throw unavailable(new Error('the account was changed at each try'))
    })
  }

  return {
    async changeProfile (member, change, client) {
      const { userId, sid } = member
      const user = await findUser(userId)
      const fields = fieldsOf(user, change)
      const write = (hash?: string) => changeAccount(userId, () => users.changeProfile(userId, fields, new Date(clock.wall()), hash))
      if (Object.keys(fields).length === 0) return view.profileOf(user)
      const needsPassword = fields.emailKey !== undefined || fields.usernameKey !== undefined
      const fits = async (password: string, { passwordHash }: UserRecord) => await hasher.verify(password, passwordHash, client.address) || undefined
      const changed = needsPassword ? await confirmed(member, change.currentPassword, client, fits, ({ passwordHash }) => write(passwordHash)) : await write()
      if (changed === null) throw new LatchkeyError('session_revoked')
      audit('profile_changed', client, { userId, sid })
      return view.profileOf(changed)
    },

    async changePassword (member, { currentPassword, newPassword }, client) {
      const { userId, sid } = member
      const password = canonicalPassword(newPassword)
      const { email, emailKey, username, fullName } = await findUser(userId)
      checkNewPassword(password, [email, emailKey, username, fullName ?? ''], passwordMinLength, '/body/newPassword')
      const replaced = async (current: string, { passwordHash }: UserRecord) => await hasher.replace(current, passwordHash, password, client.address) ?? undefined
      const changed = await confirmed(member, currentPassword, client, replaced, ({ passwordHash }, hash) => users.changePassword(userId, passwordHash, hash))
      audit('password_changed', client, { userId, sid })
      const ended = await revokeOlder(userId, changed.tokenVersion, 'password_changed')
      await tellHost('onPasswordChanged', client, { userId, sid, user: view.publicUser(changed) })
      return { ...await openAfresh(changed, client), ...ended }
    }
  }

  /** A session under the new password, unless that was changed again meanwhile. */
  async function openAfresh (user: UserRecord, client: Client): Promise<Issued> {
    try {
      return await tokens.open(user, client)
    } catch (error) {
      if (error instanceof LatchkeyError && error.code === 'invalid_credentials') throw new LatchkeyError('session_revoked', { cause: error })
      throw error
    }
  }
}

/** What differs from the account as it is. */
function fieldsOf (user: UserRecord, { fullName, username, email }: ProfileChange): ProfileFields {
  const fields: ProfileFields = {}
  if (fullName !== undefined && fullName !== user.fullName) fields.fullName = fullName
  if (username !== undefined && username !== user.username) Object.assign(fields, { username, usernameKey: usernameKeyOf(username) })
  const address = email?.trim()
  if (address !== undefined && address !== user.email) {
    const emailKey = emailKeyOf(address)
    if (emailKey === undefined) throw new LatchkeyError('validation_failed', { errors: [{ path: '/body/email', message: 'must be an e-mail address' }] })
    Object.assign(fields, { email: address, emailKey })
  }
  return fields
}
