// A database of an older service on this run's MongoDB, gone with the test.
import { randomBytes } from 'node:crypto'
import { MongoClient, type Db } from 'mongodb'
import type { Test } from 'tap'
import { mongodbUri } from './engines.ts'
import { withDatabase } from './service.ts'

/** For `t.test`'s options: why a story cannot run here, or false. */
export const withoutMongo: string | false = mongodbUri === undefined && 'needs a MongoDB to move in from: set MONGODB_URI'

export async function openOldDatabase (t: Test): Promise<{ uri: string, db: Db }> {
  const uri = withDatabase(mongodbUri as string, `latchkey_test_${randomBytes(6).toString('hex')}_old`)
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 2000 })
  const db = client.db()
  t.teardown(async () => {
    await db.dropDatabase()
    await client.close()
  })
  return { uri, db }
}
