// Socket: the limits on guessing and registering, and the general limit per address where it is switched on.
import rateLimit from '@fastify/rate-limit'
import fp from 'fastify-plugin'
import { LatchkeyError } from '../src/errors.ts'
import { addressKey } from '../src/limit/address.ts'
import { createLoginLimits, type LoginLimits } from '../src/limit/login-limits.ts'
import type { ScopeOptions } from '../src/scope-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    loginLimits: LoginLimits
  }
}

export default fp<ScopeOptions>(async function limits (scope, { config }) {
  scope.decorate('loginLimits', createLoginLimits({
    counter: scope.limitCounter,
    hidingKey: config.rings.session[0].secret,
    perAccount: config.loginLimitPerAccount,
    perAddress: config.loginLimitPerAddress
  }))
  if (config.requestLimitPerMinute === 0) return
  await scope.register(rateLimit, {
    max: config.requestLimitPerMinute,
    timeWindow: 60_000,
    cache: 10_000,
    keyGenerator: (request) => addressKey(request.ip),
    errorResponseBuilder: (_request, { ttl }) => new LatchkeyError('rate_limited', { retryAfterSeconds: Math.max(1, Math.ceil(ttl / 1000)) })
  })
}, { name: 'latchkey-limits', dependencies: ['latchkey-stores'] })
