// Story: checks at full speed. Within one verdict lifetime the stores hear of a session once for each instance, however
// often it is checked; counted at the clients themselves.
import autocannon from 'autocannon'
import { Redis } from 'ioredis'
import t from 'tap'
import { openClient } from '../helper/client-of.ts'
import { realEngines, redisUrl } from '../helper/engines.ts'
import { login, register } from '../helper/people.ts'
import { createDeployment, startService, untilHearing } from '../helper/service.ts'

const sessions = 100
const checks = 100_000

await t.test(`${checks.toLocaleString('en')} warm checks cause no command beyond one load for each session and instance`, { skip: !realEngines && 'counts the commands of real engines: set REDIS_URL and MONGODB_URI', timeout: 280_000 }, async (t) => {
  const deployment = createDeployment(t)
  const env = { SESSIONS_PER_USER: '1000', VERDICT_TTL_SECONDS: '3600', VISIT_ARCHIVE_INTERVAL_SECONDS: '3600' }
  const mongoClient = await openClient(t, deployment, { monitorCommands: true })
  const redisClient = new Redis(redisUrl as string, { lazyConnect: true, enableOfflineQueue: false })
  await redisClient.connect()
  t.teardown(() => { redisClient.disconnect() })

  const issuing = await startService(t, { deployment, env })
  const { person, ...first } = await register(issuing)
  const tokens = [first.accessToken]
  while (tokens.length < sessions) tokens.push((await login(issuing, person)).accessToken)

  const counted = await startService(t, { deployment, env, mongoClient, redisClient })
  await untilHearing(counted)
  const mongo: string[] = []
  const redis: string[] = []
  mongoClient.on('commandStarted', ({ commandName, command }) => { if (command[commandName] !== 'leases' && commandName !== 'update') mongo.push(commandName) }) // jobs look at the clock, and note who was seen
  const send = redisClient.sendCommand.bind(redisClient)
  redisClient.sendCommand = (command, stream) => {
    if (command.name === 'mget') redis.push(...command.args.map(String)) // what was asked for in one turn goes together
    else if (command.name !== 'publish') redis.push(command.name) // beats
    return send(command, stream)
  }

  await Promise.all(tokens.map((token) => counted.get('/api/protected', { token })))
  t.equal(new Set(redis).size, sessions, 'Redis is read for each session')
  t.equal(redis.length, sessions, 'once')
  t.equal(mongo.length, 0, 'and none of MongoDB, because Redis knew them')
  redis.length = 0

  const load = await autocannon({
    url: `${counted.origin}/api/protected`,
    amount: checks,
    connections: 50,
    requests: tokens.map((token) => ({ headers: { authorization: `Bearer ${token}` } }))
  })
  t.equal(load['2xx'], checks)
  t.equal(load.non2xx + load.errors + load.timeouts, 0)
  t.strictSame({ mongo, redis }, { mongo: [], redis: [] }, 'warm checks ask nobody')
})

await t.test('1,000 parallel requests with one cold token cause one read of Redis and at most one load from MongoDB', { skip: !realEngines && 'counts the commands of real engines: set REDIS_URL and MONGODB_URI' }, async (t) => {
  const deployment = createDeployment(t)
  const mongoClient = await openClient(t, deployment, { monitorCommands: true })
  const issuing = await startService(t, { deployment })
  const { accessToken } = await register(issuing)
  const counted = await startService(t, { deployment, mongoClient })
  await untilHearing(counted)
  const reads: string[] = []
  mongoClient.on('commandStarted', ({ commandName, command }) => { if (['find', 'aggregate'].includes(commandName)) reads.push(String(command[commandName])) })
  counted.clock.advance(61_000) // no copy counts any more
  const answers = await Promise.all(Array.from({ length: 1000 }, () => counted.get('/api/protected', { token: accessToken })))
  t.ok(answers.every(({ status }) => status === 200))
  t.strictSame(reads, ['usersession'], 'one load: the session with its user')
})
