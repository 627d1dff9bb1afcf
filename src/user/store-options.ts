// Room `user`: how every repository reads and writes MongoDB: acknowledged by the majority and on disk before we say so,
// and never longer than a client would wait (DESIGN 2 and 8).
import { WriteConcern, type Collection, type Db, type Document, type MongoClient } from 'mongodb'

/** Survives a crash and an election. */
const byMajority = new WriteConcern('majority', 2000, true)

/**
 * The same for a server that is no member of a replica set. Asked for a majority, mongod leaves waiting for the journal to
 * the replication that such a server does not have, and acknowledges what only memory has (src/mongo/db/write_concern.cpp;
 * measured: a kill -9 in a stream of inserts lost the last acknowledged ones in 19 of 100 runs, with this in none of 100).
 */
const onDisk = new WriteConcern(1, undefined, true)

interface Deployment { isStandalone: boolean }

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
  client.db('admin').command({ hello: 1 }).then(learn, () => { /* not there yet: the event tells */ })
  return deployment
}

/**
 * A collection whose acknowledged writes survive a crash, and whose truth is read where it is written, whatever the URI or
 * a host's client prefers: a secondary may not have heard of a revocation yet.
 */
export function acknowledgedCollection<T extends Document> (db: Db, name: string): Collection<T> {
  const collection = db.collection<T>(name, { readPreference: 'primary', writeConcern: byMajority })
  const client = db.client as MongoClient | undefined // the embedded store has none
  if (client === undefined) return collection
  const deployment = deploymentOf(client)
  return Object.defineProperty(collection, 'writeConcern', { get: () => deployment.isStandalone ? onDisk : byMajority })
}

/** For each read and conditional write: the server gives up after this many milliseconds. */
export const bounded = Object.freeze({ maxTimeMS: 1500 })
