// A session as the tiers hold it: what is read back, what is foreign, and how the truth is asked.
import t from 'tap'
import type { SessionRecord } from '../../../src/session/session-rules.ts'
import { decodeSessionCopy, loadSessionCopy } from '../../../src/token/session-copy.ts'
import type { UserRecord } from '../../../src/user/user-record.ts'
import { createStillClock } from '../../helper/clock.ts'
import { someone } from './token-kit.ts'

await t.test('what was written is read again, frozen because requests share it', async (t) => {
  for (const user of [someone, { ...someone, fullName: null, avatarUrl: '/api/avatars/x', role: 'admin' as const }]) {
    const copy = decodeSessionCopy(JSON.stringify({ user, version: 7 }))
    t.strictSame(copy, { user, version: 7 })
    t.ok(Object.isFrozen(copy?.user))
  }
})

await t.test('a text that somebody else wrote is no copy', async (t) => {
  const without = Object.keys(someone).map((name) => ({ user: { ...someone, [name]: undefined }, version: 0 }))
  const wrongly = Object.keys(someone).flatMap((name) => [7, {}, [], true].map((value) => ({ user: { ...someone, [name]: value }, version: 0 })))
  const foreign = [
    {}, [], null, 'x', 7, { user: null, version: 0 }, { user: [], version: 0 }, { user: 'x', version: 0 }, someone, { user: someone, version: 0, more: 1 }, { user: { ...someone, passwordHash: '$2b$' }, version: 0 },
    { user: someone }, ...[null, '0', -1, 0.5, {}].map((version) => ({ user: someone, version })), ...without, ...wrongly
  ]
  for (const text of ['', '{', 'undefined', 'x', '['.repeat(100_000), ...foreign.map((value) => JSON.stringify(value)), JSON.stringify({ user: someone, version: 0 }).slice(0, -1), `{"__proto__":{},"version":0,"user":${JSON.stringify(someone)}}`]) {
    t.equal(decodeSessionCopy(text), undefined, text.slice(0, 200))
  }
})

await t.test('a role that no account can have is no copy', async (t) => {
  for (const role of ['root', 'ADMIN', '']) t.equal(decodeSessionCopy(JSON.stringify({ user: { ...someone, role }, version: 0 })), undefined, role)
})

const clock = createStillClock()
const session = { _id: 'sid-1', userId: 'user-1', tokenVersion: 3, revokedAt: null, expiresAt: new Date(clock.wall() + 1000), absoluteExpiresAt: new Date(clock.wall() + 9000) }
const user = { _id: 'user-1', username: 'ada', email: someone.email, fullName: 'Ada Lovelace', role: 'user', avatarId: null, tokenVersion: 3, version: 7, passwordHash: '$2b$12$hash' }

/** The truth asked with these two records in the store. */
function load (stored: object | null, owner: object | null): ReturnType<ReturnType<typeof loadSessionCopy>> {
  const sessions = { findWithUser: async () => stored && { session: stored as SessionRecord, user: owner as UserRecord | null } }
  return loadSessionCopy({ sessions, clock })('sid-1')
}

await t.test('the truth is a live session and its user, public fields only, until the session ends', async (t) => {
  t.strictSame(await load(session, user), { value: { user: someone, version: 7 }, expiresAt: session.expiresAt.getTime() })
})

await t.test('whatever is missing, ended or not the user\'s is a no', async (t) => {
  for (const [stored, owner] of [
    [null, user], [session, null], [null, null], [{ ...session, userId: 'user-2' }, user], [session, { ...user, _id: 'user-2' }], [{ ...session, revokedAt: new Date(0) }, user],
    [session, { ...user, tokenVersion: 4 }], [{ ...session, expiresAt: new Date(clock.wall()) }, user], [{ ...session, absoluteExpiresAt: new Date(clock.wall()) }, user]
  ] as const) t.equal(await load(stored, owner), null)
})

await t.test('a store that does not answer is no answer: it rejects', async (t) => {
  const away = Promise.reject<never>(new Error('away'))
  await t.rejects(loadSessionCopy({ sessions: { findWithUser: () => away }, clock })('sid-1'), { message: 'away' })
})
