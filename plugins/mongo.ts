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
    /** Whether the document store answers a ping. */
    pingMongo: () => Promise<boolean>
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

  scope.decorate('pingMongo', async () => {
    const late = sleep(pingMs, false, { ref: false })
    return await Promise.race([client.db('admin').command({ ping: 1 }).then(() => true, () => false), late])
  })

  async function open (): Promise<MongoClient> {
    if (store.kind === 'embedded') return await openEmbeddedClient({ dir: store.dir, clock, log: (line) => { scope.log.warn(line) } })
    const opened = new MongoClient(store.uri, optionsBeside(store.uri))
    let answers: boolean | undefined
    const note = (now: boolean, say: () => void) => {
      if (answers !== now) say()
      answers = now
    }
    opened.on('serverHeartbeatSucceeded', () => { note(true, () => { scope.log.info('MongoDB answers') }) })
    opened.on('serverHeartbeatFailed', () => { note(false, () => { scope.log.error('MongoDB does not answer') }) })
    return opened
  }
}, { name: 'latchkey-mongo' })
