// Command line: `latchkey import`, which takes accounts and sessions of an older service over.
import { MongoClient, type Db } from 'mongodb'
import { collectionSource, fileSource, type DocumentSource } from '../import/document-source.ts'
import { ImportError } from '../import/import-error.ts'
import { createImportReport } from '../import/import-report.ts'
import { createImportStore, type ImportStore } from '../import/import-store.ts'
import { createImporter } from '../import/importer.ts'
import { isSamePlace, placeOf } from '../import/same-place.ts'
import { configure } from '../launch.ts'
import { isReached, openDocuments } from '../offline.ts'
import { createSessionRepository } from '../session/session-repository.ts'
import { storeText } from '../start-lines.ts'
import { createUserRepository } from '../user/user-repository.ts'
import { exit, type Io } from './io.ts'
import { parse, UsageError } from './parse.ts'
import { createProgress } from './progress.ts'

const options = {
  from: { type: 'string' },
  users: { type: 'string' },
  sessions: { type: 'string' },
  'users-collection': { type: 'string', default: 'users' },
  'sessions-collection': { type: 'string', default: 'usersession' },
  'dry-run': { type: 'boolean', default: false }
} as const

const ownDatabase = 'Latchkey needs a database of its own: put another name into the path of MONGODB_URI, such as mongodb://host/latchkey.'

export async function importCommand (args: readonly string[], io: Io): Promise<number> {
  const { values } = parse(args, options)
  if (values.from === undefined && values.users === undefined && values.sessions === undefined) throw new UsageError('it needs --from, --users or --sessions')
  const old = values.from === undefined ? undefined : clientFor(values.from)
  const config = configure(io.environment())
  const app = await openDocuments({ config, clock: io.clock, randomBytes: io.randomBytes, warn: (line) => { io.err(`${line}\n`) } })
  try {
    if (!await isReached(app.pingMongo)) throw new ImportError('The store that is to take them does not answer. Nothing was taken over.')
    if (old !== undefined) await reach(old)
    const db = app.mongo.db as Db
    const store = createImportStore(db)
    await checkApart(old, app.mongo.client, db, store)
    if (!values['dry-run']) for (const repository of [createUserRepository(db), createSessionRepository(db)]) await repository.ensureIndexes()
    const source = (file: string | undefined, collection: string): DocumentSource | undefined =>
      file !== undefined ? fileSource(file) : old && collectionSource(old.db(), collection)
    io.err(`Into: ${storeText(config)}\n`)
    return await runImport(store, {
      users: source(values.users, values['users-collection']),
      sessions: source(values.sessions, values['sessions-collection'])
    }, { idleMs: config.refreshTokenSeconds * 1000, dryRun: values['dry-run'] }, io)
  } finally {
    await Promise.all([app.close(), old?.close()])
  }
}

async function runImport (store: ImportStore, sources: { users: DocumentSource | undefined, sessions: DocumentSource | undefined }, rules: { idleMs: number, dryRun: boolean }, io: Io): Promise<number> {
  const progress = createProgress(io)
  const report = createImportReport((line) => {
    progress.clear()
    io.out(line)
  })
  const importer = createImporter({
    store,
    clock: io.clock,
    ...rules,
    note (collection, label, outcome) {
      report.note(collection, label, outcome)
      const { read, imported } = report.counts[collection]
      progress.show(`${collection}: ${read} read, ${imported} ${rules.dryRun ? 'to be imported' : 'imported'}`)
    }
  })
  try {
    if (sources.users !== undefined) await importer.users(sources.users)
    if (sources.sessions !== undefined) await importer.sessions(sources.sessions)
  } finally {
    progress.clear()
  }
  for (const line of report.lines()) io.out(line)
  if (rules.dryRun) io.out('A dry run: nothing was written.')
  return Object.values(report.counts).some(({ skipped }) => skipped > 0) ? exit.incomplete : exit.done
}

/** @throws ImportError if old records and ours would meet in one collection */
async function checkApart (old: MongoClient | undefined, target: MongoClient, db: Db, store: ImportStore): Promise<void> {
  // the embedded store has no address
  const places = old !== undefined && 'options' in target ? [placeOf(old, old.db().databaseName), placeOf(target, db.databaseName)] as const : undefined
  if (places !== undefined && isSamePlace(...places)) throw new ImportError(`--from and MONGODB_URI are the same database. ${ownDatabase}`)
  const [foreign] = await store.foreign()
  if (foreign !== undefined) throw new ImportError(`The collection \`${foreign}\` of the database that is to take them holds records of another service. ${ownDatabase}`)
}

function clientFor (uri: string): MongoClient {
  try {
    return new MongoClient(uri, { appName: 'latchkey-import', serverSelectionTimeoutMS: 5000 })
  } catch {
    throw new UsageError('--from is no address of a MongoDB: expected mongodb://host/database') // the driver's words may quote it
  }
}

async function reach (old: MongoClient): Promise<void> {
  try {
    await old.db().command({ ping: 1 })
  } catch (error) {
    const { name, codeName } = error as Error & { codeName?: string }
    throw new ImportError(`The database of --from does not answer (${codeName ?? name}). Nothing was taken over.`, { cause: error })
  }
}
