// Fills the stores with what the service would have written, by its own writers where there are any, and lets time pass
// for it: the ends of documents, counters and leases are moved into the past, and copies run out.
import bcrypt from 'bcrypt'
import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Db } from 'mongodb'
import { writeCopy } from '../../src/cache/copy-text.ts'
import { createRedisEndingSet } from '../../src/cache/ending-set.ts'
import { tombstone } from '../../src/cache/shared-tier.ts'
import { deviceOf } from '../../src/session/device.ts'
import { createSessionRepository } from '../../src/session/session-repository.ts'
import type { SessionRecord } from '../../src/session/session-rules.ts'
import { sessionCopyOf } from '../../src/token/session-copy.ts'
import { plainView } from '../../src/user/user-view.ts'
import { profileOf, type UserRecord } from '../../src/user/user-record.ts'
import { createUserRepository } from '../../src/user/user-repository.ts'

/** @property prefix of every key in Redis */
export interface Stores { db: Db, redis: Redis, prefix: string }

/** Documents of sessions, keys in Redis, and members of its sorted sets. */
export interface Sizes { documents: number, keys: number, members: number }

/** Everybody's. */
export const password = 'the same for everybody, twice'

export const emailOf = (n: number): string => `user-${n}@example.com`

const hourMs = 3_600_000
const atOnce = 5000
const userAgent = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
const device = deviceOf(userAgent)
const setNames = ['active', 'profiles', 'blacklist']
const newId = (): string => randomBytes(16).toString('base64url')

function newUser (n: number, passwordHash: string, now: Date): UserRecord {
  const names = { email: emailOf(n), emailKey: emailOf(n), username: `user-${n}`, usernameKey: `user-${n}`, fullName: null }
  return { _id: newId(), ...names, role: 'user', passwordHash, tokenVersion: 0, preferences: {}, avatarId: null, version: 0, createdAt: now, updatedAt: now }
}

function newSession (userId: string, now: Date): SessionRecord {
  const createdAt = new Date(now.getTime() - Math.round(Math.random() * hourMs))
  const inHours = (hours: number) => new Date(createdAt.getTime() + hours * hourMs)
  const origin = { device, ip: '192.0.2.7', userAgent, createdAt, lastSeenAt: createdAt }
  return { _id: newId(), userId, tokenVersion: 0, generation: 0, rotatedAt: null, ...origin, expiresAt: inHours(7 * 24), absoluteExpiresAt: inHours(30 * 24), revokedAt: null, revokedReason: null }
}

/** Copies of the texts given, by key, for an hour. */
async function setAll ({ redis, prefix }: Stores, texts: readonly (readonly [key: string, text: string])[]): Promise<void> {
  const pipeline = redis.pipeline()
  for (const [key, text] of texts) pipeline.set(prefix + key, text, 'PX', hourMs)
  await pipeline.exec()
}

/**
 * Users, sessions that live, a copy of each session and each profile in Redis, and a fiftieth as many tombstones.
 * @returns what the stores then hold
 */
export async function fillStores (stores: Stores, { sessions, users, say }: { sessions: number, users: number, say: (text: string) => void }): Promise<Sizes> {
  const { db, redis, prefix } = stores
  for (const repository of [createUserRepository(db), createSessionRepository(db)]) await repository.ensureIndexes()
  const passwordHash = bcrypt.hashSync(password, 10)
  const setOf = (name: string) => createRedisEndingSet(redis, prefix + name, randomBytes)
  const [active, profiles, blacklist] = [setOf('active'), setOf('profiles'), setOf('blacklist')]
  const now = new Date()
  const inAnHour = now.getTime() + hourMs

  async function openAll (opened: readonly { user: UserRecord, session: SessionRecord }[]): Promise<void> {
    await db.collection<SessionRecord>('usersession').insertMany(opened.map(({ session }) => session), { ordered: false })
    await setAll(stores, opened.map(({ user, session }) => {
      const times = { readAt: now.getTime(), endsAt: now.getTime() + 60_000, expiresAt: session.expiresAt.getTime() }
      return [`session:${session._id}`, writeCopy({ ...times, value: sessionCopyOf(plainView, user) }, { encode: JSON.stringify, decode: () => undefined })]
    }))
    await active.addAll(opened.map(({ session }) => [session._id, session.expiresAt.getTime()]))
  }

  for (let from = 0, told = 0, done = 0; from < users; from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, users - from) }, (_, i) => newUser(from + i, passwordHash, now))
    await db.collection<UserRecord>('users').insertMany(some, { ordered: false })
    await setAll(stores, some.map((user) => [`user:profile:${user._id}`, `0|${now.getTime()}|${JSON.stringify(profileOf(user))}`]))
    await profiles.addAll(some.map(({ _id }) => [_id, inAnHour]))
    for (let round = 0; round < sessions / users; round++) await openAll(some.map((user) => ({ user, session: newSession(user._id, now) })))
    done += some.length
    if (done - told < users / 5 && done < users) continue
    say(`the sessions of ${done} users are written`)
    told = done
  }
  for (let rest = Math.round(sessions / 50); rest > 0; rest -= atOnce) {
    const over = Array.from({ length: Math.min(atOnce, rest) }, newId)
    await setAll(stores, over.map((sid) => [`session:${sid}`, tombstone]))
    await blacklist.addAll(over.map((sid) => [sid, inAnHour]))
  }
  return await sizesOf(stores)
}

export async function sizesOf ({ db, redis, prefix }: Stores): Promise<Sizes> {
  const members = await Promise.all(setNames.map((name) => redis.zcount(prefix + name, '(0', '+inf')))
  return { documents: await db.collection('usersession').countDocuments(), keys: await redis.dbsize(), members: members.reduce((sum, count) => sum + count, 0) }
}

/**
 * Everything that was opened has ended a day ago or more.
 * @param copiesMs within which copies run out, which is Redis' own business
 */
export async function endAll ({ db, redis, prefix }: Stores, { copiesMs }: { copiesMs: number }): Promise<void> {
  const backMs = 8 * 24 * hourMs
  await db.collection('usersession').updateMany({}, [{ $set: { expiresAt: { $subtract: ['$expiresAt', backMs] } } }])
  await db.collection('leases').updateMany({}, [{ $set: { until: { $subtract: ['$until', backMs] } } }])
  for (const name of setNames) {
    const ends = await redis.zrange(prefix + name, '(0', '+inf', 'BYSCORE', 'WITHSCORES')
    for (let from = 0; from < ends.length; from += 2 * atOnce) {
      const some = ends.slice(from, from + 2 * atOnce)
      await redis.zadd(prefix + name, ...some.flatMap((text, i) => i % 2 === 0 ? [Number(some[i + 1]) - backMs, text] : []))
    }
  }
  for (let cursor = '0'; ;) {
    const [next, keys] = await redis.scan(cursor, 'COUNT', atOnce)
    const copies = redis.pipeline()
    for (const key of keys) if (/:(session|user:profile):/.test(key)) copies.pexpire(key, 1 + Math.round(Math.random() * copiesMs))
    await copies.exec()
    if (next === '0') return
    cursor = next
  }
}
