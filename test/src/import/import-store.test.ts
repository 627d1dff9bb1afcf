// The target of an import, on whatever store this run has: what is there stays, and what was refused comes back.
import { MongoClient, type Db } from 'mongodb'
import t from 'tap'
import { openEmbeddedClient } from '../../../src/embedded/embedded-client.ts'
import { createImporter, type ImporterOptions } from '../../../src/import/importer.ts'
import { createImportStore, type ImportStore } from '../../../src/import/import-store.ts'
import { userFrom } from '../../../src/import/legacy-user.ts'
import { createUserRepository } from '../../../src/user/user-repository.ts'
import type { UserRecord } from '../../../src/user/user-record.ts'
import { createTestClock } from '../../helper/clock.ts'
import { mongodbUri } from '../../helper/engines.ts'
import { oldAccount, type OldAccount } from '../../helper/old-service.ts'
import { createDeployment, withDatabase } from '../../helper/service.ts'

const clock = createTestClock()
const client = mongodbUri === undefined ? await openEmbeddedClient({ dir: null, clock }) : new MongoClient(withDatabase(mongodbUri, createDeployment(t, {}).database))
const db: Db = mongodbUri === undefined ? client.db('latchkey') : client.db()
t.teardown(async () => {
  await db.dropDatabase()
  await client.close()
})
await createUserRepository(db).ensureIndexes()
const store = createImportStore(db)

const recordOf = ({ document }: OldAccount): UserRecord => {
  const mapped = userFrom(document, new Date())
  if ('reason' in mapped) throw new Error(mapped.reason)
  return mapped.record
}
async function * from (...accounts: OldAccount[]): AsyncGenerator<Record<string, unknown>> { for (const { document } of accounts) yield document }

await t.test('of a batch comes in what is new; what a unique index refuses comes back, and nothing is written over', async (t) => {
  const [there, fresh, twin, namesake] = [oldAccount(), oldAccount(), oldAccount(), oldAccount()].map(recordOf) as [UserRecord, UserRecord, UserRecord, UserRecord]
  t.strictSame(await store.insertUsers([there]), [])
  const refused = [{ ...there, fullName: 'Somebody else' }, { ...twin, emailKey: there.emailKey }, { ...namesake, usernameKey: there.usernameKey }]
  t.strictSame(await store.insertUsers([refused[0] as UserRecord, fresh, ...refused.slice(1)]), refused)
  const users = db.collection<UserRecord>('users')
  t.strictSame(await users.findOne({ _id: there._id }), there)
  t.strictSame(await users.findOne({ _id: fresh._id }), fresh)
  t.equal(await users.countDocuments({ _id: { $in: [twin._id, namesake._id] } }), 0)
  t.strictSame(await store.insertUsers([]), [])

  const names = await store.findNames([there, { _id: 'x', emailKey: fresh.emailKey, usernameKey: 'y' }, { _id: 'z', emailKey: 'z', usernameKey: there.usernameKey }])
  t.strictSame([...new Set(names.map(({ _id }) => _id))].sort(), [there._id, fresh._id].sort())
  t.strictSame(await store.findVersions([there._id, there._id, 'nobody']), new Map([[there._id, 0]]))
})

await t.test('records of another service are seen among ours', async (t) => {
  t.strictSame(await store.foreign(), [])
  await db.collection('usersession').insertOne({ _id: 'old', token: 'x' } as never)
  t.strictSame(await store.foreign(), ['usersession'])
  await db.collection('usersession').deleteOne({ _id: 'old' as never })
})

/** An importer on a store of which something is different, and what it noted. */
function importerOn (more: Partial<ImportStore>): { users: (...accounts: OldAccount[]) => Promise<void>, noted: unknown[] } {
  const noted: unknown[] = []
  const options: ImporterOptions = { store: { ...store, ...more }, clock, idleMs: 1000, dryRun: false, note: (_collection, label, outcome) => { noted.push([label, outcome]) } }
  return { users: (...accounts) => createImporter(options).users(from(...accounts)), noted }
}

await t.test('who registers between the look and the write keeps the name, and the report says so', async (t) => {
  const [first, second] = [oldAccount(), oldAccount()]
  let isFirst = true
  const { users, noted } = importerOn({
    async insertUsers (records) {
      if (isFirst) await store.insertUsers([{ ...recordOf(oldAccount()), emailKey: recordOf(first).emailKey }])
      isFirst = false
      return await store.insertUsers(records)
    }
  })
  await users(first, second)
  t.strictSame(noted, [[second.id, 'imported'], [first.id, { skipped: 'another account has its e-mail address' }]])
})

await t.test('a store that refuses without a reason is a failure, not an endless loop', async (t) => {
  const { users, noted } = importerOn({ insertUsers: async (records) => [...records] })
  await t.rejects(users(oldAccount()), /duplicates of what it does not hold/)
  t.strictSame(noted, [])
})

await t.test('a failure of the store is one, also beside duplicates', async (t) => {
  const failing = (error: object): ImportStore => createImportStore({ collection: () => ({ bulkWrite: async () => { throw Object.assign(new Error('no'), error) } }) } as never)
  const record = recordOf(oldAccount())
  const duplicate = { index: 0, code: 11000 }
  t.strictSame(await failing({ writeErrors: [duplicate] }).insertUsers([record]), [record])
  t.strictSame(await failing({ writeErrors: duplicate }).insertUsers([record]), [record], 'the driver\'s single one, too')
  for (const error of [{}, { writeErrors: [] }, { writeErrors: [duplicate, { index: 1, code: 121 }] }, { writeErrors: [duplicate], result: { getWriteConcernError: () => ({ code: 64 }) } }]) await t.rejects(failing(error).insertUsers([record]), /no/)
})
