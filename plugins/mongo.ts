// Socket: the document store. A real MongoDB when one is configured, else the embedded store; both answer to the
// driver's Collection. Nobody waits for it at start, no operation waits long, and it is closed cleanly (DESIGN 8 and 9).
import fastifyMongodb from '@fastify/mongodb'
import fp from 'fastify-plugin'
import { setTimeout as sleep } from 'node:timers/promises'
import { MongoClient, type MongoClientOptions } from 'mongodb'
import { openEmbeddedClient } from '../src/embedded/embedded-client.ts'
import type { ScopeOptions } from '../src/scope-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the document store answers a ping within so many milliseconds. */
    pingMongo: (withinMs?: number) => Promise<boolean>
  }
}

const clientOptions: MongoClientOptions = {
  appName: 'latchkey',
  serverSelectionTimeoutMS: 1000,
  connectTimeoutMS: 1000,
  socketTimeoutMS: 2000,
  waitQueueTimeoutMS: 1000,
  heartbeatFrequencyMS: 2000,
  maxPoolSize: 50,
  maxAdaptiveRetries: 0,
  ignoreUndefined: true
}

/** Our options, but for those that the URI sets: the driver would let ours win. */
function optionsBeside (uri: string): MongoClientOptions {
  const set = new Set([...new URLSearchParams(uri.split('?')[1] ?? '').keys()].map((name) => name.toLowerCase()))
  return Object.fromEntries(Object.entries(clientOptions).filter(([name]) => !set.has(name.toLowerCase())))
}

/** Kinds of servers that take writes. */
const writableTypes = new Set(['Standalone', 'RSPrimary', 'Mongos', 'LoadBalancer'])

/** A probe must have its answer within a second, whatever the store does. */
const pingMs = 800

/** Milliseconds between two attempts at a first connection. */
const retryPauseMs = 500

/** The driver comes back by itself once it has been connected; a first attempt that failed leaves it closed for good. */
async function connect (client: MongoClient, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await client.connect()
      return
    } catch {
      await sleep(retryPauseMs, undefined, { ref: false, signal }).catch(() => { /* closing */ })
    }
  }
}

export default fp<ScopeOptions>(async function mongo (scope, { config, clock, mongoClient }) {
  const { store } = config
  const client = mongoClient ?? await open()
  await scope.register(fastifyMongodb, { client, database: store.kind === 'mongodb' ? store.database : 'latchkey' })
  if (mongoClient === undefined) {
    const closing = new AbortController()
    scope.addHook('onClose', async () => {
      closing.abort()
      await client.close()
    })
    void connect(client, closing.signal)
  }

  scope.decorate('pingMongo', async (withinMs = pingMs) => {
    const late = sleep(withinMs, false, { ref: false })
    return await Promise.race([client.db('admin').command({ ping: 1 }).then(() => true, () => false), late])
  })

  async function open (): Promise<MongoClient> {
    if (store.kind === 'embedded') return await openEmbeddedClient({ dir: store.dir, clock, log: (line) => { scope.log.warn(line) } })
    const opened = new MongoClient(store.uri, optionsBeside(store.uri))
    let writable = false
    let said: boolean | undefined
    const say = (answers: boolean, line: string) => {
      if (said !== answers) scope.log[answers ? 'info' : 'error'](line)
      said = answers
    }
    // by the whole deployment: a member that is down is no outage as long as there is a primary
    opened.on('topologyDescriptionChanged', ({ newDescription }) => {
      const were = writable
      writable = [...newDescription.servers.values()].some(({ type }) => writableTypes.has(type))
      if (writable) say(true, 'MongoDB answers')
      else if (were) say(false, 'MongoDB does not answer')
    })
    opened.on('serverHeartbeatFailed', () => { if (!writable) say(false, 'MongoDB does not answer') })
    return opened
  }
}, { name: 'latchkey-mongo' })
