// How MongoDB is asked, whatever the URI or a host's client prefers.
import { MongoClient } from 'mongodb'
import t from 'tap'
import { acknowledged } from '../../../src/user/store-options.ts'

await t.test('the truth is read from the primary, which alone has heard of every revocation', async (t) => {
  const db = new MongoClient('mongodb://127.0.0.1:1/?readPreference=secondaryPreferred&w=1').db('x')
  t.equal(db.readPreference?.mode, 'secondaryPreferred')
  const collection = db.collection('usersession', acknowledged)
  t.equal(collection.readPreference?.mode, 'primary')
  t.match(collection.writeConcern, { w: 'majority', journal: true })
})
