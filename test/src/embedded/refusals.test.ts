// What the embedded store refuses where a driver would guess, and that no refusal repeats what it was given.
import t, { type Test } from 'tap'
import type { Collection } from 'mongodb'
import { isStoreFault } from '../../../src/errors.ts'
import { openStore, type Item } from './helper.ts'

const secret = 'ada@example.org'

async function openItems (t: Test): Promise<Collection<Item>> {
  const { client, items } = await openStore(null)
  t.teardown(() => client.close())
  await items.createIndex({ key: 1 }, { unique: true })
  await items.insertOne({ _id: 'a', key: secret, text: secret, n: 1 })
  return items
}

class Money { amount = 1 }
const circle: { self?: unknown } = {}
circle.self = circle

const documents: Record<string, unknown> = {
  'no _id': {},
  'an _id that is no text': { _id: 5 },
  'a field starting with $': { _id: 'b', $set: secret },
  'a field called __proto__': JSON.parse(`{ "_id": "b", "any": { "__proto__": "${secret}" } }`),
  'an instance of a class': { _id: 'b', any: new Money() },
  'a function': { _id: 'b', any: () => secret },
  'a bigint': { _id: 'b', any: 1n },
  'an invalid date': { _id: 'b', any: new Date(NaN) },
  'a regular expression': { _id: 'b', any: /ada@example.org/ },
  'a document in itself': { _id: 'b', any: circle },
  'more than 16 MiB': { _id: 'b', any: 'x'.repeat(17 << 20) },
  'a taken key': { _id: 'b', key: secret },
  'no document': secret
}
for (const [what, document] of Object.entries(documents)) {
  await t.test(`an insert is refused: ${what}`, async (t) => {
    const items = await openItems(t)
    await refused(t, items.insertOne(document as Item))
    t.equal(await items.countDocuments(), 1)
  })
}

type Call = (items: Collection<Item>) => Promise<unknown>
const calls: Record<string, Call> = {
  'a filter with an undefined field, which would match everything': (items) => items.deleteMany({ key: undefined } as never),
  'a filter with a script': (items) => items.find({ $where: `this.key == "${secret}"` }).toArray(),
  'an unknown operator in a filter': (items) => items.findOne({ key: { $like: secret } } as never),
  'a filter that is no document': (items) => items.findOne(secret as never),
  'a broken expression in a filter': (items) => items.findOne({ $expr: { $divide: [secret] } }),
  'a script in an aggregation': (items) => items.aggregate([{ $set: { any: { $function: { body: `() => "${secret}"`, args: [], lang: 'js' } } } }]).toArray(),
  'an unknown stage': (items) => items.aggregate([{ $leak: secret }]).toArray(),
  'a pipeline that is no list': (items) => items.aggregate({ $match: { key: secret } } as never).toArray(),
  'an expression that cannot be computed': (items) => items.updateOne({ _id: 'a' }, [{ $set: { n: { $subtract: ['$text', 1] } } }]),
  'counting by a text': (items) => items.updateOne({ _id: 'a' }, { $inc: { n: secret } } as never),
  'another _id': (items) => items.updateOne({ _id: 'a' }, [{ $set: { _id: secret } }]),
  'the system\'s clock': (items) => items.updateOne({ _id: 'a' }, { $currentDate: { at: true } }),
  'a path to a prototype': (items) => items.updateOne({ _id: 'a' }, { $set: { '__proto__.n': 1 } }),
  'an upsert with a path to a prototype': (items) => items.updateOne({ _id: 'b', '__proto__.n': 1 } as never, { $set: { n: 1 } }, { upsert: true }),
  'an upsert without an _id': (items) => items.updateOne({ key: secret + '2' }, { $set: { n: 1 } }, { upsert: true }),
  'an upsert that collides': (items) => items.updateOne({ _id: 'b', key: secret }, { $set: { n: 1 } }, { upsert: true }),
  'storing a regular expression': (items) => items.updateOne({ _id: 'a' }, { $set: { any: /ada@example.org/ } }),
  'sorting by a word': (items) => items.find().sort({ key: 'asc' }).toArray(),
  'an empty bulk write': (items) => items.bulkWrite([]),
  'an unknown bulk operation': (items) => items.bulkWrite([{ replaceOne: { filter: { key: secret }, replacement: {} } }]),
  'a collision in a bulk write': (items) => items.bulkWrite([{ insertOne: { document: { _id: 'b', key: secret } } }]),
  'an index of another kind': (items) => items.createIndex({ text: 'text' }),
  'an index option that it does not have': (items) => items.createIndex({ text: 1 }, { sparse: true }),
  'an index on nothing': (items) => items.createIndex({})
}
for (const [what, call] of Object.entries(calls)) {
  await t.test(`it refuses ${what}`, async (t) => {
    const items = await openItems(t)
    await refused(t, call(items))
    t.strictSame(await items.find().toArray(), [{ _id: 'a', key: secret, text: secret, n: 1 }])
  })
}

await t.test('an update of many that collides changes none', async (t) => {
  const items = await openItems(t)
  await items.insertOne({ _id: 'b', key: 'kb' })
  await items.insertOne({ _id: 'c', key: 'kc' })
  const before = await items.find().toArray()
  await refused(t, items.updateMany({ _id: { $ne: 'a' } }, { $set: { key: 'same' } }))
  t.strictSame(await items.find().toArray(), before)
  t.equal(await items.findOne({ key: 'same' }), null)
})

async function refused (t: Test, call: Promise<unknown>): Promise<void> {
  const error = await call.then(() => undefined, (error: Error) => error)
  t.match(error, { name: /^Mongo/, code: Number })
  t.notOk(isStoreFault(error) && error?.name === 'MongoServerError', 'asking nonsense is no fault of the store')
  const everything = [error?.message, JSON.stringify(error), String(error?.cause ?? '')].join()
  t.notOk(everything.includes('ada') || everything.includes('example'), everything)
}

await t.test('names of databases and collections fit into a file name', async (t) => {
  const { client } = await openStore(null)
  t.teardown(() => client.close())
  for (const name of ['', '../up', 'a.b', 'a/b', 'a b', '.']) {
    t.throws(() => client.db('test').collection(name), { name: 'MongoServerError', code: 73 })
    t.throws(() => client.db(name).collection('items'), { code: 73 })
  }
  t.equal(client.db('test').collection('usersession'), client.db('test').collection('usersession'), 'one collection to a name')
})

await t.test('commands other than ping are refused', async (t) => {
  const { client } = await openStore(null)
  t.teardown(() => client.close())
  t.equal(await client.connect(), client)
  await t.rejects(client.db('test').command({ dropDatabase: 1 }), { code: 59 })
})
