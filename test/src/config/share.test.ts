// One of several workers: its part of what the machine has once.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createConfig } from '../../../src/config/config.ts'
import { readEnvironment } from '../../../src/config/environment.ts'
import { shareOf } from '../../../src/config/share.ts'
import { testSecret } from '../../helper/service.ts'

const secrets = { ACCESS_TOKEN_SECRET: testSecret(), REFRESH_TOKEN_SECRET: testSecret(), SESSION_SECRET: testSecret() }
const configOf = (workers: string, env: Record<string, string>) =>
  createConfig(readEnvironment({ ...secrets, MONGODB_URI: 'mongodb://h', REDIS_URL: 'redis://h', WORKERS: workers, ...env }), { randomBytes })

await t.test('threads and places in the queue of passwords are divided without a rest, but each worker has a thread', async (t) => {
  const partsOf = (workers: string, env: Record<string, string>): number[][] => {
    const config = configOf(workers, env)
    return Array.from({ length: config.workers }, (_, i) => shareOf(config, i + 1)).map(({ bcryptConcurrency, bcryptQueue }) => [bcryptConcurrency, bcryptQueue])
  }
  t.strictSame(partsOf('4', { BCRYPT_CONCURRENCY: '7', BCRYPT_QUEUE: '64' }), [[2, 16], [2, 16], [2, 16], [1, 16]])
  t.strictSame(partsOf('3', { BCRYPT_CONCURRENCY: '1', BCRYPT_QUEUE: '1' }), [[1, 1], [1, 0], [1, 0]])
  t.strictSame(partsOf('1', { BCRYPT_CONCURRENCY: '7', BCRYPT_QUEUE: '5' }), [[7, 5]])
})

await t.test('everything else is as it was, and frozen', async (t) => {
  const config = configOf('2', { BCRYPT_CONCURRENCY: '2', BCRYPT_QUEUE: '2' })
  const share = shareOf(config, 2)
  t.strictSame({ ...share, bcryptConcurrency: 2, bcryptQueue: 2 }, config)
  t.ok(Object.isFrozen(share))
})
