// From a session of an older service to one of ours: the hash of its token, its end, and what would never be admitted.
import { ObjectId } from 'mongodb'
import t from 'tap'
import { sessionFrom, type UntiedSession } from '../../../src/import/legacy-session.ts'
import { hashOfToken, jwtSign } from '../../helper/old-service.ts'

const now = new Date('2026-11-21T12:00:00.000Z')
const second = now.getTime() / 1000
const rules = { now, idleMs: 7 * 86_400_000 }
const userId = '507f1f77bcf86cd799439011'
const claims = { _id: userId, iat: second - 3600, exp: second + 3600 }
const documentOf = (payload: object = claims, more: Record<string, unknown> = {}): Record<string, unknown> =>
  ({ _id: new ObjectId(), userId: new ObjectId(userId), token: jwtSign(payload), ...more })

function recordOf (payload?: object, more?: Record<string, unknown>): UntiedSession {
  const mapped = sessionFrom(documentOf(payload, more), rules)
  if (mapped === null || 'reason' in mapped) throw new Error(mapped?.reason ?? 'ended')
  return mapped.record
}
const fateOf = (payload?: object, more?: Record<string, unknown>): string => {
  const mapped = sessionFrom(documentOf(payload, more), rules)
  return mapped === null ? 'ended' : 'reason' in mapped ? mapped.reason : 'taken over'
}

await t.test('a session, field by field: the token is gone, its hash stands for it', async (t) => {
  const token = jwtSign(claims)
  const userAgent = 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0'
  const record = recordOf(claims, { createdAt: new Date((second - 60) * 1000), userAgent, ip: '192.0.2.7', refreshToken: 'r', jti: 'j', generation: 9, revokedAt: null })
  t.strictSame(record, {
    _id: hashOfToken(token),
    userId,
    generation: 0,
    rotatedAt: null,
    device: { type: 'desktop', os: 'Linux', browser: 'Firefox' },
    ip: '192.0.2.7',
    userAgent,
    createdAt: new Date((second - 60) * 1000),
    lastSeenAt: new Date((second - 60) * 1000),
    expiresAt: new Date((second + 3600) * 1000),
    absoluteExpiresAt: new Date((second + 3600) * 1000),
    revokedAt: null,
    revokedReason: null
  })
  t.match(record._id, /^[A-Za-z0-9_-]{43}$/)
  t.notOk(JSON.stringify(record).includes(token.split('.')[2] as string))
})

await t.test('it ends at the earliest of document and token, or a refresh lifetime from now', async (t) => {
  const end = (payload: object, more: Record<string, unknown> = {}) => recordOf(payload, more).absoluteExpiresAt.getTime() / 1000 - second
  const { exp, ...endless } = claims
  t.equal(exp - second, end(claims, { expiresAt: new Date((second + 9999) * 1000) }))
  t.equal(end(claims, { expiresAt: new Date((second + 60) * 1000) }), 60)
  t.equal(end(claims, { expiresAt: second + 60 }), 60, 'in seconds')
  t.equal(end(claims, { expiresAt: (second + 60) * 1000 }), 60, 'in milliseconds')
  t.equal(end(endless, { expiresAt: new Date((second + 60) * 1000).toISOString() }), 60)
  t.equal(end(endless), 7 * 86_400)
  t.equal(end({ ...endless, exp: second + 0.5 }), 0.5)
  for (const expiresAt of ['soon', {}, new Date(NaN), true]) t.equal(fateOf(claims, { expiresAt }), 'its expiresAt is no date')
})

await t.test('what is over is left out without a word', async (t) => {
  t.equal(fateOf({ ...claims, exp: second }), 'ended', 'to the second')
  t.equal(fateOf(claims, { expiresAt: now }), 'ended')
  for (const more of [{ revokedAt: new Date(1) }, { revoked: true }, { isRevoked: true }, { active: false }, { isActive: false }, { valid: false }, { isValid: false }]) t.equal(fateOf(claims, more), 'ended', JSON.stringify(more))
  for (const more of [{ revoked: false }, { isActive: true }, { valid: 1 }]) t.equal(fateOf(claims, more), 'taken over', JSON.stringify(more))
})

await t.test('a token that would never be admitted makes no session', async (t) => {
  for (const token of [undefined, '', 7, {}]) t.equal(fateOf(claims, { token }), 'it has no token')
  const never: Record<string, unknown> = {
    'no JWT': 'b2f0c1d4', 'two parts': jwtSign(claims).split('.').slice(0, 2).join('.'), 'no user (seed 004)': jwtSign({ username: 'user' }), 'a number for a user': jwtSign({ id: 7 }), 'a time that is a text': jwtSign({ ...claims, exp: 'never' }), 'a time in milliseconds': jwtSign({ ...claims, exp: now.getTime() }), 'another algorithm': jwtSign(claims, 'k', { alg: 'HS512', typ: 'JWT' }), 'no algorithm': jwtSign(claims, 'k', { alg: 'none' }), 'a kid': jwtSign(claims, 'k', { alg: 'HS256', typ: 'JWT', kid: 'k1' }), 'a token of today': jwtSign(claims, 'k', { alg: 'HS256', typ: 'at+jwt' })
  }
  for (const [what, token] of Object.entries(never)) t.match(fateOf(claims, { token }), /^its token is no JWT of the kind/, what)
})

await t.test('document and token name one user, or only the token does', async (t) => {
  for (const more of [{ userId }, { userId: undefined, user: new ObjectId(userId) }, { userId: { _id: new ObjectId(userId), email: 'x' } }, { userId: undefined }, { userId: null }]) t.equal(recordOf(claims, more).userId, userId)
  for (const more of [{ userId: new ObjectId() }, { userId: 'somebody' }, { userId: 7 }, { userId: {} }, { userId: [userId] }]) t.equal(fateOf(claims, more), 'its token names another user', JSON.stringify(more))
})

await t.test('it began when the document says, else when the token does, and not in the future', async (t) => {
  const begin = (payload: object, more: Record<string, unknown> = {}) => recordOf(payload, more).createdAt.getTime() / 1000 - second
  t.equal(begin(claims), -3600)
  t.equal(begin({ ...claims, iat: undefined }), 0)
  t.equal(begin({ ...claims, iat: second + 99 }), 0)
  t.equal(begin(claims, { createdAt: new Date((second - 7) * 1000) }), -7)
  t.equal(begin(claims, { createdAt: '2999-01-01' }), 0)
})

await t.test('what a device said of itself is cut to what is kept', async (t) => {
  const record = recordOf(claims, { deviceInfo: 'x'.repeat(2000), ip: 'y'.repeat(2000) })
  t.strictSame([record.userAgent.length, record.ip.length], [512, 45])
})
