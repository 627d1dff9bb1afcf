// Socket: what ends sessions, and what takes care of their copies when an account changes.
import fp from 'fastify-plugin'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createChangeAccount, type ChangeAccount } from '../src/token/account-change.ts'
import { createRevoke, createRevokeOlder, createRevokeOthers, type Revoke, type RevokeOlder, type RevokeOthers } from '../src/token/revocation.ts'

declare module 'fastify' {
  interface FastifyInstance {
    revocations: { readonly revoke: Revoke, readonly revokeOlder: RevokeOlder, readonly revokeOthers: RevokeOthers }
    changeAccount: ChangeAccount
  }
}

export default fp<ScopeOptions>(async function revocations (scope, { clock }) {
  const { sessions, profiles, statistics, sessionCache: cache } = scope
  const options = { sessions, cache, statistics, clock }
  scope.decorate('revocations', { revoke: createRevoke(options), revokeOlder: createRevokeOlder(options), revokeOthers: createRevokeOthers(options) })
  scope.decorate('changeAccount', createChangeAccount({ profiles, sessions, cache, clock }))
}, { name: 'latchkey-revocations', dependencies: ['latchkey-stores', 'latchkey-statistics', 'latchkey-profiles', 'latchkey-tiers'] })
