// Socket: the pool of hashing threads and what accounts are opened and changed by.
import fp from 'fastify-plugin'
import { createAccountChanges, type AccountChanges } from '../src/account/account-changes.ts'
import { createAccountService, type AccountService } from '../src/account/account-service.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createPasswordHasher } from '../src/user/password-hasher.ts'

declare module 'fastify' {
  interface FastifyInstance {
    accounts: AccountService
    accountChanges: AccountChanges
  }
}

export default fp<ScopeOptions>(async function accounts (scope, { config, clock, randomBytes }) {
  const hasher = createPasswordHasher({ clock, cost: config.bcryptCost, concurrency: config.bcryptConcurrency, queue: config.bcryptQueue })
  scope.addHook('onClose', async () => { await hasher.close() })
  const { users, profiles, tokens, audit, loginLimits: limits, changeAccount } = scope
  const { passwordMinLength } = config
  scope.decorate('accounts', createAccountService({ users, profiles, tokens, hasher, limits, clock, randomBytes, passwordMinLength, isReady: scope.areIndexesReady, audit }))
  scope.decorate('accountChanges', createAccountChanges({
    users,
    changeAccount,
    revokeOlder: scope.revocations.revokeOlder,
    tokens,
    hasher,
    limits,
    clock,
    passwordMinLength,
    audit
  }))
}, { name: 'latchkey-accounts', dependencies: ['latchkey-stores', 'latchkey-profiles', 'latchkey-revocations', 'latchkey-tokens', 'latchkey-limits'] })
