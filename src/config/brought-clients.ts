// Room `config`: clients that a host brings, looked at before anything starts: what could not work is refused with a word on
// what would. They are judged by what they can do, because a host may have a copy of the library of its own.
import { ConfigError } from './environment.ts'

export interface BroughtClients {
  readonly mongoClient: unknown
  /** Name of the database; without it that of the client's URI, else `latchkey`. */
  readonly mongoDatabase: unknown
  readonly redisClient: unknown
  /** The setting, which names a database, too. */
  readonly mongodbUri: string | undefined
}

type Members = Record<string, unknown> & { options?: Record<string, unknown> }

const membersOf = (client: unknown): Members => (typeof client === 'object' && client !== null ? client : {}) as Members
const can = (client: unknown, ...methods: string[]): boolean => methods.every((method) => typeof membersOf(client)[method] === 'function')

/** The driver's own, where a URI names none; nobody means it. */
const driversDefault = 'test'

/**
 * @returns the setting `mongodbUri` that stands for a client: of an address that is never asked; undefined where there is none
 * @throws ConfigError
 */
export function readBroughtClients ({ mongoClient, mongoDatabase, redisClient, mongodbUri }: BroughtClients): string | undefined {
  const problems: string[] = []
  if (mongoClient !== undefined && !can(mongoClient, 'db', 'on', 'off')) problems.push('mongoClient: expected a MongoClient of the driver `mongodb`, such as app.mongo.client of @fastify/mongodb')
  if (mongoClient !== undefined && mongodbUri === 'embedded') problems.push('mongoClient and mongodbUri `embedded` exclude each other')
  if (mongoDatabase !== undefined && mongoClient === undefined) problems.push('mongoDatabase belongs to mongoClient; without one, mongodbUri names the database')
  if (mongoDatabase !== undefined && mongodbUri !== undefined) problems.push('mongoDatabase and mongodbUri both name a database: set one of them')
  if (mongoDatabase !== undefined && (typeof mongoDatabase !== 'string' || !/^[^/\\. "$*<>:|?\0]{1,63}$/.test(mongoDatabase))) problems.push('mongoDatabase: this is no name of a database')
  if (redisClient !== undefined && !can(redisClient, 'defineCommand', 'getBuiltinCommands', 'duplicate', 'on', 'off')) {
    problems.push('redisClient: expected a Redis or a Cluster of `ioredis`, such as app.redis of @fastify/redis (with a namespace, app.redis.<namespace>)')
  }
  const { options = {} } = membersOf(redisClient)
  if (options['stringNumbers'] === true || membersOf(options['redisOptions'])['stringNumbers'] === true) problems.push('redisClient: `stringNumbers` turns the counts that the service reads into texts; bring a client without it')
  if (problems.length > 0) throw new ConfigError(problems)
  if (mongoClient === undefined || mongodbUri !== undefined) return undefined
  const ownDatabase = membersOf(membersOf(mongoClient).options)['dbName']
  const database = mongoDatabase ?? (ownDatabase === driversDefault ? undefined : ownDatabase) ?? 'latchkey'
  return `mongodb://the-client-of-the-host/${encodeURIComponent(database as string)}`
}
