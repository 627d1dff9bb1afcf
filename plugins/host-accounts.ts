// Socket: what a host may do to accounts by its own code.
import fp from 'fastify-plugin'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createHostAccounts, type HostAccounts } from '../src/token/host-accounts.ts'

declare module 'fastify' {
  interface FastifyInstance {
    hostAccounts: HostAccounts
  }
}

export default fp<ScopeOptions>(async function hostAccounts (scope, { clock }) {
  const { users, userView: view, changeAccount } = scope
  scope.decorate('hostAccounts', createHostAccounts({ users, view, changeAccount, clock }))
}, { name: 'latchkey-host-accounts', dependencies: ['latchkey-public-user', 'latchkey-stores', 'latchkey-revocations'] })
