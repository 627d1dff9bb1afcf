// Socket: the limits on guessing, registering and visits of guests.
import fp from 'fastify-plugin'
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
}, { name: 'latchkey-limits', dependencies: ['latchkey-stores'] })
