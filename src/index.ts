// The package's entry: `app.register(latchkey, options)` mounts the service in a host's app. The host gets the two
// guards and `request.user`; hooks, error handler, clients and docs stay in a scope of their own (DESIGN 1).
import fp from 'fastify-plugin'
import { randomBytes as systemRandomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import { systemClock } from './clock.ts'
import { createConfig, type Config } from './config/config.ts'
import { ConfigError, readOptions } from './config/environment.ts'
import { processSettings, settingNames, type SettingsInput } from './config/settings-schema.ts'
import type { ScopeOptions } from './scope-options.ts'

export type { Clock } from './clock.ts'
export { ConfigError } from './config/environment.ts'
export type { SettingsInput } from './config/settings-schema.ts'
export type { ErrorCode, Problem } from './errors.ts'
export type { ClaimsOf } from './token/access-token.ts'
export type { AccountEvent, HostHooks, SessionEvent, SignedOutEvent } from './token/host-hooks.ts'
export type { PublicUser } from './schemas/shapes.ts'
export type * from './types.ts'

/** Settings in camelCase (`accessTokenSecret` for `ACCESS_TOKEN_SECRET`), and what a host can bring. */
export interface LatchkeyOptions extends SettingsInput, Partial<Pick<ScopeOptions, 'mongoClient' | 'redisClient' | 'hooks' | 'claims' | 'clock' | 'randomBytes' | 'worker'>> {
  /** Path under which the service answers, such as `/auth`. */
  prefix?: string
  /** A configuration made before, instead of settings. */
  config?: Config
  /** Whether addresses that nobody answers get this service's 404; by default only under a prefix. */
  ownsNotFound?: boolean
}

export default fp<LatchkeyOptions>(async function latchkey (host, options) {
  if (host.hasDecorator('authenticate')) throw new Error('latchkey: this instance has an `authenticate` already; register the plugin once')
  const { prefix = '', clock = systemClock, randomBytes = systemRandomBytes, mongoClient, redisClient, hooks, claims, worker, config } = options
  const base = prefix.replace(/\/$/, '')
  const ownsNotFound = options.ownsNotFound ?? base !== ''

  host.decorateRequest('user', null as never)
  let inner: FastifyInstance | undefined
  await host.register(async (scope) => {
    inner = scope
    await buildApp(scope, {
      config: config ?? createConfig(readOptions(settingsOf(options)), { randomBytes, nameOf: (name) => name }),
      clock,
      randomBytes,
      base,
      ownsNotFound,
      ...(mongoClient && { mongoClient }),
      ...(redisClient && { redisClient }),
      ...(hooks && { hooks }),
      ...(claims && { claims }),
      ...(worker && { worker })
    })
  }, { prefix: base })
  const { authenticate, requireRole } = inner as FastifyInstance
  host.decorate('authenticate', authenticate)
  host.decorate('requireRole', requireRole)
}, { name: 'latchkey', fastify: '5.x' })

function settingsOf (options: LatchkeyOptions): SettingsInput {
  // `logLevel` is an option of Fastify's own `register`
  const misplaced = processSettings.filter((name) => name !== 'logLevel' && name in options)
  if (misplaced.length > 0) throw new ConfigError(misplaced.map((name) => `${name} belongs to the app that listens: pass it to Fastify() or listen()`))
  const own = settingNames.filter((name): name is keyof SettingsInput => !(processSettings as readonly string[]).includes(name))
  return Object.fromEntries(own.map((name) => [name, options[name]]))
}
