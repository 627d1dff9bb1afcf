// From an account of an older service to one of ours: what stays, what is made up, what is left behind.
import bcrypt from 'bcrypt'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { userFrom } from '../../../src/import/legacy-user.ts'
import type { UserRecord } from '../../../src/user/user-record.ts'
import { oldAccount } from '../../helper/old-service.ts'

const now = new Date('2026-11-21T12:00:00.000Z')
const account = oldAccount()

const recordOf = (more: Record<string, unknown> = {}): UserRecord => {
  const mapped = userFrom({ ...account.document, ...more }, now)
  if ('reason' in mapped) throw new Error(mapped.reason)
  return mapped.record
}
const reasonOf = (more: Record<string, unknown>): string => {
  const mapped = userFrom({ ...account.document, ...more }, now)
  return 'reason' in mapped ? mapped.reason : 'taken over'
}

await t.test('an account of seed 003, field by field', async (t) => {
  t.strictSame(recordOf({ email: ` ${account.email.toUpperCase()} `, username: 'Ada.L', role: 'admin', tokenVersion: 4, refreshToken: 'x', refreshTokens: [{ token: 'y' }], isAdmin: true, avatar: '/uploads/1.png' }), {
    _id: account.id,
    email: account.email.toUpperCase(),
    emailKey: account.email,
    username: 'Ada.L',
    usernameKey: 'ada.l',
    fullName: 'Ada Lovelace',
    role: 'admin',
    passwordHash: account.document['password'],
    tokenVersion: 4,
    preferences: {},
    avatarId: null,
    version: 0,
    createdAt: new Date('2024-03-01T10:00:00.000Z'),
    updatedAt: new Date('2024-03-01T10:00:00.000Z')
  })
})

await t.test('an id is an ObjectId or a text that can stand in a key; never an address', async (t) => {
  t.equal(recordOf({ _id: new ObjectId('507f1f77bcf86cd799439011') })._id, '507f1f77bcf86cd799439011')
  for (const id of ['507f1f77bcf86cd799439011', 'user-1', '3f2504e0-4f89-11d3-9a0c-0305e82c3301', 'a'.repeat(128)]) t.equal(recordOf({ _id: id })._id, id)
  for (const id of [7, null, undefined, '', 'a b', 'a'.repeat(129), account.email, { $oid: 'x' }, 'ä', 'a{b}', ['x']]) t.match(reasonOf({ _id: id }), /^its _id/, String(id))
})

await t.test('an address is one that could register, and its spelling stays', async (t) => {
  t.equal(reasonOf({ email: undefined }), 'it has no e-mail address', 'as in seed 004')
  t.equal(reasonOf({ email: { $gt: '' } }), 'it has no e-mail address')
  for (const email of ['ada', 'a@b', 'a b@c.example', `${'a'.repeat(65)}@b.example`]) t.equal(reasonOf({ email }), 'its e-mail address is not one')
})

await t.test('a role is admin, or user', async (t) => {
  for (const role of ['user', 'Admin', 'ADMIN', 'superadmin', true, 1, ['admin'], { admin: true }, null, undefined]) t.equal(recordOf({ role }).role, 'user')
})

await t.test('a password is a bcrypt hash, as it is', async (t) => {
  const tail = String(account.document['password']).slice(7)
  for (const hash of [`$2a$10$${tail}`, `$2b$04$${tail}`, `$2y$12$${tail}`, `$2b$16$${tail}`]) {
    t.equal(recordOf({ password: hash }).passwordHash, hash)
    t.equal(recordOf({ password: undefined, passwordHash: hash }).passwordHash, hash)
  }
  for (const password of ['secret', '', undefined, 7, `$2x$10$${tail}`, `$2$10$${tail}`, `$2b$10$${tail.slice(1)}`, `$2b$10$${tail}A`, `$2b$03$${tail}`, `$2b$17$${tail}`, `$2b$31$${tail}`, `$argon2id$${tail}`, `$2b$10$${tail}\n`]) {
    t.equal(reasonOf({ password }), 'its password is no bcrypt hash of a cost from 4 to 16', String(password))
  }
  t.ok(bcrypt.compareSync(account.password, recordOf().passwordHash))
})

await t.test('a username stays if a login can name it, else it is made of the id', async (t) => {
  for (const username of ['A', 'Ada Lovelace', account.email, 'ж'.repeat(320), '  ']) t.match(recordOf({ username }), { username, usernameKey: username.toLowerCase() })
  for (const username of [undefined, null, '', 7, {}, 'x'.repeat(321)]) t.equal(recordOf({ username }).username, `user-${account.id}`)
  t.match(recordOf({ _id: 'a'.repeat(27), username: '' }).username, /^user-a{27}$/)
  const [long, other] = ['a'.repeat(28), 'b:c'].map((_id) => recordOf({ _id, username: '' }).username)
  t.match(long, /^[A-Za-z0-9._-]{32}$/)
  t.match(other, /^[A-Za-z0-9._-]{32}$/)
  t.not(long, other)
  t.equal(recordOf({ _id: 'b:c', username: '' }).username, other, 'the same each time')
})

await t.test('a full name is text, at most as long as the doors take it', async (t) => {
  t.equal(recordOf({ fullName: undefined, name: 'Ada' }).fullName, 'Ada')
  for (const fullName of [undefined, '', 7, ['Ada']]) t.equal(recordOf({ fullName }).fullName, null)
  t.equal(recordOf({ fullName: '🔑'.repeat(300) }).fullName, '🔑'.repeat(200))
})

await t.test('of preferences stays what is lawful', async (t) => {
  const lawful = { theme: 'dark', notifications: false, language: 'pt-BR' }
  t.strictSame(recordOf({ preferences: lawful }).preferences, lawful)
  t.strictSame(recordOf({ preferences: { theme: 'blue', notifications: 'yes', language: 'EN-us', font: 3, __proto__: { theme: 'dark' } } }).preferences, { language: 'en-US' })
  for (const preferences of [null, 'dark', [], 7, { language: '' }, { language: 'not a tag' }, JSON.parse('{"__proto__":{"theme":"dark"}}')]) t.strictSame(recordOf({ preferences }).preferences, {})
})

await t.test('times are dates of some form and not of the future; an ObjectId knows when it was made', async (t) => {
  for (const createdAt of [new Date(1e12), new Date(1e12).toISOString(), 1e12, 1e9]) t.strictSame(recordOf({ createdAt }).createdAt, new Date(1e12))
  const made = new Date('2023-05-05T05:05:05.000Z')
  for (const createdAt of [undefined, 'yesterday', '7', new Date(NaN), {}]) {
    t.match(recordOf({ _id: ObjectId.createFromTime(made.getTime() / 1000), createdAt, updatedAt: undefined }), { createdAt: made, updatedAt: made })
    t.strictSame(recordOf({ _id: 'u1', createdAt }).createdAt, now)
  }
  t.match(recordOf({ createdAt: '2999-01-01', updatedAt: '2999-01-01' }), { createdAt: now, updatedAt: now })
})

await t.test('a tokenVersion is a whole number from 0, else 0', async (t) => {
  for (const tokenVersion of [-1, 1.5, '3', NaN, Infinity, 2 ** 60, null, undefined]) t.equal(recordOf({ tokenVersion }).tokenVersion, 0)
})

await t.test('members of every object are no fields', async (t) => {
  t.match(userFrom(Object.create(account.document) as Record<string, unknown>, now), { reason: /_id/ })
})
