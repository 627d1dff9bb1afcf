// Socket: the document store. A real MongoDB when one is configured, else the embedded store; both answer to the
// driver's Collection. Nobody waits for it at start, no operation waits long, and it is closed cleanly (DESIGN 8 and 9).
import fastifyMongodb from '@fastify/mongodb'
import fp from 'fastify-plugin'
import { setTimeout as sleep } from 'node:timers/promises'
import { MongoClient, type ConnectionClosedEvent, type MongoClientOptions, type TopologyDescriptionChangedEvent } from 'mongodb'
import { within } from '../src/clock.ts'
import type { EmbeddedOptions } from '../src/embedded/embedded-client.ts'
import { registerApart } from '../src/register-apart.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { isWritable, watchDriver } from '../src/user/driver-watch.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the document store answers a ping; said in the log where that changes what was known. */
    pingMongo: () => Promise<boolean>
    /** Calls back when writes are taken (again), and when a connection broke: what answers next may be another store. */
    onMongoReturn: (listener: () => void) => void
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
  maxIdleTimeMS: 30_000, // what an outage of Redis has opened is closed again
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

/** Milliseconds for closing a client at the end. */
const closeMs = 2500

/** Milliseconds between two attempts at a first connection. */
const retryPauseMs = 500

/** Loads the embedded store where it is used: a fifth of the time that loading all code takes. */
const openEmbedded = async (options: EmbeddedOptions) => (await import('../src/embedded/embedded-client.ts')).openEmbeddedClient(options)

/** The driver comes back by itself once it has been connected; a first attempt that failed leaves it closed for good. */
async function connect (client: MongoClient, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await client.connect()
      break
    } catch {
      await sleep(retryPauseMs, undefined, { ref: false, signal }).catch(() => { /* closing */ })
    }
  }
  if (signal.aborted) await client.close().catch(() => { /* the process ends */ }) // opened while it was to be closed
}

export default fp<ScopeOptions>(async function mongo (scope, { config, clock, mongoClient }) {
  const { store } = config
  let said: boolean | undefined
  const say = (answers: boolean) => {
    if (said === answers || store.kind === 'embedded') return
    said = answers
    scope.log[answers ? 'info' : 'error'](answers ? 'MongoDB answers' : 'MongoDB does not answer')
  }
  const client = mongoClient ?? await open()
  const returned: (() => void)[] = []
  if (store.kind === 'mongodb') {
    const stopWatching = watch(client, returned)
    scope.addHook('onClose', async () => { stopWatching() })
  }
  scope.decorate('onMongoReturn', (listener) => { returned.push(listener) })
  await registerApart(scope, fastifyMongodb, { client, database: store.kind === 'mongodb' ? store.database : 'latchkey' }, { mongo: undefined })
  const startAnew = mongoClient === undefined ? openAndClose() : undefined // a host's client is not ours to close
  if (store.kind === 'mongodb') {
    const stopWatching = watchDriver(client, () => {
      scope.log.error(`the MongoDB driver has stopped looking for its servers: ${startAnew ? 'it starts anew' : 'close the client and connect it again'}`)
      startAnew?.()
    })
    scope.addHook('onClose', async () => { stopWatching() })
  }

  let asking: Promise<boolean> | undefined
  const ask = async (): Promise<boolean> => {
    const answers = await within(pingMs, client.db('admin').command({ ping: 1 }).then(() => true, () => false), () => false)
    say(answers)
    asking = undefined
    return answers
  }
  scope.decorate('pingMongo', () => {
    asking ??= ask() // however many probes ask at a time, MongoDB is asked once
    return asking
  })

  async function open (): Promise<MongoClient> {
    if (store.kind === 'embedded') return await openEmbedded({ dir: store.dir, clock, log: (line) => { scope.log.warn(line) } })
    return new MongoClient(store.uri, optionsBeside(store.uri))
  }

  /** @returns what replaces all that the client has open */
  function openAndClose (): () => void {
    const closing = new AbortController()
    let connecting = connect(client, closing.signal)
    let startsAnew = false
    scope.addHook('onClose', async () => {
      closing.abort()
      // one of its last commands may be lost in the way that the watch is for
      await within(closeMs, client.close().then(() => connecting), () => { /* what is still open ends with the process */ })
    })
    return () => {
      if (startsAnew) return
      startsAnew = true
      // not before it is closed: until then the driver thinks itself connected, and does nothing
      connecting = client.close().catch(() => { /* what could not be closed is given up */ }).then(() => {
        startsAnew = false
        return connect(client, closing.signal)
      })
    }
  }

  /** @returns what takes the listeners off again: a host's client goes on */
  function watch (watched: MongoClient, listeners: readonly (() => void)[]): () => void {
    let writable = false
    const tell = (): void => { for (const listener of listeners) listener() }
    const onDescription = (event: TopologyDescriptionChangedEvent): void => {
      const were = writable
      writable = isWritable(event)
      if (writable) say(true)
      else if (were) say(false)
      if (writable && !were) tell()
    }
    // one that was replaced between two heartbeats looks the same to the driver: its broken connections tell of it
    const onClosed = ({ reason }: ConnectionClosedEvent): void => { if (reason === 'error' || reason === 'stale') tell() }
    const onHeartbeatFailed = (): void => { if (!writable) say(false) }
    watched.on('topologyDescriptionChanged', onDescription).on('connectionClosed', onClosed).on('serverHeartbeatFailed', onHeartbeatFailed)
    return () => { watched.off('topologyDescriptionChanged', onDescription).off('connectionClosed', onClosed).off('serverHeartbeatFailed', onHeartbeatFailed) }
  }
}, { name: 'latchkey-mongo' })
