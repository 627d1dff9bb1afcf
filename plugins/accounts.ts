// Socket: the pool of hashing threads and the account service.
import fp from 'fastify-plugin'
import { createAccountService, type AccountService } from '../src/account/account-service.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createPasswordHasher } from '../src/user/password-hasher.ts'

declare module 'fastify' {
  interface FastifyInstance {
    accounts: AccountService
  }
}

export default fp<ScopeOptions>(async function accounts (scope, { config, clock, randomBytes }) {
  const hasher = createPasswordHasher({ clock, cost: config.bcryptCost, concurrency: config.bcryptConcurrency, queue: config.bcryptQueue })
  scope.addHook('onClose', async () => { await hasher.close() })
  scope.decorate('accounts', createAccountService({
    users: scope.users,
    profiles: scope.profiles,
    tokens: scope.tokens,
    hasher,
    limits: scope.loginLimits,
    clock,
    randomBytes,
    passwordMinLength: config.passwordMinLength,
    isReady: scope.areIndexesReady,
    audit: scope.audit
  }))
}, { name: 'latchkey-accounts', dependencies: ['latchkey-stores', 'latchkey-profiles', 'latchkey-tokens', 'latchkey-limits'] })
