// The client that a deployment's instance would open, opened by the test: to look at records or to put gates into it.
import { MongoClient } from 'mongodb'
import type { Test } from 'tap'
import { openEmbeddedClient } from '../../src/embedded/embedded-client.ts'
import { createTestClock } from './clock.ts'
import type { Deployment } from './service.ts'

export async function openClient (t: Test, { env }: Deployment, options: { monitorCommands?: boolean } = {}): Promise<MongoClient> {
  const uri = env['MONGODB_URI']
  const client = uri === undefined
    ? await openEmbeddedClient({ dir: env['DATA_DIR'] as string, clock: createTestClock() })
    : new MongoClient(uri, { serverSelectionTimeoutMS: 2000, ...options })
  t.teardown(async () => { await client.close() })
  return client
}
