// The package's entry: `app.register(latchkey, options)` mounts the service in a host's app. The host gets the two
// guards, `request.user` and `app.latchkey`; hooks, error handler, clients and docs stay in a scope of their own (DESIGN 1).
import fp from 'fastify-plugin'
import { randomBytes as systemRandomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import { systemClock } from './clock.ts'
import { readHostOptions, type LatchkeyOptions } from './host-options.ts'

export type { Clock } from './clock.ts'
export { ConfigError } from './config/environment.ts'
export type { Part } from './config/parts.ts'
export type { SettingsInput } from './config/settings-schema.ts'
export type { ErrorCode, Problem } from './errors.ts'
export type { GuardNames, LatchkeyOptions } from './host-options.ts'
export type { ClaimsOf } from './token/access-token.ts'
export type { AccountEvent, HostHooks, SessionEvent, SignedOutEvent } from './token/host-hooks.ts'
export type { PublicUser } from './schemas/shapes.ts'
export type { HostAccount, PublicUserOf } from './user/user-view.ts'
// whole modules: what a host declares for this package then reaches the interfaces in them
export type * from './schemas/host-fields.ts'
export type * from './types.ts'

export default fp<LatchkeyOptions>(async function latchkey (host, options) {
  const { prefix = '', clock = systemClock, randomBytes = systemRandomBytes, mongoClient, redisClient, hooks, claims, worker } = options
  const { names, ...read } = readHostOptions(host, options, randomBytes)
  const base = prefix.replace(/\/$/, '')
  const ownsNotFound = options.ownsNotFound ?? base !== ''

  host.decorateRequest(names.user, null as never)
  let inner: FastifyInstance | undefined
  await host.register(async (scope) => {
    inner = scope
    if (!scope.hasRequestDecorator('user')) scope.decorateRequest('user', null as never)
    await buildApp(scope, {
      ...read,
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
  const scope = inner as FastifyInstance
  const guards = names.user === 'user' ? scope : scope.guardsFor(names.user)
  host.decorate(names.authenticate, guards.authenticate)
  host.decorate(names.requireRole, guards.requireRole)
  host.decorate('latchkey', Object.freeze({ parts: Object.freeze([...read.parts]), ...scope.hostAccounts }))
}, { name: 'latchkey', fastify: '5.x' })
