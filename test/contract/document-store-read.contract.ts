// Contract of the document store: finding, sorting, paging, projecting, aggregating; nobody outside holds a part of it.
import { minute, sessionOf, userOf, type Promised, type Session } from './document-store.contract.ts'
import type { Filter } from 'mongodb'

export function readContract (promised: Promised): void {
  const at = (n: number) => new Date(Date.UTC(2035, 0, 1) + n * minute)
  const some: Session[] = [
    sessionOf('a', { generation: 1, expiresAt: at(1), device: { name: 'phone' } }),
    sessionOf('b', { generation: 2, expiresAt: at(2), revokedAt: at(0), revokedReason: '$$NOW', device: null }),
    sessionOf('c', { generation: 3, expiresAt: at(3), userId: 'u2' }),
    sessionOf('d', { generation: 4, expiresAt: at(4), userId: 'u2', revokedAt: at(1), revokedReason: 'logout' })
  ]
  const { revokedAt, ...bare } = sessionOf('e', { generation: 5, expiresAt: at(5), userId: 'u3' })
  some.push(bare)

  const queries: Record<string, { filter: Filter<Session>, finds: string }> = {
    'everything without a filter': { filter: {}, finds: 'abcde' },
    'by _id': { filter: { _id: 'c' }, finds: 'c' },
    'by _id and a condition that fails': { filter: { _id: 'c', revokedAt: { $ne: null } }, finds: '' },
    'by several _id': { filter: { _id: { $in: ['e', 'a', 'a', 'x'] } }, finds: 'ae' },
    'by an indexed field': { filter: { userId: 'u2' }, finds: 'cd' },
    'by an indexed field and more': { filter: { userId: 'u1', generation: { $gt: 1 } }, finds: 'b' },
    'by several values of an indexed field': { filter: { userId: { $in: ['u1', 'u3'] } }, finds: 'abe' },
    'an unknown value of an indexed field': { filter: { userId: 'u9' }, finds: '' },
    'null: what is null and what is missing': { filter: { revokedAt: null }, finds: 'ace' },
    'an indexed field that is not null': { filter: { userId: { $ne: 'u1' }, revokedAt: null }, finds: 'ce' },
    'dates after': { filter: { expiresAt: { $gt: at(3) } }, finds: 'de' },
    'dates from, before': { filter: { expiresAt: { $gte: at(2), $lt: at(4) } }, finds: 'bc' },
    'a date itself': { filter: { expiresAt: at(2) }, finds: 'b' },
    'up to': { filter: { generation: { $lte: 2 } }, finds: 'ab' },
    'not equal, also if missing': { filter: { revokedReason: { $ne: 'logout' } }, finds: 'abce' },
    'none of': { filter: { generation: { $nin: [1, 2] } }, finds: 'cde' },
    'there or not': { filter: { revokedAt: { $exists: true } }, finds: 'abcd' },
    'not there': { filter: { device: { $exists: false } }, finds: 'cde' },
    'one or the other': { filter: { $or: [{ userId: 'u3' }, { generation: 1 }] }, finds: 'ae' },
    'one or the other, both indexed': { filter: { $or: [{ userId: 'u3' }, { _id: 'a' }, { userId: 'u3' }] }, finds: 'ae' },
    'one and the other': { filter: { $and: [{ userId: 'u2' }, { revokedAt: null }] }, finds: 'c' },
    'equal by operator': { filter: { userId: { $eq: 'u2' }, generation: { $eq: 4 } }, finds: 'd' },
    'a field of a nested document': { filter: { 'device.name': 'phone' }, finds: 'a' },
    'a comparison of another type': { filter: { userId: { $gt: 5 } } as unknown as Filter<Session>, finds: '' },
    not: { filter: { generation: { $not: { $gt: 2 } } }, finds: 'ab' },
    neither: { filter: { $nor: [{ userId: 'u1' }, { userId: 'u2' }] }, finds: 'e' },
    'a prefix': { filter: { revokedReason: /^log/ }, finds: 'd' },
    'by comparing two fields': { filter: { $expr: { $lt: ['$expiresAt', '$absoluteExpiresAt'] } }, finds: 'abcde' },
    'by the time of day': { filter: { $expr: { $gt: ['$expiresAt', { $subtract: ['$$NOW', 0] }] } }, finds: 'abcde' },
    'a text that only looks like a variable': { filter: { revokedReason: '$$NOW' }, finds: 'b' }
  }
  for (const [name, { filter, finds }] of Object.entries(queries)) {
    promised(`find, countDocuments and findOne agree: ${name}`, async (t, { sessions }) => {
      for (const session of some) await sessions.insertOne(session)
      t.equal((await sessions.find(filter).toArray()).map(({ _id }) => _id).sort().join(''), finds)
      t.equal(await sessions.countDocuments(filter), finds.length)
      t.equal(await sessions.findOne(filter) !== null, finds.length > 0)
    })
  }

  promised('an element of an array is found, by an index too', async (t, { visits }) => {
    await visits.createIndex({ 'pages.id': 1 })
    await visits.insertOne({ _id: 'a', userId: 'u1', endTime: null, pages: [{ id: '1', pageId: 'x' }, { id: '2', pageId: 'y' }], actions: ['click', 'buy'] })
    await visits.insertOne({ _id: 'b', userId: 'u1', endTime: null, pages: [] })
    const ids = async (filter: object) => (await visits.find(filter).toArray()).map(({ _id }) => _id).join('')
    t.equal(await ids({ 'pages.id': '2' }), 'a')
    t.equal(await ids({ 'pages.id': { $ne: '2' } }), 'b')
    t.equal(await ids({ actions: 'buy' }), 'a')
    t.equal(await ids({ pages: { $size: 0 } }), 'b')
    t.equal(await ids({ pages: { $elemMatch: { id: '1', pageId: 'x' } } }), 'a')
    await visits.updateOne({ _id: 'a' }, { $pull: { pages: { id: '2' } } })
    t.equal(await ids({ 'pages.id': '2' }), '')
  })

  promised('a list in a compound index hides nobody from its other fields', async (t, { db }) => {
    const lists = db.collection<{ _id: string, owner: string, tags?: string[] }>('lists')
    await lists.createIndex({ owner: 1, tags: 1 })
    await lists.insertOne({ _id: 'a', owner: 'o', tags: [] })
    await lists.insertOne({ _id: 'b', owner: 'o', tags: ['x', 'y', 'x'] })
    await lists.insertOne({ _id: 'c', owner: 'o' })
    t.equal(await lists.countDocuments({ owner: 'o' }), 3)
    t.strictSame((await lists.find({ owner: 'o', tags: 'y' }).toArray()).map(({ _id }) => _id), ['b'])
  })

  promised('sort, skip and limit, as options and as methods', async (t, { sessions }) => {
    for (const session of [3, 0, 4, 1, 2].map((i) => some[i] as Session)) await sessions.insertOne(session)
    const ids = async (found: AsyncIterable<Session>) => {
      let text = ''
      for await (const { _id } of found) text += _id
      return text
    }
    t.equal(await ids(sessions.find({}, { sort: { generation: -1 }, skip: 1, limit: 2 })), 'dc')
    t.equal(await ids(sessions.find().sort({ expiresAt: 1 }).skip(3)), 'de')
    t.equal(await ids(sessions.find({ userId: { $ne: 'u3' } }).sort({ userId: -1, generation: 1 }).limit(3)), 'cda')
    t.equal(await ids(sessions.find({}).sort({ revokedAt: -1, _id: 1 }).limit(2)), 'db', 'null and missing come before dates')
    t.equal((await sessions.findOne({ userId: 'u2' }, { sort: { generation: -1 } }))?._id, 'd')
    t.equal(await ids(sessions.find().skip(9)), '')
  })

  promised('a projection takes or leaves fields', async (t, { sessions }) => {
    await sessions.insertOne(sessionOf('a', { device: { name: 'phone', os: { version: 2 } } }))
    const one = (projection: object) => sessions.findOne({ _id: 'a' }, { projection })
    t.strictSame(await one({ userId: 1 }), { _id: 'a', userId: 'u1' })
    t.strictSame(await one({ _id: 0, generation: 1 }), { generation: 0 })
    t.strictSame(await one({ 'device.os': 1 }), { _id: 'a', device: { os: { version: 2 } } })
    t.strictSame((await one({ 'device.os': 0 }))?.device, { name: 'phone' })
    t.strictSame((await one({}))?.device, { name: 'phone', os: { version: 2 } }, 'leaving out changed nothing inside')
    t.strictSame(await sessions.find().project({ _id: 1 }).toArray(), [{ _id: 'a' }])
  })

  promised('an aggregation filters and computes with the time of day', async (t, { sessions, now, toleranceMs }) => {
    const seen = new Date(now() - 5000)
    await sessions.insertOne(sessionOf('a', { lastSeenAt: seen, device: { name: 'phone' } }))
    await sessions.insertOne(sessionOf('b', { userId: 'u2' }))
    const [found, ...others] = await sessions.aggregate([
      { $match: { _id: 'a', $expr: { $gt: ['$expiresAt', '$$NOW'] } } },
      { $set: { idleMs: { $subtract: ['$$NOW', '$lastSeenAt'] }, leftMs: { $subtract: ['$expiresAt', '$$NOW'] }, 'device.seen': true } }
    ]).toArray()
    t.strictSame(others, [])
    t.ok(Math.abs(found?.['idleMs'] - 5000) <= toleranceMs)
    t.ok(Math.abs(found?.['leftMs'] - (Date.parse('2040-01-01') - now())) <= toleranceMs)
    t.strictSame(await sessions.findOne({ _id: 'a' }), sessionOf('a', { lastSeenAt: seen, device: { name: 'phone' } }), 'the stored document is untouched')
    t.strictSame(await sessions.aggregate([{ $group: { _id: '$userId', n: { $sum: 1 } } }, { $sort: { _id: 1 } }]).toArray(), [{ _id: 'u1', n: 1 }, { _id: 'u2', n: 1 }])
    t.strictSame(await sessions.aggregate([{ $match: { userId: 'nobody' } }]).toArray(), [])
  })

  promised('what was handed in or out can be changed without changing the store', async (t, { users }) => {
    const ada = userOf('ada', { createdAt: new Date(0), preferences: { list: [1] } })
    await users.insertOne(ada)
    const change = (user: typeof ada | null) => {
      user?.createdAt?.setFullYear(1900)
      ;(user?.preferences?.['list'] as number[]).push(2)
    }
    change(ada)
    change(await users.findOne({ _id: 'ada' }))
    change((await users.find().toArray())[0] ?? null)
    change((await users.aggregate<typeof ada>([{ $match: {} }]).toArray())[0] ?? null)
    change((await users.findOne({ _id: 'ada' }, { projection: { createdAt: 1, preferences: 1 } })))
    const list = [1]
    change(await users.findOneAndUpdate({ _id: 'ada' }, { $set: { preferences: { list } } }, { returnDocument: 'after' }))
    list.push(3)
    t.strictSame(await users.findOne({ _id: 'ada' }), userOf('ada', { createdAt: new Date(0), preferences: { list: [1] } }))
  })

  promised('the database answers a ping and knows its name', async (t, { db, users }) => {
    t.match(await db.command({ ping: 1 }), { ok: 1 })
    t.match(db.databaseName, /^contract/)
    t.equal(users.collectionName, 'users')
  })

  promised('options that only concern servers change nothing', async (t, { users }) => {
    await users.insertOne(userOf('ada'), { writeConcern: { w: 'majority', j: true }, comment: 'c' })
    t.ok(await users.findOne({ _id: 'ada' }, { readPreference: 'primary', maxTimeMS: 1500, hint: '_id_', comment: 'c' }))
    t.match(await users.updateOne({ _id: 'ada' }, { $inc: { tokenVersion: 1 } }, { writeConcern: { w: 'majority', j: true } }), { modifiedCount: 1 })
    t.equal(await users.countDocuments({}, { maxTimeMS: 1500 }), 1)
    t.match(await users.deleteMany({}, { writeConcern: { w: 'majority' } }), { deletedCount: 1 })
  })
}
