// What Latchkey's repositories rely on in a document store, in the shapes in which they use it. The embedded store and
// the real engine keep the same promises; each promise starts from empty collections.
import type { Collection, Db } from 'mongodb'
import type { Test } from 'tap'
import { atomicityContract } from './document-store-atomicity.contract.ts'
import { readContract } from './document-store-read.contract.ts'
import { updateContract } from './document-store-update.contract.ts'
import { writeContract } from './document-store-write.contract.ts'

export interface User {
  _id: string
  email?: string
  emailKey: string
  username?: string
  usernameKey: string
  tokenVersion?: number
  createdAt?: Date
  updatedAt?: Date
  preferences?: Record<string, unknown>
}

export interface Session {
  _id: string
  userId: string
  generation: number
  rotatedAt?: Date | null
  lastSeenAt?: Date
  expiresAt: Date
  absoluteExpiresAt: Date
  revokedAt?: Date | null
  revokedReason?: string
  device?: { name?: string, os?: { version: number } } | null
}

export interface Visit {
  _id: string
  userId: string | null
  endTime: Date | null
  pages: { id: string, pageId: string, at?: Date }[]
  actions?: string[]
}

export interface Store {
  db: Db
  users: Collection<User>
  sessions: Collection<Session>
  visits: Collection<Visit>
  /** The store's own time of day in milliseconds: what `$$NOW` should be, give or take `toleranceMs`. */
  now: () => number
  toleranceMs: number
}

/** Opens a store whose database nobody else uses; `close` drops it. */
export type OpenStore = () => Promise<{ db: Db, now: () => number, toleranceMs: number, close: () => Promise<void> }>

export const minute = 60_000

export const sessionOf = (_id: string, more: Partial<Session> = {}): Session => ({
  _id,
  userId: 'u1',
  generation: 0,
  rotatedAt: null,
  expiresAt: new Date('2040-01-01'),
  absoluteExpiresAt: new Date('2040-02-01'),
  revokedAt: null,
  ...more
})

export const userOf = (name: string, more: Partial<User> = {}): User =>
  ({ _id: name, email: `${name}@Example.org`, emailKey: `${name}@example.org`, usernameKey: name, tokenVersion: 0, ...more })

/** A promise of the contract: a name and what must hold. */
export type Promised = (name: string, holds: (t: Test, store: Store) => Promise<void>) => void

/** Runs the whole contract against what `open` opens, as one subtest called `name`. */
export async function documentStoreContract (t: Test, name: string, open: OpenStore): Promise<void> {
  await t.test(name, async (t) => {
    const { db, now, toleranceMs, close } = await open()
    t.teardown(close)
    const store: Store = { db, now, toleranceMs, users: db.collection('users'), sessions: db.collection('usersession'), visits: db.collection('visits') }
    await store.users.createIndexes([{ key: { emailKey: 1 }, unique: true }, { key: { usernameKey: 1 }, unique: true, name: 'by_username' }])
    await store.sessions.createIndexes([{ key: { userId: 1 } }, { key: { expiresAt: 1 }, expireAfterSeconds: 0 }])
    await store.visits.createIndex({ userId: 1, endTime: 1 })

    const promised: Promised = (name, holds) => {
      void t.test(name, async (t) => { // tap runs them one after the other and waits for them
        await Promise.all([store.users, store.sessions, store.visits].map((each) => each.deleteMany({})))
        await holds(t, store)
      })
    }
    writeContract(promised)
    readContract(promised)
    updateContract(promised)
    atomicityContract(promised)
  })
}
