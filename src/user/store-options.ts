// Room `user`: how every repository reads and writes MongoDB: acknowledged by the majority and on disk before we say so,
// and never longer than a client would wait (DESIGN 2 and 8).
import { WriteConcern, type BSONSerializeOptions, type Collection, type Db, type Document, type MongoClient } from 'mongodb'
import { within } from '../clock.ts'
import { unavailable } from '../errors.ts'

/** Survives a crash and an election. */
const byMajority = new WriteConcern('majority', 2000, true)

/**
 * The same for a server that is no member of a replica set. Asked for a majority, mongod leaves waiting for the journal to
 * the replication that such a server does not have, and acknowledges what only memory has (src/mongo/db/write_concern.cpp;
 * measured: a kill -9 in a stream of inserts lost the last acknowledged ones in 19 of 100 runs, with this in none of 100).
 */
const onDisk = new WriteConcern(1, undefined, true)

interface Deployment { isStandalone: boolean }

/**
 * How documents are written and read, whatever a host's client prefers: what is undefined is absent and not null, and what comes
 * back are values of JavaScript.
 */
const plainDocuments: BSONSerializeOptions = {
  ignoreUndefined: true,
  serializeFunctions: false,
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: false,
  useBigInt64: false,
  bsonRegExp: false,
  fieldsAsRaw: {},
  raw: false
}

const deployments = new WeakMap<MongoClient, Deployment>()

/** What is behind a client; a majority is asked for until it is known. */
function deploymentOf (client: MongoClient): Deployment {
  const known = deployments.get(client)
  if (known !== undefined) return known
  const deployment: Deployment = { isStandalone: false }
  deployments.set(client, deployment)
  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    const types = [...newDescription.servers.values()].map(({ type }) => type).filter((type) => type !== 'Unknown')
    if (types.length > 0) deployment.isStandalone = types.includes('Standalone') // while it is away, it stays what it was
  })
  // a host's client may have been connected before, and told of it then
  const learn = ({ setName, msg }: Document) => { deployment.isStandalone = setName === undefined && msg !== 'isdbgrid' }
  client.db('admin', plainDocuments).command({ hello: 1 }).then(learn, () => { /* not there yet: the event tells */ })
  return deployment
}

/** Whether a database is in this process: it has no client of the driver's. */
export const isEmbedded = (db: Db): boolean => (db.client as MongoClient | undefined) === undefined

/** Operations that repositories wait for; those that build indexes take their time. */
const operations = ['findOne', 'insertOne', 'updateOne', 'updateMany', 'deleteOne', 'deleteMany', 'findOneAndUpdate', 'bulkWrite'] as const

/** Their answer comes with `toArray`. */
const queries = ['find', 'aggregate'] as const

/** What is bounded in time, and nothing else of the driver's collection. */
export type AcknowledgedCollection<T extends Document> = Pick<Collection<T>, typeof operations[number] | typeof queries[number] | 'createIndex' | 'readPreference' | 'writeConcern'>

type Method = (...args: unknown[]) => unknown

/**
 * A collection whose acknowledged writes survive a crash, and whose truth is read where it is written, whatever the URI or
 * a host's client prefers: a secondary may not have heard of a revocation yet.
 * @param answerMs milliseconds after which an operation is `unavailable`: above the 2 s in which the driver waits for an answer,
 *   below the 3 s in which a login is told (REQUIREMENTS B10); a command that it writes into a connection that has just broken
 *   waits for ever (docs/decisions/0011)
 */
export function acknowledgedCollection<T extends Document> (db: Db, name: string, answerMs = 2500): AcknowledgedCollection<T> {
  const collection = db.collection<T>(name, { readPreference: 'primary', writeConcern: byMajority, ...plainDocuments })
  if (isEmbedded(db)) return collection
  const deployment = deploymentOf(db.client)
  Object.defineProperty(collection, 'writeConcern', { get: () => deployment.isStandalone ? onDisk : byMajority })

  const late = (): never => { throw unavailable(new Error(`MongoDB has not answered within ${answerMs} ms`)) }
  const call = (method: string, args: unknown[]) => (collection[method as 'findOne'] as Method)(...args)
  const bounded: Collection<T> = Object.create(collection)
  for (const method of operations) bounded[method] = ((...args) => within(answerMs, call(method, args) as Promise<unknown>, late)) as Method as never
  for (const method of queries) {
    bounded[method] = ((...args) => {
      const cursor = call(method, args) as { toArray: () => Promise<unknown[]> }
      const toArray = cursor.toArray.bind(cursor)
      return Object.assign(cursor, { toArray: () => within(answerMs, toArray(), late) })
    }) as Method as never
  }
  return bounded
}

/** For each read and conditional write: the server gives up after this many milliseconds. */
export const bounded = Object.freeze({ maxTimeMS: 1500 })
