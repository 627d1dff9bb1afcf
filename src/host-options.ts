// What a host passes to `app.register(latchkey, options)`, and what of it is refused before anything starts: whatever
// contradicts itself, would never be called, or would take the place of something that the host has.
import type { FastifyInstance } from 'fastify'
import { readBroughtClients } from './config/brought-clients.ts'
import { createConfig, type Config } from './config/config.ts'
import { ConfigError, readOptions } from './config/environment.ts'
import { readHostFields } from './config/host-fields.ts'
import { mountedParts, readParts, type Part, type Parts } from './config/parts.ts'
import { processSettings, settingNames, type SettingsInput } from './config/settings-schema.ts'
import type { ScopeOptions } from './scope-options.ts'
import type { PublicUserOf } from './user/user-view.ts'

/** What the host's own things are called that this package brings. */
export interface GuardNames {
  /** Decorator of the instance: the guard. */
  authenticate: string
  /** Decorator of the instance: makes the guard by role. */
  requireRole: string
  /** Decorator of the request: the public user. */
  user: string
}

type Brought = Partial<Pick<ScopeOptions, 'mongoClient' | 'redisClient' | 'hooks' | 'claims' | 'clock' | 'randomBytes' | 'worker'>>

/** Settings in camelCase (`accessTokenSecret` for `ACCESS_TOKEN_SECRET`), and what a host can bring. */
export interface LatchkeyOptions extends SettingsInput, Brought {
  /** Path under which the service answers, such as `/auth`. */
  prefix?: string
  /** Parts to mount: all of them by default, in production without the console; with an empty list the guard alone. */
  parts?: readonly Part[]
  /** Database of `mongoClient`; by default the one that its URI names, else `latchkey`. */
  mongoDatabase?: string
  /** Fields that an account shows beside the service's own; needs `publicUserSchema`. */
  publicUser?: PublicUserOf
  /** Describes these fields: an object of TypeBox, or the same as JSON Schema. */
  publicUserSchema?: object
  /** Other names, where the host has these already. */
  names?: Partial<GuardNames>
  /** A configuration made before, instead of settings. */
  config?: Config
  /** Whether addresses that nobody answers get this service's 404; by default only under a prefix. */
  ownsNotFound?: boolean
}

export interface HostOptions extends Pick<ScopeOptions, 'config' | 'parts' | 'hostView'> {
  readonly names: GuardNames
}

/** @throws ConfigError */
export function readHostOptions (host: FastifyInstance, options: LatchkeyOptions, randomBytes: ScopeOptions['randomBytes']): HostOptions {
  if (host.hasDecorator('latchkey')) throw new ConfigError(['latchkey is registered already, on this instance or on one around it: register it once, or in scopes beside each other'])
  const parts = readParts(options.parts)
  if (!parts.has('auth')) refuseIdle({ hooks: options.hooks, claims: options.claims })
  if (options.parts !== undefined && options.console !== undefined && options.console !== parts.has('console')) {
    throw new ConfigError([`console is ${options.console ? 'on, but parts leaves it out' : 'off, but parts names it'}: say it in parts alone`])
  }
  const hostView = hostViewOf(options)
  const config = options.config ?? configOf(options, parts, randomBytes)
  return {
    parts: mountedParts(options.parts, parts, config.console),
    names: namesFor(host, options.names),
    ...(hostView && { hostView }),
    config
  }
}

/** What the host has already may be a guard of its own, which is not to be replaced. */
function namesFor (host: FastifyInstance, given: Partial<GuardNames> = {}): GuardNames {
  const usual: GuardNames = { authenticate: 'authenticate', requireRole: 'requireRole', user: 'user' }
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(usual, name))
  if (unknown.length > 0) throw new ConfigError([`names: there is no ${unknown.join(', ')}; there are ${Object.keys(usual).join(', ')}`])
  const names = { ...usual, ...given }
  const taken = [
    ...[names.authenticate, names.requireRole].filter((name) => host.hasDecorator(name)).map((name) => `this instance has a decorator \`${name}\``),
    ...(host.hasRequestDecorator(names.user) ? [`requests have a decorator \`${names.user}\``] : [])
  ]
  if (taken.length > 0) throw new ConfigError(taken.map((one) => `${one} already: call this package's otherwise, such as names: { authenticate: 'requireLogin', requireRole: 'requireRoleOf', user: 'account' }`))
  return names
}

function hostViewOf ({ publicUser: fieldsOf, publicUserSchema: schema }: LatchkeyOptions): ScopeOptions['hostView'] {
  if (fieldsOf === undefined && schema === undefined) return undefined
  if (typeof fieldsOf !== 'function' || schema === undefined) throw new ConfigError(['publicUser is a function, and publicUserSchema says which fields it gives: neither goes without the other'])
  return { fieldsOf, shape: readHostFields(schema) }
}

/** A function that nobody will ever call is a mistake; a setting may be there because hosts share their settings. */
function refuseIdle (given: Record<string, unknown>): void {
  const idle = Object.keys(given).filter((name) => given[name] !== undefined)
  if (idle.length > 0) throw new ConfigError(idle.map((name) => `${name} has no effect without the part \`auth\``))
}

function configOf (options: LatchkeyOptions, parts: Parts, randomBytes: ScopeOptions['randomBytes']): Config {
  const settings = settingsOf(options)
  const { mongoClient, mongoDatabase, redisClient } = options
  const mongodbUri = readBroughtClients({ mongoClient, mongoDatabase, redisClient, mongodbUri: settings.mongodbUri })
  return createConfig(readOptions({ ...settings, ...(mongodbUri !== undefined && { mongodbUri }) }), { parts, randomBytes, nameOf: (name) => name })
}

function settingsOf (options: LatchkeyOptions): SettingsInput {
  // `logLevel` is an option of Fastify's own `register`
  const misplaced = processSettings.filter((name) => name !== 'logLevel' && name in options)
  if (misplaced.length > 0) throw new ConfigError(misplaced.map((name) => `${name} belongs to the app that listens: pass it to Fastify() or listen()`))
  const own = settingNames.filter((name): name is keyof SettingsInput => !(processSettings as readonly string[]).includes(name))
  return Object.fromEntries(own.map((name) => [name, options[name]]))
}
