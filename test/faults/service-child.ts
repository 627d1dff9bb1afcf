// The service as a process that will be killed. A request with the header `x-fault` stops at one of its writes
// (test/helper/fault-points.ts); what stopped and what was answered is told over IPC, and any message back is the kill.
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import { systemClock } from '../../src/clock.ts'
import { createConfig } from '../../src/config/config.ts'
import { readEnvironment } from '../../src/config/environment.ts'
import { openEmbeddedClient } from '../../src/embedded/embedded-client.ts'
import { createStandalone } from '../../src/standalone.ts'
import { noteEvidence } from '../helper/evidence.ts'
import { createFaultPoints, type Doomed, type Fault } from '../helper/fault-points.ts'

const config = createConfig(readEnvironment(process.env), { randomBytes })
const { store, redis } = config
const faults = createFaultPoints((id, stopped) => { process.send?.({ id, stopped }) })
const client = store.kind === 'embedded' ? await openEmbeddedClient({ dir: store.dir, clock: systemClock }) : new MongoClient(store.uri)
const app = createStandalone(config, {
  mongoClient: faults.watchMongo(client),
  ...(redis?.url !== undefined && { redisClient: faults.watchRedis(new Redis(redis.url)) }),
  logStream: { write (line) { noteEvidence('log', line) } }
})

const doomed = new Map<string, Doomed>()
app.addHook('onRequest', (request, _reply, done) => {
  const header = request.headers['x-fault']
  if (typeof header !== 'string') return done()
  const fault: Doomed = { id: request.id, ...JSON.parse(header) as Fault, writes: 0, isStopped: false }
  doomed.set(request.id, fault)
  faults.during(fault, done)
})
app.addHook('preValidation', (request, _reply, done) => {
  const fault = doomed.get(request.id) // once more: what comes after the body was read runs in the socket's context
  if (fault === undefined) done()
  else faults.during(fault, done)
})
app.addHook('onResponse', async ({ id }) => { if (doomed.has(id)) process.send?.({ id, answered: true }) })
process.on('message', () => { process.kill(process.pid, 'SIGKILL') })
process.on('disconnect', () => { process.kill(process.pid, 'SIGKILL') })
await app.listen({ port: 0, host: '127.0.0.1' })
process.send?.({ listening: app.listeningOrigin })
