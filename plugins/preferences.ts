// Socket: the preferences of users.
import fp from 'fastify-plugin'
import { createPreferenceService, type PreferenceService } from '../src/preference/preference-service.ts'
import type { ScopeOptions } from '../src/scope-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    preferences: PreferenceService
  }
}

export default fp<ScopeOptions>(async function preferences (scope, { clock }) {
  scope.decorate('preferences', createPreferenceService({
    users: scope.users,
    profiles: scope.profiles,
    clock,
    onFailure: (error) => { scope.log.warn({ err: error }, 'the preferences of a guest could not be carried over') }
  }))
}, { name: 'latchkey-preferences', dependencies: ['latchkey-profiles', 'latchkey-stores'] })
