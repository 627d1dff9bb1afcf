// Clients that a host brings: however it made them, the service hears revocations and leaves nothing behind in them.
import { Redis } from 'ioredis'
import t from 'tap'
import { redisUrl } from '../helper/engines.ts'
import { register } from '../helper/people.ts'
import { createDeployment, startService, until, untilHearing } from '../helper/service.ts'

const skip = redisUrl === undefined && 'needs a Redis: set REDIS_URL'

await t.test('an ordinary Redis client of the host is enough to hear revocations, and gets its listeners back', { skip }, async (t) => {
  const client = new Redis(redisUrl as string) // connects by itself and queues while offline, as most hosts' clients do
  t.teardown(() => { client.disconnect() })
  const listeners = (): number[] => ['error', 'close', 'ready'].map((event) => client.listenerCount(event))
  await until(() => client.status === 'ready', 'the host is connected')
  const before = listeners()
  const service = await startService(t, { deployment: createDeployment(t), redisClient: client })
  await untilHearing(service)
  t.match((await service.get('/readyz')).json, { status: 'ready', redis: 'connected', channel: 'hearing' })
  const { accessToken } = await register(service)
  t.equal((await service.post('/api/auth/logout', undefined, { token: accessToken })).status, 200)
  await service.close()
  t.strictSame(listeners(), before)
  t.equal(client.status, 'ready', 'the client is the host\'s to close')
})
