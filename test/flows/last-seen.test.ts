// Story: when sessions were last seen. It moves at most once a minute, by a job, and costs a request nothing at all: no
// store is asked because of it, with the memory tier on or off (MISSION row 27).
import t from 'tap'
import { Redis } from 'ioredis'
import { openClient } from '../helper/client-of.ts'
import { mongodbUri, realEngines, redisUrl } from '../helper/engines.ts'
import { login, register, type Login } from '../helper/people.ts'
import { createDeployment, startService, untilHearing, type Service } from '../helper/service.ts'
import type { MongoClient } from 'mongodb'

const lastSeenOf = async (service: Service, { sid }: Login): Promise<number> =>
  ((await service.db.collection('usersession').findOne({ _id: sid as never })) as unknown as { lastSeenAt: Date }).lastSeenAt.getTime()

await t.test('who closes in good order writes what was noted; nothing was written before', async (t) => {
  const deployment = createDeployment(t, { mongodbUri, redisUrl })
  const client = await openClient(t, deployment)
  const service = await startService(t, { deployment, mongoClient: client })
  const { person, ...first } = await register(service)
  const idle = await login(service, person)
  const before = await lastSeenOf(service, first)
  service.clock.advance(30_000)
  for (let i = 0; i < 5; i++) await service.get('/api/protected', { token: first.accessToken })
  t.equal(await lastSeenOf(service, first), before)
  const at = service.clock.wall()
  await service.app.close()
  const after = await lastSeenOf(service, first)
  t.ok(after > before + 29_000 && after <= at, `${after - before} ms later`)
  t.equal(await lastSeenOf(service, idle), (await service.db.collection('usersession').findOne({ _id: idle.sid as never }))?.['createdAt'].getTime(), 'nobody else was')
})

/** Names of the commands that a MongoDB client sends about sessions and users while `work` runs. */
async function commandsOf (client: MongoClient, work: () => Promise<void>): Promise<string[]> {
  const sent: string[] = []
  const note = ({ commandName, command }: { commandName: string, command: Record<string, unknown> }): void => {
    if (['usersession', 'users'].includes(String(command[commandName]))) sent.push(`${commandName} ${String(command[commandName])}`)
  }
  client.on('commandStarted', note)
  await work()
  client.off('commandStarted', note)
  return sent
}

/** Commands that write, of all that Redis was sent for this deployment while `work` runs, but for heartbeats. */
async function redisWrites (prefix: string, work: () => Promise<void>): Promise<string[]> {
  const looking = new Redis(redisUrl as string)
  const monitor = await looking.monitor()
  const seen: string[] = []
  monitor.on('monitor', (_time: string, args: string[]) => {
    if (args.some((arg) => arg.startsWith(prefix)) && !['publish', 'get', 'mget'].includes(String(args[0]).toLowerCase())) seen.push(args.slice(0, 2).join(' '))
  })
  await work()
  monitor.disconnect()
  looking.disconnect()
  return seen
}

for (const [name, env] of [['on', {}], ['off', { MEMORY_TIER_ENTRIES: '0', TOKEN_MEMO_ENTRIES: '0' }]] as const) {
  await t.test(`with the memory tier ${name}, seeing a session adds no operation of a store`, { skip: !realEngines && 'counts commands of real engines' }, async (t) => {
    const deployment = createDeployment(t)
    const client = await openClient(t, deployment, { monitorCommands: true })
    const service = await startService(t, { deployment, mongoClient: client, env })
    await untilHearing(service)
    const { accessToken: token } = await register(service)
    await service.get('/api/protected', { token })
    const ask = async (): Promise<void> => { for (let i = 0; i < 20; i++) await service.get('/api/protected', { token }) }
    t.strictSame(await commandsOf(client, ask), [])
    t.strictSame(await redisWrites(deployment.prefix, ask), [])
  })
}
