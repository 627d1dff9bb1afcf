// When a session counts, to the millisecond.
import t from 'tap'
import { endOf, isExpired, isLive, type SessionRecord } from '../../../src/session/session-rules.ts'

const now = 1_800_000_000_000
const session = (more: Partial<SessionRecord> = {}): SessionRecord => ({
  _id: 'sid-1',
  userId: 'user-1',
  tokenVersion: 3,
  generation: 0,
  rotatedAt: null,
  device: { type: 'unknown', os: null, browser: null },
  ip: '203.0.113.1',
  userAgent: '',
  createdAt: new Date(now - 1000),
  lastSeenAt: new Date(now - 1000),
  expiresAt: new Date(now + 1000),
  absoluteExpiresAt: new Date(now + 5000),
  revokedAt: null,
  revokedReason: null,
  ...more
})
const user = { _id: 'user-1', tokenVersion: 3 }

await t.test('a session ends by idleness or in any case, whichever comes first', async (t) => {
  t.equal(endOf(session()), now + 1000)
  t.equal(endOf(session({ absoluteExpiresAt: new Date(now + 10) })), now + 10)
  t.equal(endOf(session({ expiresAt: new Date(now + 5000) })), now + 5000)
})

await t.test('it is over at the very moment of its end', async (t) => {
  for (const end of ['expiresAt', 'absoluteExpiresAt'] as const) {
    const ends = session({ expiresAt: new Date(now + 9000), absoluteExpiresAt: new Date(now + 9000), [end]: new Date(now) })
    t.notOk(isExpired(ends, now - 1), `${end}: a millisecond before`)
    t.ok(isLive(ends, user, now - 1))
    t.ok(isExpired(ends, now), `${end}: exactly then`)
    t.notOk(isLive(ends, user, now))
    t.ok(isExpired(ends, now + 1))
  }
})

await t.test('a live session answers for its user', async (t) => {
  t.equal(isLive(session(), user, now), true)
})

await t.test('a session that was ended never answers, not even before that moment', async (t) => {
  t.equal(isLive(session({ revokedAt: new Date(now - 1), revokedReason: 'logout' }), user, now), false)
  t.equal(isLive(session({ revokedAt: new Date(now + 5000) }), user, now), false)
})

await t.test('a user who is gone has no sessions, and nobody else\'s counts', async (t) => {
  t.equal(isLive(session(), null, now), false)
  t.equal(isLive(session(), { _id: 'user-2', tokenVersion: 3 }, now), false)
})

await t.test('when the user\'s tokenVersion has moved, the session is over, whichever way it moved', async (t) => {
  for (const tokenVersion of [4, 2, 0]) t.equal(isLive(session(), { ...user, tokenVersion }, now), false)
})
