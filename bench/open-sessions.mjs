// Opens sessions behind the login door: hashing a thousand passwords is not what is measured.
import { randomBytes } from 'node:crypto'

/**
 * @param scope the service's inner scope
 * @returns an access token and a session id for each
 */
export async function openSessions (scope, { users, sessionsPerUser }) {
  const tokens = []
  const sids = []
  for (let n = 0; n < users; n++) {
    const user = person()
    await scope.users.insert(user)
    for (let s = 0; s < sessionsPerUser; s++) {
      const { accessToken, session } = await scope.tokens.open(user, { address: '127.0.0.1', userAgent: 'bench', requestId: 'bench' })
      tokens.push(accessToken)
      sids.push(session._id)
    }
  }
  return { tokens, sids }
}

function person () {
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
    passwordHash: '',
    tokenVersion: 0,
    preferences: {},
    avatarId: null,
    version: 0,
    createdAt: now,
    updatedAt: now
  }
}
