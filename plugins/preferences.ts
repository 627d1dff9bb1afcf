// Socket: the preferences of users.
import fp from 'fastify-plugin'
import { createPreferenceService, type PreferenceService } from '../src/preference/preference-service.ts'
import type { ScopeOptions } from '../src/scope-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    preferences: PreferenceService
    /** For one who has become a user; undefined where the part is not mounted. */
    fillPreferences: PreferenceService['fill'] | undefined
  }
}

export default fp<ScopeOptions>(async function preferences (scope, { clock }) {
  const service = createPreferenceService({
    users: scope.users,
    profiles: scope.profiles,
    clock,
    onFailure: (error) => { scope.log.warn({ err: error }, 'the preferences of a guest could not be carried over') }
  })
  scope.decorate('preferences', service)
  scope.decorate('fillPreferences', service.fill)
}, { name: 'latchkey-preferences', dependencies: ['latchkey-profiles', 'latchkey-stores'] })
