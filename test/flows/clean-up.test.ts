// Story: stores full of sessions, their counters and their copies. Requests never look at all keys; once everything has
// ended, the job empties the stores, on two instances, and what lives stays. `npm run test:scale` is the same with a million.
import { Redis } from 'ioredis'
import t from 'tap'
import { mongodbUri } from '../helper/engines.ts'
import { callEveryDoor } from '../helper/every-door.ts'
import { startOwnEngine, withoutOwnEngines } from '../helper/own-engines.ts'
import { register } from '../helper/people.ts'
import { createDeployment, startPair, until } from '../helper/service.ts'
import { endAll, fillStores, sizesOf } from '../scale/fill.ts'

const sessions = 3000
t.setTimeout(300_000) // a job that failed waits for the length of a lease

await t.test('no request and no job asks Redis for all keys, health reads counters only, and the clean-up empties the stores of what has ended', { skip: withoutOwnEngines }, async (t) => {
  const { url } = await startOwnEngine(t, 'redis') // its keys are counted, and everything that it is asked is looked at
  const redis = new Redis(url)
  t.teardown(() => { redis.disconnect() })
  const deployment = createDeployment(t, { mongodbUri, redisUrl: url })
  const [a, b] = await startPair(t, { deployment, env: { CLEANUP_INTERVAL_SECONDS: '10', LOGIN_LIMIT_PER_ADDRESS: '1000000' } })
  const stores = { db: a.db, redis, prefix: deployment.prefix }
  const full = await fillStores(stores, { sessions, users: sessions / 5, say () { /* to nobody */ } })
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

  const filled = await sizesOf(stores)
  const beside = filled.keys - full.keys // guests' visits and such, which are not over
  const taken = (what: string) => cleanUps().reduce((sum, line) => sum + Number(line[what] ?? 0), 0)
  const before = { sessions: taken('sessions'), counted: taken('counted') }
  await endAll(stores, { copiesMs: 500 })
  const { accessToken: token } = await register(a)
  await until(() => taken('sessions') - before.sessions >= filled.documents && taken('counted') - before.counted >= sessions, 'the job has taken out what was over', 60_000) // a run that failed is made again after a lease
  t.equal(taken('sessions') - before.sessions, filled.documents, 'each was taken out once, and it is in the log')
  const left = await sizesOf(stores)
  t.ok(left.documents <= full.documents / 100, `${left.documents} of ${full.documents} documents are left`)
  t.ok(left.members <= full.members / 100, `${left.members} of ${full.members} members of counters`)
  await until(async () => (await sizesOf(stores)).keys <= full.keys / 100 + beside, 'DBSIZE is back')
  t.equal((await b.get('/api/protected', { token })).status, 200, 'what lives stays')
  t.equal((await health()).json.sessionStats.activeSessions, 1)
})
