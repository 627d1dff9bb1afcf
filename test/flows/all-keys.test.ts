// Story: stores full of sessions, their counters and their copies. Neither requests nor jobs look at all keys. What the
// clean-up takes out is held by flows/jobs and src/job; `npm run test:scale` empties the stores of a million.
import { Redis } from 'ioredis'
import t from 'tap'
import { mongodbUri } from '../helper/engines.ts'
import { callEveryDoor } from '../helper/every-door.ts'
import { startOwnEngine, withoutOwnEngines } from '../helper/own-engines.ts'
import { createDeployment, startPair, until } from '../helper/service.ts'
import { fillStores } from '../scale/fill.ts'

const sessions = 3000

await t.test('no request and no job asks Redis for all keys, and health reads counters only', { skip: withoutOwnEngines }, async (t) => {
  const { url } = await startOwnEngine(t, 'redis') // its keys are counted, and everything that it is asked is looked at
  const redis = new Redis(url)
  t.teardown(() => { redis.disconnect() })
  const deployment = createDeployment(t, { mongodbUri, redisUrl: url })
  const [a, b] = await startPair(t, { deployment, env: { CLEANUP_INTERVAL_SECONDS: '10', LOGIN_LIMIT_PER_ADDRESS: '1000000' } })
  const stores = { db: a.db, redis, prefix: deployment.prefix }
  await fillStores(stores, { sessions, users: sessions / 5, say () { /* to nobody */ } })
  const cleanUps = () => [a, b].flatMap(({ logs }) => logs.filter(({ job }) => job === 'clean-up'))

  const health = async () => await a.get('/api/auth/health')
  /** How often each command was called since the numbers were set back; MONITOR would say more and costs a busy machine its time. */
  const calls = async () => new Map([...(await redis.info('commandstats')).matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name = '', count]) => [name, Number(count)]))
  await until(async () => (await health()).json.sessionStats.activeSessions === sessions, 'health tells how many there are')
  await redis.config('RESETSTAT')
  for (let n = 0; n < 20; n++) await health()
  t.ok((await calls()).get('zcount') as number >= 60, 'three counters each time')
  t.strictSame((await callEveryDoor(b)).filter((refused) => !/metrics/.test(refused)), [], 'every door was open')
  await until(() => cleanUps().length > 0, 'the job has run once', 20_000)
  const called = await calls()
  t.strictSame([...called.keys()].filter((name) => /^keys$|scan$/.test(name)), [], 'neither a request nor a job looks at all keys')
  t.ok([...called.values()].reduce((sum, count) => sum + count, 0) > 500, 'there were commands')
})
