// Socket: the pool of hashing threads and what accounts are opened and changed by.
import fp from 'fastify-plugin'
import { createAccountChanges, type AccountChanges } from '../src/account/account-changes.ts'
import { createAccountService, type AccountService } from '../src/account/account-service.ts'
import { sample } from '../src/meter/meter.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createPasswordHasher } from '../src/user/password-hasher.ts'

declare module 'fastify' {
  interface FastifyInstance {
    accounts: AccountService
    accountChanges: AccountChanges
  }
}

export default fp<ScopeOptions>(async function accounts (scope, { config, clock, randomBytes }) {
  const { meter } = scope
  const pool = createPasswordHasher({ clock, cost: config.bcryptCost, concurrency: config.bcryptConcurrency, queue: config.bcryptQueue })
  meter.read(() => [
    sample('latchkey_password_hashes', { state: 'running' }, pool.running()),
    sample('latchkey_password_hashes', { state: 'waiting' }, pool.waiting())
  ])
  const hasher = meter.timed(pool, (method, seconds, outcome) => {
    if (method !== 'hash' && method !== 'verify' && method !== 'replace' && method !== 'keepPlace') return
    if (outcome === 'unavailable') meter.add('latchkey_password_hashes_refused_total', {})
    else if (method !== 'keepPlace') meter.observe('latchkey_password_hash_seconds', { operation: method }, seconds)
  })
  scope.addHook('onClose', async () => { await hasher.close() })
  const { users, userView: view, profiles, tokens, audit, tellHost, loginLimits: limits, changeAccount } = scope
  const { passwordMinLength } = config
  scope.decorate('accounts', meter.timed(createAccountService({
    users,
    view,
    profiles,
    tokens,
    hasher,
    limits,
    clock,
    randomBytes,
    passwordMinLength,
    isReady: scope.areIndexesReady,
    audit,
    tellHost
  }), (method, _seconds, outcome) => {
    if (method === 'login') meter.add('latchkey_logins_total', { outcome })
    if (method === 'register') meter.add('latchkey_registrations_total', { outcome })
  }))
  scope.decorate('accountChanges', createAccountChanges({
    users,
    view,
    changeAccount,
    revokeOlder: scope.revocations.revokeOlder,
    tokens,
    hasher,
    limits,
    clock,
    passwordMinLength,
    audit,
    tellHost
  }))
}, { name: 'latchkey-accounts', dependencies: ['latchkey-public-user', 'latchkey-meter', 'latchkey-stores', 'latchkey-profiles', 'latchkey-audit', 'latchkey-host-hooks', 'latchkey-revocations', 'latchkey-tokens', 'latchkey-limits'] })
