// People, and sessions that are opened behind the login door: hashing a thousand passwords is not what is measured.
import { randomBytes } from 'node:crypto'

/** Sessions that are opened at a time. */
const atOnce = 20

/**
 * @param scope the service's inner scope
 * @returns for each session its access token, its id and its user's
 */
export async function openSessions (scope, { users, sessionsPerUser }) {
  const opened = []
  for (let n = 0; n < users; n++) {
    const user = newUser('')
    await scope.users.insert(user)
    const open = async () => {
      const { accessToken, session } = await scope.tokens.open(user, { address: '127.0.0.1', userAgent: 'bench', requestId: 'bench' })
      opened.push({ token: accessToken, sid: session._id, userId: user._id })
    }
    for (let s = 0; s < sessionsPerUser; s += atOnce) await Promise.all(Array.from({ length: Math.min(atOnce, sessionsPerUser - s) }, open))
  }
  return opened
}

/** A record of an account that nobody else has. */
export function newUser (passwordHash) {
  const name = `bench-${randomBytes(6).toString('hex')}`
  const now = new Date()
  return {
    _id: randomBytes(16).toString('base64url'),
    email: `${name}@example.com`,
    emailKey: `${name}@example.com`,
    username: name,
    usernameKey: name,
    fullName: null,
    role: 'user',
    passwordHash,
    tokenVersion: 0,
    preferences: {},
    avatarId: null,
    version: 0,
    createdAt: now,
    updatedAt: now
  }
}
