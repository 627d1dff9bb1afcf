// What everything that runs as a process shares: the configuration out of its environment, and the plain sentence for a
// failure that a person can mend. Whatever has none keeps its stack.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createConfig, type Config } from './config/config.ts'
import { ConfigError, readEnvironment } from './config/environment.ts'
import { isStoreFault } from './errors.ts'
import { ImportError } from './import/import-error.ts'

/** The environment of this process, and what a `.env` beside it adds. */
export function ownEnvironment (): NodeJS.ProcessEnv {
  if (existsSync('.env')) process.loadEnvFile('.env')
  return process.env
}

/** @throws ConfigError */
export const configure = (environment: Record<string, string | undefined>): Config => createConfig(readEnvironment(environment), { randomBytes })

/** @returns undefined for a failure that should not have happened */
export function plainReason (error: unknown): string | undefined {
  const { code, name, message, codeName, syscall, path } = error as NodeJS.ErrnoException & { codeName?: string }
  if (error instanceof ConfigError || error instanceof ImportError || code === 'ELOCKED' || code === 'EUNREADABLE') return message
  if (code === 'EADDRINUSE') return 'The port is taken by another process. Set PORT to another one.'
  if (code === 'EADDRNOTAVAIL') return 'This machine has no such address. Set HOST to one that it has, or to 0.0.0.0 for all.'
  if (code === 'EACCES' && syscall === 'listen') return 'This user may not listen at that port. Set PORT to one above 1023.'
  if (isStoreFault(error)) return 'The document store does not answer, or not in time. What it has acknowledged stays; run the command again.'
  if (path !== undefined && typeof syscall === 'string') return `${path} cannot be used (${syscall}: ${code}). Set DATA_DIR to a folder in which this user may write, with room left.`
  // neither its words nor a server's are repeated: the one may quote a password, the other a record
  if (name === 'MongoParseError') return 'MONGODB_URI cannot be used: it has an option that there is not, or a value that an option cannot have.'
  return /^Mongo\w+Error$/.test(name) ? `MongoDB refuses (${codeName ?? name}, code ${code ?? 'unknown'}).` : undefined
}
