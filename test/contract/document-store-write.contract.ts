// Contract of the document store: inserting, deleting, unique indexes, bulk writes.
import { userOf, type Promised, type User, type Visit } from './document-store.contract.ts'
import type { Document } from 'mongodb'

/** What a duplicate key must look like to src/errors.ts, and that it is not talkative is checked for the embedded store. */
const duplicateOf = (field: string) => ({ name: 'MongoServerError', code: 11000, keyPattern: { [field]: 1 } })

export function writeContract (promised: Promised): void {
  promised('insertOne says what it inserted', async (t, { users }) => {
    t.match(await users.insertOne(userOf('ada')), { acknowledged: true, insertedId: 'ada' })
    t.strictSame(await users.findOne({ _id: 'ada' }), userOf('ada'))
  })

  promised('a taken _id is a duplicate key and leaves the old document', async (t, { users }) => {
    await users.insertOne(userOf('ada'))
    await t.rejects(users.insertOne({ ...userOf('bob'), _id: 'ada' }), duplicateOf('_id'))
    t.strictSame(await users.find().toArray(), [userOf('ada')])
  })

  promised('a taken e-mail address is a duplicate key on insert and leaves nothing behind', async (t, { users }) => {
    await users.insertOne(userOf('ada'))
    await t.rejects(users.insertOne(userOf('eve', { emailKey: 'ada@example.org' })), duplicateOf('emailKey'))
    t.equal(await users.findOne({ _id: 'eve' }), null)
    await users.insertOne(userOf('eve')) // nor did it reserve the username
  })

  promised('a taken username is a duplicate key on update and changes nothing', async (t, { users }) => {
    await users.insertOne(userOf('ada'))
    await users.insertOne(userOf('bob'))
    await t.rejects(users.updateOne({ _id: 'bob' }, { $set: { usernameKey: 'ada' }, $inc: { tokenVersion: 1 } }), duplicateOf('usernameKey'))
    await t.rejects(users.findOneAndUpdate({ _id: 'bob' }, [{ $set: { usernameKey: 'ada' } }]), duplicateOf('usernameKey'))
    t.strictSame(await users.findOne({ usernameKey: 'bob' }), userOf('bob'))
  })

  promised('a name is free again once its document changed or went', async (t, { users }) => {
    await users.insertOne(userOf('ada'))
    await users.updateOne({ _id: 'ada' }, { $set: { usernameKey: 'countess' } })
    await users.insertOne(userOf('bob', { usernameKey: 'ada' }))
    t.match(await users.deleteOne({ usernameKey: 'countess' }), { acknowledged: true, deletedCount: 1 })
    await users.insertOne(userOf('ada', { usernameKey: 'countess' }))
    t.equal(await users.countDocuments(), 2)
  })

  promised('a compound unique index compares all of its fields', async (t, { db }) => {
    const limits = db.collection<{ _id: string, owner: string, slot?: number }>('limits')
    await limits.createIndex({ owner: 1, slot: 1 }, { unique: true })
    await limits.insertOne({ _id: 'a', owner: 'x', slot: 1 })
    await limits.insertOne({ _id: 'b', owner: 'x', slot: 2 })
    await limits.insertOne({ _id: 'c', owner: 'x' })
    await t.rejects(limits.insertOne({ _id: 'd', owner: 'x', slot: 1 }), { code: 11000, keyPattern: { owner: 1, slot: 1 } })
    await t.rejects(limits.insertOne({ _id: 'e', owner: 'x' }), { code: 11000 }, 'what is missing counts as null')
    t.strictSame((await limits.find({ owner: 'x', slot: 2 }).toArray()).map(({ _id }) => _id), ['b'])
  })

  promised('a partial unique index minds only documents that match its filter', async (t, { db }) => {
    const leases = db.collection<{ _id: string, job: string, held?: boolean }>('leases')
    await leases.createIndex({ job: 1 }, { unique: true, partialFilterExpression: { held: true } })
    await leases.insertOne({ _id: 'a', job: 'purge', held: true })
    await leases.insertOne({ _id: 'b', job: 'purge' })
    await t.rejects(leases.updateOne({ _id: 'b' }, { $set: { held: true } }), { code: 11000 })
    t.equal(await leases.countDocuments({ job: 'purge' }), 2)
    await leases.updateOne({ _id: 'a' }, { $unset: { held: '' } })
    t.match(await leases.updateOne({ _id: 'b' }, { $set: { held: true } }), { modifiedCount: 1 })
  })

  promised('making the same index again is fine, making another of its name is not', async (t, { users }) => {
    t.equal(await users.createIndex({ emailKey: 1 }, { unique: true }), 'emailKey_1')
    t.strictSame(await users.createIndexes([{ key: { usernameKey: 1 }, unique: true, name: 'by_username' }]), ['by_username'])
    await t.rejects(users.createIndex({ createdAt: 1 }, { name: 'by_username' }), { name: 'MongoServerError', code: 86 })
  })

  promised('a unique index is refused where documents contradict it', async (t, { db }) => {
    const old = db.collection<{ _id: string, key: string }>('old')
    await old.insertOne({ _id: 'a', key: 'x' })
    await old.insertOne({ _id: 'b', key: 'x' })
    await t.rejects(old.createIndex({ key: 1 }, { unique: true }), { code: 11000 })
    await old.insertOne({ _id: 'c', key: 'x' })
  })

  promised('deleteOne takes one, deleteMany takes all that match', async (t, { visits }) => {
    for (const _id of ['a', 'b', 'c', 'd']) await visits.insertOne({ _id, userId: _id === 'd' ? 'u2' : 'u1', endTime: null, pages: [] })
    t.match(await visits.deleteOne({ userId: 'u1' }), { acknowledged: true, deletedCount: 1 })
    t.match(await visits.deleteOne({ userId: 'nobody' }), { deletedCount: 0 })
    t.match(await visits.deleteMany({ userId: 'u1' }), { acknowledged: true, deletedCount: 2 })
    t.equal(await visits.countDocuments({}), 1)
  })

  promised('undefined fields are not stored', async (t, { db }) => {
    const any = db.collection<Document & { _id: string }>('any')
    await any.insertOne({ _id: 'a', gone: undefined, deep: { gone: undefined, kept: null } })
    t.strictSame(await any.findOne({ _id: 'a' }), { _id: 'a', deep: { kept: null } })
    await any.updateOne({ _id: 'a' }, { $set: { kept: 1, gone: undefined } })
    t.strictSame(await any.findOne({ _id: 'a' }), { _id: 'a', deep: { kept: null }, kept: 1 })
  })

  promised('values come back as they went in', async (t, { db }) => {
    const any = db.collection<Document & { _id: string }>('any')
    const doc = { _id: 'types', at: new Date(-1), n: [0, -1.5, 2 ** 53, 1e300, NaN, Infinity], yes: true, none: null, text: 'ä\u2028"\\\u{1F511}', nested: { list: [[], {}, [{ a: 1 }]] } }
    await any.insertOne(doc)
    t.strictSame(await any.findOne({ _id: 'types' }), doc)
    await any.insertOne({ _id: 'bytes', bytes: Buffer.from([0, 255, 128, 10]) })
    t.strictSame((await any.findOne({ _id: 'bytes' }, { promoteBuffers: true }))?.['bytes'], Buffer.from([0, 255, 128, 10]))
  })

  promised('a document may hold fields that look like notations', async (t, { db }) => {
    const any = db.collection<Document & { _id: string }>('any')
    const doc = { _id: 'marks', a: { $date: 0 }, b: { $bytes: 'AA==' }, c: { $number: 'NaN' }, d: [{ $object: { $date: 1 } }], e: { $delete: 'marks' } }
    await any.insertOne(doc)
    t.strictSame(await any.findOne({ _id: 'marks' }), doc)
  })

  promised('no field of a stored document can reach a prototype', async (t, { db }) => {
    const any = db.collection<Document & { _id: string }>('any')
    await any.insertOne(JSON.parse('{ "_id": "p", "__proto__": { "admin": true }, "deep": { "__proto__": { "admin": true } } }')).catch(() => {})
    await any.updateOne({ _id: 'p' }, { $set: { '__proto__.admin': true } }, { upsert: true }).catch(() => {})
    await any.updateOne({ _id: 'q' }, { $set: { 'constructor.prototype.admin': true } }, { upsert: true }).catch(() => {})
    for (const doc of [await any.findOne({ _id: 'p' }), await any.findOne({ _id: 'q' }), {}] as (Document | null)[]) {
      t.equal(doc?.['admin'], undefined)
      t.equal(doc?.['deep']?.admin, undefined)
    }
  })

  promised('objects without a prototype are documents and filters too', async (t, { users }) => {
    await users.insertOne(Object.assign(Object.create(null), userOf('ada')) as User)
    t.strictSame(await users.findOne(Object.assign(Object.create(null), { _id: 'ada' })), userOf('ada'))
  })

  promised('a page reaches a visit once, and no visit that has ended', async (t, { visits }) => {
    const visit = (_id: string, endTime: Date | null): Visit => ({ _id, userId: 'u1', endTime, pages: [{ id: 'p0', pageId: 'home' }] })
    await visits.insertOne(visit('open', null))
    await visits.insertOne(visit('ended', new Date(0)))
    const push = (_id: string, id: string) => ({ updateOne: { filter: { _id, endTime: null, 'pages.id': { $ne: id } }, update: { $push: { pages: { id, pageId: 'cart' } } } } })
    const result = await visits.bulkWrite([push('open', 'p1'), push('open', 'p1'), push('open', 'p0'), push('ended', 'p1'), push('open', 'p2')], { ordered: false })
    t.match(result, { matchedCount: 2, modifiedCount: 2, insertedCount: 0, deletedCount: 0, upsertedCount: 0 })
    t.strictSame((await visits.findOne({ _id: 'open' }))?.pages.map(({ id }) => id), ['p0', 'p1', 'p2'])
    t.strictSame(await visits.findOne({ _id: 'ended' }), visit('ended', new Date(0)))
  })

  promised('an ordered bulk write stops at its first failure, an unordered one goes on', async (t, { users }) => {
    const operations = [
      { insertOne: { document: userOf('ada') } },
      { insertOne: { document: userOf('eve', { emailKey: 'ada@example.org' }) } },
      { updateOne: { filter: { _id: 'ada' }, update: { $inc: { tokenVersion: 1 } } } },
      { updateOne: { filter: { _id: 'new' }, update: { $set: { emailKey: 'n', usernameKey: 'n' } }, upsert: true } },
      { deleteOne: { filter: { _id: 'new' } } }
    ]
    await t.rejects(users.bulkWrite(operations), { name: 'MongoBulkWriteError', code: 11000, writeErrors: [{ index: 1, code: 11000 }], result: { insertedCount: 1, matchedCount: 0 } })
    t.strictSame(await users.find().toArray(), [userOf('ada')])
    await users.deleteMany({})
    await t.rejects(users.bulkWrite(operations, { ordered: false }), { name: 'MongoBulkWriteError', code: 11000, result: { insertedCount: 1, matchedCount: 1, modifiedCount: 1, upsertedCount: 1, deletedCount: 1 } })
    t.strictSame(await users.find().toArray(), [userOf('ada', { tokenVersion: 1 })])
    t.match(await users.bulkWrite(operations.slice(3, 4)), { upsertedCount: 1, upsertedIds: { 0: 'new' } })
  })
}
