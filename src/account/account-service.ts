// Room `account`: what a person does with an account: register, sign in, look at it. An attempt is counted before its
// password is hashed and given back when it was no guess; an unknown account costs the same and answers the same (DESIGN 6).
import type { Clock } from '../clock.ts'
import { LatchkeyError, unavailable } from '../errors.ts'
import type { LoginLimits } from '../limit/login-limits.ts'
import type { Profile } from '../schemas/shapes.ts'
import type { Audit } from '../token/audit.ts'
import type { Tell } from '../token/host-hooks.ts'
import type { Client } from '../token/revocation.ts'
import type { Issued, TokenService } from '../token/token-service.ts'
import type { PasswordHasher } from '../user/password-hasher.ts'
import { canonicalPassword, checkNewPassword } from '../user/password-rules.ts'
import type { ProfileCache } from '../user/profile-cache.ts'
import { emailKeyOf, usernameKeyOf, type UserRecord } from '../user/user-record.ts'
import type { UserRepository } from '../user/user-repository.ts'
import { plainView, type UserView } from '../user/user-view.ts'
import { attempt, givingBack, reserving } from './attempts.ts'

export interface Registration { email: string, username: string, password: string, fullName?: string }
export interface Credentials { email?: string, username?: string, password: string }

export interface AccountService {
  /** @throws LatchkeyError `validation_failed`, `password_*`, `rate_limited`, `email_taken`, `username_taken`, `unavailable` */
  register: (input: Registration, client: Client) => Promise<Issued>
  /** @throws LatchkeyError `rate_limited`, `invalid_credentials`, `unavailable` */
  login: (input: Credentials, client: Client) => Promise<Issued>
  /** @param leastVersion of the account, as the session has it. @throws LatchkeyError `session_revoked` if the account is gone, `unavailable` */
  profile: (userId: string, leastVersion: number) => Promise<Readonly<Profile>>
}

export interface AccountServiceOptions {
  users: UserRepository
  view?: UserView
  profiles: ProfileCache
  tokens: TokenService
  hasher: PasswordHasher
  limits: LoginLimits
  clock: Clock
  randomBytes: (size: number) => Buffer
  passwordMinLength: number
  /** Whether the unique indexes stand; before that nobody may register. */
  isReady: () => boolean
  audit: Audit
  tellHost: Tell
}

export function createAccountService (options: AccountServiceOptions): AccountService {
  const { users, view = plainView, profiles, tokens, hasher, limits, clock, randomBytes, passwordMinLength, isReady, audit, tellHost } = options

  async function findUser ({ email, username }: Credentials): Promise<UserRecord | null> {
    if (username !== undefined) return await users.findByUsernameKey(usernameKeyOf(username))
    const key = emailKeyOf(email ?? '')
    return key === undefined ? null : await users.findByEmailKey(key)
  }

  async function upgradeHash (user: UserRecord, password: string, address: string): Promise<void> {
    try {
      await users.upgradeHash(user._id, user.passwordHash, await hasher.hash(password, address))
    } catch { /* the next login tries again */ }
  }

  async function signIn (user: UserRecord | null, typed: string, client: Client): Promise<Issued> {
    const password = canonicalPassword(typed)
    const matches = await hasher.verify(password, user?.passwordHash ?? null, client.address)
    if (user === null || !matches) {
      audit('login_failed', client, user === null ? {} : { userId: user._id })
      throw new LatchkeyError('invalid_credentials')
    }
    const issued = await tokens.open(user, client)
    if (hasher.isOutdated(user.passwordHash)) void upgradeHash(user, password, client.address)
    audit('login', client, { userId: user._id, sid: issued.session._id })
    await tellHost('onSignedIn', client, eventOf(issued))
    return issued
  }

  /** Work that ends in a hash: no store is asked for what has no place there. */
  async function inPlace<T> (address: string, work: () => Promise<T>): Promise<T> {
    const leave = await hasher.keepPlace(address)
    try {
      return await work()
    } finally {
      leave()
    }
  }

  return {
    async register (input, client) {
      const emailKey = emailKeyOf(input.email)
      if (emailKey === undefined) throw new LatchkeyError('validation_failed', { errors: [{ path: '/body/email', message: 'must be an e-mail address' }] })
      const password = canonicalPassword(input.password)
      checkNewPassword(password, [input.email, emailKey, input.username, input.fullName ?? ''], passwordMinLength)
      if (!isReady()) throw unavailable(new Error('the unique indexes do not stand yet'))
      return await inPlace(client.address, async () => {
        const reservation = await reserving(() => { audit('registration_limited', client) }, () => limits.reserveRegistration(client.address))
        return await givingBack([reservation], async () => {
          const passwordHash = await hasher.hash(password, client.address) // before the address is looked at: taken and free take as long
          const now = new Date(clock.wall())
          const user: UserRecord = {
            _id: randomBytes(16).toString('base64url'),
            email: input.email.trim(),
            emailKey,
            username: input.username,
            usernameKey: usernameKeyOf(input.username),
            fullName: input.fullName ?? null,
            role: 'user',
            passwordHash,
            tokenVersion: 0,
            preferences: {},
            avatarId: null,
            version: 0,
            createdAt: now,
            updatedAt: now
          }
          view.publicUser(user) // a host's function that fails does so before there is an account
          await users.insert(user)
          audit('registered', client, { userId: user._id })
          const issued = await tokens.open(user, client)
          await tellHost('onRegistered', client, eventOf(issued))
          return issued
        })
      })
    },

    async login (input, client) {
      const onLimited = () => { audit('login_limited', client) }
      return await inPlace(client.address, () =>
        attempt({ limits, account: nameOf(input), address: client.address, onLimited }, async () => await signIn(await findUser(input), input.password, client)))
    },

    profile: (userId, leastVersion) => profiles.find(userId, leastVersion)
  }
}

/** What a host is told of it. */
const eventOf = ({ user, session }: Issued) => ({ userId: user.id, sid: session._id, user })

/** What attempts are counted by: as it was typed, so that counting tells nothing of who exists. */
function nameOf ({ email, username }: Credentials): string {
  return username === undefined ? `email ${emailKeyOf(email ?? '') ?? email ?? ''}` : `username ${usernameKeyOf(username)}`
}
