import { randomBytes } from 'node:crypto'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { openEmbeddedClient } from '../../src/embedded/embedded-client.ts'
import { mongodbUri } from '../helper/engines.ts'
import { documentStoreContract, type OpenStore } from './document-store.contract.ts'

// a time of day that no system clock of today shows
const wall = Date.parse('2031-05-06T07:08:09.010Z')

const embedded = (dir: string | null): OpenStore => async () => {
  const client = await openEmbeddedClient({ dir, clock: { wall: () => wall, mono: () => 0 } })
  const db = client.db('contract')
  return { db, now: () => wall, toleranceMs: 0, close: async () => { await db.dropDatabase(); await client.close() } }
}

const real = (uri: string): OpenStore => async () => {
  const client = await new MongoClient(uri, { ignoreUndefined: true }).connect()
  const db = client.db(`contract_${randomBytes(6).toString('hex')}`)
  return { db, now: Date.now, toleranceMs: 5000, close: async () => { await db.dropDatabase(); await client.close() } }
}

await documentStoreContract(t, 'embedded store in memory', embedded(null))
await documentStoreContract(t, 'embedded store in a folder', embedded(t.testdir()))
if (mongodbUri !== undefined) await documentStoreContract(t, 'real engine', real(mongodbUri))
