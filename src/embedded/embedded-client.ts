// Room `embedded`: a small durable document store in the shape of the MongoDB driver's client, for a Latchkey that has
// no MONGODB_URI. Repositories are written once, against the driver's Collection, and run on it unchanged. One process
// to a folder; a file per collection; indexes live in memory and are made anew at each start, by createIndexes.
import { mkdir, readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { MongoClient } from 'mongodb'
import type { Clock } from '../clock.ts'
import { createCollection, type EmbeddedCollection } from './collection.ts'
import { systemDisk, type Disk } from './disk.ts'
import { documentPayload, replay } from './document-record.ts'
import { createDocumentSet, type DocumentSet } from './document-set.ts'
import { createDurableLog } from './durable-log.ts'
import { lockFolder } from './folder-lock.ts'
import { badRequest, storeClosed } from './store-error.ts'
import type { Doc } from './value-codec.ts'
import { createMemoryLog, type WriteLog } from './write-log.ts'

export interface EmbeddedOptions {
  /** Folder of the files, made if need be (mode 0700); null = in memory only. */
  dir: string | null
  clock: Clock
  /** Gets a line about a repaired file or a compaction that failed; never a document's content. */
  log?: (message: string) => void
  /** The file system; a test hands over one that fails. */
  disk?: Disk
}

/** The driver's client as far as repositories use it, and what only an embedded store has. */
export type EmbeddedClient = MongoClient & {
  /** Removes what is due by TTL indexes, as also happens every 60 s. @returns how many documents */
  expire: () => Promise<number>
}

interface Opened { collection: EmbeddedCollection, set: DocumentSet, log: WriteLog }

const sweepEveryMs = 60_000
const nameShape = /^[\w-]{1,64}$/
const fileShape = /^([\w-]{1,64})\.([\w-]{1,64})\.jsonl(\.tmp)?$/

/**
 * @returns a client whose `db(name)` has collection, command, dropDatabase and databaseName
 * @throws Error `ELOCKED` if another process, or this one, has the folder open; `EUNREADABLE` if a file in it is damaged
 * where it had been durable; or the file system's own
 */
export async function openEmbeddedClient ({ dir, clock, log = () => {}, disk = systemDisk }: EmbeddedOptions): Promise<EmbeddedClient> {
  const folder = dir === null ? null : resolve(dir)
  const opened = new Map<string, Opened>()
  let closing: Promise<void> | undefined
  const now = () => new Date(clock.wall())

  function create (database: string, name: string): Opened & { load: () => Promise<void> } {
    if (!nameShape.test(database) || !nameShape.test(name)) throw badRequest('names of databases and collections have 1 to 64 letters, digits, - or _ in the embedded store', 73)
    const namespace = `${database}.${name}`
    const set = createDocumentSet(namespace)
    const fresh = (writeLog: WriteLog) => ({ set, log: writeLog, collection: createCollection({ name, set, log: writeLog, now }) })
    if (folder === null) return { ...fresh(createMemoryLog(namespace)), load: async () => {} }
    const durable = createDurableLog({ path: join(folder, `${namespace}.jsonl`), namespace, disk, log, snapshot: () => snapshotOf(set) })
    return { ...fresh(durable), load: () => durable.load((value) => replay(set, value)) }
  }

  function collection (database: string, name: string): EmbeddedCollection {
    const key = `${database}.${name}`
    const found = opened.get(key) ?? create(database, name)
    opened.set(key, found)
    if (closing) found.log.close().catch(() => {}) // this one was not there to be closed with the others
    return found.collection
  }

  async function loadFolder (path: string): Promise<void> {
    for (const file of await readdir(path)) {
      const [, database, name, temporary] = fileShape.exec(file) ?? []
      if (temporary) await disk.remove(join(path, file)) // of a compaction that a crash cut short
      if (temporary || database === undefined || name === undefined) continue
      const found = create(database, name)
      opened.set(`${database}.${name}`, found)
      await found.load()
    }
  }

  const closeAll = () => Promise.all([...opened.values()].map((each) => each.log.close()))

  async function expire (): Promise<number> {
    let removed = 0
    for (const each of opened.values()) removed += await each.collection.expire()
    return removed
  }

  if (folder !== null) await makeFolder(folder, disk)
  const unlock = folder === null ? () => {} : await lockFolder(folder)
  try {
    if (folder !== null) await loadFolder(folder)
  } catch (error) {
    await closeAll()
    unlock()
    throw error
  }

  let sweep: Promise<unknown> | undefined
  const timer = setInterval(() => {
    sweep ??= expire().catch((error: Error) => log(`expired documents could not be removed: ${error.message}`)).finally(() => { sweep = undefined })
  }, sweepEveryMs).unref()

  async function shut (): Promise<void> {
    clearInterval(timer)
    await sweep
    await closeAll().finally(unlock)
  }

  const client = {
    connect: async () => client,
    db: (databaseName: string) => ({
      databaseName,
      collection: (name: string) => collection(databaseName, name),
      async command (command: Doc) {
        if (closing) throw storeClosed(databaseName)
        if (!('ping' in command)) throw badRequest(`the embedded store has no command ${Object.keys(command)[0]}`, 59)
        return { ok: 1 }
      },
      async dropDatabase () {
        for (const [key, { collection, set }] of opened) {
          if (!key.startsWith(`${databaseName}.`)) continue
          set.dropIndexes()
          await collection.deleteMany()
        }
        return true
      }
    }),
    expire,
    close () {
      closing ??= shut()
      return closing
    }
  }
  return client as unknown as EmbeddedClient
}

function snapshotOf (set: DocumentSet): { count: number, payloads: Iterable<string> } {
  const docs = [...set.all()] // documents are replaced, never changed: this list stays what it is
  return { count: docs.length, payloads: { * [Symbol.iterator] () { for (const doc of docs) yield documentPayload(doc) } } }
}

async function makeFolder (path: string, disk: Disk): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = path; ; made = dirname(made)) { // each new folder's name is in the one above it
    await disk.syncFolder(dirname(made))
    if (made === first) return
  }
}
