// Contract of the document store: what updates make of documents, and what they answer.
import { minute, sessionOf, userOf, type Promised } from './document-store.contract.ts'
import type { Document } from 'mongodb'

interface Everything {
  _id: string
  n: number
  when: Date
  list: number[]
  deep: { a: number, b: number, c?: { d: string } }
  gone?: number
  never?: number
  old?: string
  new?: string
  fresh?: number
  begun?: number[]
  tags?: string[]
}

export function updateContract (promised: Promised): void {
  promised('updateOne and updateMany say what they matched and what they changed', async (t, { sessions }) => {
    for (const id of ['a', 'b']) await sessions.insertOne(sessionOf(id))
    await sessions.insertOne(sessionOf('c', { userId: 'u2' }))
    const revoke = { $set: { revokedAt: new Date(0), revokedReason: 'logout-all' } }
    t.match(await sessions.updateMany({ userId: 'u1', revokedAt: null }, revoke), { acknowledged: true, matchedCount: 2, modifiedCount: 2, upsertedCount: 0, upsertedId: null })
    t.match(await sessions.updateMany({ userId: 'u1', revokedAt: null }, revoke), { matchedCount: 0, modifiedCount: 0 })
    t.match(await sessions.updateOne({ _id: 'a' }, revoke), { matchedCount: 1, modifiedCount: 0 }, 'the same values again')
    t.equal(await sessions.countDocuments({ revokedAt: null }), 1)
    t.strictSame((await sessions.findOne({ _id: 'b' }))?.revokedAt, new Date(0))
  })

  promised('operators change what they name and nothing else', async (t, { db }) => {
    const any = db.collection<Everything>('operators')
    await any.insertOne({ _id: 'x', n: 5, when: new Date(5), list: [1, 2, 3], deep: { a: 1, b: 2 }, gone: 1, old: 'o' })
    await any.updateOne({ _id: 'x' }, {
      $inc: { n: 2, fresh: 1, 'deep.a': -1 },
      $set: { 'deep.c.d': 'e' },
      $unset: { gone: '', never: '' },
      $max: { when: new Date(9) },
      $rename: { old: 'new' },
      $push: { list: { $each: [5, 4], $sort: -1, $slice: 4 }, begun: { $each: [3, 1, 2], $sort: 1, $slice: 2 } },
      $addToSet: { tags: { $each: ['t', 't'] } }
    })
    t.strictSame(await any.findOne({ _id: 'x' }), { _id: 'x', n: 7, when: new Date(9), list: [5, 4, 3, 2], deep: { a: 0, b: 2, c: { d: 'e' } }, fresh: 1, new: 'o', begun: [1, 2], tags: ['t'] })
    await any.updateOne({ _id: 'x' }, { $pull: { list: { $gt: 3 } }, $min: { when: new Date(7) }, $mul: { n: 2 }, $pop: { begun: -1 } })
    t.match(await any.findOne({ _id: 'x' }), { n: 14, when: new Date(7), list: [3, 2], begun: [2] })
  })

  promised('the positional operator changes the element that was found', async (t, { visits }) => {
    await visits.insertOne({ _id: 'v', userId: null, endTime: null, pages: [{ id: '1', pageId: 'x' }, { id: '2', pageId: 'y' }] })
    await visits.updateOne({ _id: 'v', 'pages.id': '2' }, { $set: { 'pages.$.at': new Date(0) } })
    await visits.updateOne({ _id: 'v' }, { $set: { 'pages.$[page].pageId': 'z' } }, { arrayFilters: [{ 'page.id': '1' }] })
    t.strictSame((await visits.findOne({ _id: 'v' }))?.pages, [{ id: '1', pageId: 'z' }, { id: '2', pageId: 'y', at: new Date(0) }])
  })

  const nonsense: Record<string, Document | Document[]> = {
    'no operators': { generation: 1 },
    'an unknown operator': { $nonsense: { generation: 1 } },
    'two operators on one field': { $set: { generation: 1 }, $inc: { generation: 1 } },
    'counting what is no number': { $inc: { userId: 1 } },
    'appending to what is no list': { $push: { userId: 'x' } },
    'removing from what is no list': { $pull: { userId: 'u1' } },
    'a path through a text': { $set: { 'userId.x': 1 } },
    'a path through null': { $set: { 'device.name': 'x' } },
    'another _id': { $set: { _id: 'z' } },
    'another _id by a pipeline': [{ $set: { _id: 'z' } }],
    'a stage that only finds': [{ $match: { generation: 0 } }],
    'a stage that no update has': [{ $group: { _id: 1 } }]
  }
  for (const [name, update] of Object.entries(nonsense)) {
    promised(`an update is refused and changes nothing: ${name}`, async (t, { sessions }) => {
      await sessions.insertOne(sessionOf('a', { device: null }))
      await t.rejects(sessions.findOneAndUpdate({ _id: 'a' }, update))
      t.strictSame(await sessions.findOne({ _id: 'a' }), sessionOf('a', { device: null }))
    })
  }

  promised('a list has places and no fields', async (t, { visits }) => {
    await visits.insertOne({ _id: 'v', userId: null, endTime: null, pages: [{ id: '1', pageId: 'x' }] })
    await t.rejects(visits.updateOne({ _id: 'v' }, { $set: { 'pages.pageId': 'y' } }))
    t.match(await visits.updateOne({ _id: 'v' }, { $set: { 'pages.0.pageId': 'z' } }), { modifiedCount: 1 })
    t.strictSame((await visits.findOne({ _id: 'v' }))?.pages, [{ id: '1', pageId: 'z' }])
  })

  promised('findOneAndUpdate gives the document before or after, or null', async (t, { users }) => {
    await users.insertOne(userOf('ada'))
    const bump = { $inc: { tokenVersion: 1 } }
    t.strictSame(await users.findOneAndUpdate({ _id: 'ada' }, bump), userOf('ada'))
    t.strictSame(await users.findOneAndUpdate({ _id: 'ada' }, bump, { returnDocument: 'after' }), userOf('ada', { tokenVersion: 2 }))
    t.strictSame(await users.findOneAndUpdate({ _id: 'ada' }, bump, { returnDocument: 'after', projection: { tokenVersion: 1 } }), { _id: 'ada', tokenVersion: 3 })
    t.equal(await users.findOneAndUpdate({ _id: 'nobody' }, bump, { returnDocument: 'after' }), null)
    t.equal(await users.findOneAndUpdate({ _id: 'ada', tokenVersion: 2 }, bump), null)
    await users.insertOne(userOf('bob', { tokenVersion: 9 }))
    t.equal((await users.findOneAndUpdate({}, bump, { sort: { tokenVersion: -1 } }))?._id, 'bob')
  })

  promised('a rotation sets its times by the store\'s clock and never beyond the absolute end', async (t, { sessions, now, toleranceMs }) => {
    const soon = new Date(now() + 10 * minute)
    await sessions.insertOne(sessionOf('a', { absoluteExpiresAt: soon }))
    await sessions.insertOne(sessionOf('b'))
    const rotate = (_id: string, generation: number) => sessions.findOneAndUpdate(
      { _id, generation, revokedAt: null, $expr: { $and: [{ $gt: ['$expiresAt', '$$NOW'] }, { $gt: ['$absoluteExpiresAt', '$$NOW'] }] } },
      [{ $set: { generation: { $add: ['$generation', 1] }, rotatedAt: '$$NOW', expiresAt: { $min: [{ $add: ['$$NOW', 30 * minute] }, '$absoluteExpiresAt'] }, revokedReason: { $literal: '$$NOW' } } }],
      { returnDocument: 'after' })
    const capped = await rotate('a', 0)
    t.match(capped, { generation: 1, expiresAt: soon, revokedReason: '$$NOW' })
    t.ok(Math.abs((capped?.rotatedAt?.getTime() ?? 0) - now()) <= toleranceMs)
    const free = await rotate('b', 0)
    t.ok(Math.abs((free?.expiresAt.getTime() ?? 0) - now() - 30 * minute) <= toleranceMs)
    t.equal(await rotate('a', 0), null, 'a spent generation')
    await sessions.updateOne({ _id: 'a' }, [{ $set: { expiresAt: { $subtract: ['$$NOW', 1] } } }])
    t.equal(await rotate('a', 1), null, 'an expired session')
  })

  promised('a pipeline can remove fields, look at others and change nothing', async (t, { sessions }) => {
    await sessions.insertOne(sessionOf('a', { revokedReason: 'x', device: { name: 'phone' } }))
    t.match(await sessions.updateOne({ _id: 'a' }, [{ $unset: 'revokedReason' }, { $set: { 'device.name': { $concat: ['$device.name', '!'] }, revokedAt: { $ifNull: ['$revokedAt', '$expiresAt'] } } }]), { modifiedCount: 1 })
    t.strictSame(await sessions.findOne({ _id: 'a' }), sessionOf('a', { device: { name: 'phone!' }, revokedAt: new Date('2040-01-01') }))
    await sessions.updateOne({ _id: 'a' }, [{ $set: { device: { name: '$nothing', os: { version: 1 } } } }])
    t.strictSame((await sessions.findOne({ _id: 'a' }))?.device, { os: { version: 1 } }, 'what is computed from nothing is not there')
    t.match(await sessions.updateOne({ _id: 'a' }, [{ $set: { generation: { $max: ['$generation', 0] } } }]), { matchedCount: 1, modifiedCount: 0 })
  })

  promised('inside of an expression null and missing lie before every date', async (t, { sessions }) => {
    await sessions.insertOne(sessionOf('a'))
    await sessions.updateOne({ _id: 'a' }, [{
      $set: {
        revokedReason: {
          $concat: [
            { $cond: [{ $lt: ['$rotatedAt', '$expiresAt'] }, 'null before, ', ''] },
            { $cond: [{ $gte: ['$lastSeenAt', '$expiresAt'] }, '', 'missing not after, '] },
            { $cond: [{ $eq: ['$lastSeenAt', '$rotatedAt'] }, '', 'missing is not null'] }
          ]
        },
        expiresAt: { $max: ['$lastSeenAt', '$rotatedAt', '$expiresAt', new Date(0)] },
        absoluteExpiresAt: { $min: ['$lastSeenAt', '$rotatedAt', '$absoluteExpiresAt'] }
      }
    }])
    t.strictSame(await sessions.findOne({ _id: 'a' }), sessionOf('a', { revokedReason: 'null before, missing not after, missing is not null' }))
    t.equal(await sessions.countDocuments({ $expr: { $lte: ['$rotatedAt', '$$NOW'] } }), 1)
  })

  promised('an upsert inserts what the filter and the update say, once', async (t, { visits, users }) => {
    const archive = { $setOnInsert: { userId: 'u1', pages: [{ id: '1', pageId: 'x' }] }, $set: { endTime: new Date(0) } }
    t.match(await visits.updateOne({ _id: 'v' }, archive, { upsert: true }), { acknowledged: true, matchedCount: 0, modifiedCount: 0, upsertedCount: 1, upsertedId: 'v' })
    t.match(await visits.updateOne({ _id: 'v' }, archive, { upsert: true }), { matchedCount: 1, modifiedCount: 0, upsertedCount: 0, upsertedId: null })
    t.strictSame(await visits.findOne({ _id: 'v' }), { _id: 'v', endTime: new Date(0), userId: 'u1', pages: [{ id: '1', pageId: 'x' }] })
    const inserted = await users.findOneAndUpdate({ emailKey: 'e', 'preferences.theme': { $eq: 'dark' } }, { $setOnInsert: { _id: 'eve', usernameKey: 'eve' }, $inc: { tokenVersion: 1 } }, { upsert: true, returnDocument: 'after' })
    t.strictSame(inserted, { _id: 'eve', emailKey: 'e', preferences: { theme: 'dark' }, usernameKey: 'eve', tokenVersion: 1 })
    t.equal(await users.findOneAndUpdate({ _id: 'ada', emailKey: 'a', usernameKey: 'a' }, [{ $set: { tokenVersion: { $ifNull: ['$tokenVersion', 7] } } }], { upsert: true }), null)
    t.strictSame(await users.findOne({ _id: 'ada' }), { _id: 'ada', emailKey: 'a', usernameKey: 'a', tokenVersion: 7 })
    await users.updateOne({ $and: [{ _id: 'bob' }, { emailKey: 'b', tokenVersion: { $exists: false } }] }, { $set: { usernameKey: 'b' } }, { upsert: true })
    t.strictSame(await users.findOne({ _id: 'bob' }), { _id: 'bob', emailKey: 'b', usernameKey: 'b' })
    await t.rejects(users.updateOne({ _id: 'x', emailKey: 'e' }, { $set: { usernameKey: 'x' } }, { upsert: true }), { code: 11000, keyPattern: { emailKey: 1 } })
    t.equal(await users.findOne({ _id: 'x' }), null)
  })
}
