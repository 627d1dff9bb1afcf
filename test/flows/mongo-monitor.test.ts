// Story: the MongoDB driver stops looking for its server. It does where its monitor's connection breaks in the moment before a
// write (docs/decisions/0011), seen in the soak: MongoDB was back, and one instance never found it again.
import { MongoClient } from 'mongodb'
import { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { startFaultProxy, type FaultProxy } from '../helper/fault-proxy.ts'
import { mongodbUri, redisUrl } from '../helper/engines.ts'
import { register } from '../helper/people.ts'
import { createDeployment, startService, until, withDatabase, type Service } from '../helper/service.ts'

/** Whether MongoDB tells its monitors of changes by itself: then a monitor that is lost is replaced with the next connection that breaks. */
async function doesStream (uri: string): Promise<boolean> {
  const client = new MongoClient(uri)
  try {
    return (await client.db('admin').command({ hello: 1 }))['topologyVersion'] !== undefined
  } finally {
    await client.close()
  }
}

const skip = mongodbUri === undefined ? 'needs a MongoDB' : await doesStream(mongodbUri) && 'needs a MongoDB whose monitors ask again and again'

/** A way to MongoDB of this story's own. */
async function startWay (t: Test): Promise<{ network: FaultProxy, uri: string }> {
  const { hostname, port } = new URL(mongodbUri as string)
  const network = await startFaultProxy({ host: hostname, port: Number(port) })
  t.teardown(() => network.close())
  return { network, uri: (mongodbUri as string).replace(`${hostname}:${port}`, `127.0.0.1:${network.port}`) }
}

/**
 * Watches what is written to MongoDB by clients that say they are Latchkey's.
 * @returns what breaks the connection of such a client's monitor just before its next look is written
 */
function watchWrites (t: Test, network: FaultProxy): () => Promise<void> {
  const { write } = Socket.prototype
  const latchkeys = new WeakSet<Socket>()
  let broken: (() => void) | undefined
  Socket.prototype.write = function (this: Socket, ...args: unknown[]) {
    if (this.remotePort === network.port) {
      const text = String(args[0])
      if (text.includes('latchkey') && text.includes('helloOk')) latchkeys.add(this)
      else if (broken !== undefined && latchkeys.has(this) && text.includes('hello')) {
        this.destroy()
        broken()
        broken = undefined
      }
    }
    return (write as (...given: unknown[]) => boolean).apply(this, args)
  } as typeof write
  t.teardown(() => { Socket.prototype.write = write })
  return () => new Promise((resolve) => { broken = resolve })
}

/** What makes the driver think the server lost: one that nobody waits for at the time is replaced without a word. */
async function breakOffAnOperation (service: Service, network: FaultProxy): Promise<void> {
  network.set('mute')
  await service.get('/readyz') // has given up its ping, which is still under way
  network.drop()
  network.set('pass')
}

const isReady = async (service: Service): Promise<boolean> => (await service.get('/readyz')).status === 200

await t.test('no manual restart is ever needed: a driver that has stopped looking for MongoDB starts anew', { skip }, async (t) => {
  const { network, uri } = await startWay(t)
  const stopTheMonitor = watchWrites(t, network)
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri: uri, redisUrl }) })
  const { accessToken } = await register(service)
  await stopTheMonitor()
  await breakOffAnOperation(service, network)
  t.equal((await service.get('/api/protected', { token: accessToken })).status, 200, 'a copy answers meanwhile')
  await until(() => isReady(service), 'MongoDB is found again', 20_000)
  t.ok(service.logs.some(({ msg }) => /has stopped looking for its servers: it starts anew/.test(String(msg))), 'the log says what was done')
  t.equal((await service.get('/api/auth/profile', { token: accessToken })).status, 200)
  await register(service)
})

await t.test('the client of a host is not closed: the log says what to do', { skip }, async (t) => {
  const { network, uri } = await startWay(t)
  const stopTheMonitor = watchWrites(t, network)
  const deployment = createDeployment(t, { mongodbUri, redisUrl })
  const mongoClient = new MongoClient(withDatabase(uri, deployment.database), { appName: 'latchkey', serverSelectionTimeoutMS: 1000, connectTimeoutMS: 1000, heartbeatFrequencyMS: 1000 })
  t.teardown(() => mongoClient.close())
  const service = await startService(t, { deployment, mongoClient })
  await register(service)
  await stopTheMonitor()
  await breakOffAnOperation(service, network)
  const told = () => service.logs.some(({ msg }) => /has stopped looking for its servers: close the client and connect it again/.test(String(msg)))
  await until(told, 'it is told', 20_000)
  await mongoClient.close()
  await mongoClient.connect()
  await until(() => isReady(service), 'what the log says helps')
  await register(service)
})
