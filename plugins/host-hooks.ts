// Socket: what a host is told of its accounts and sessions.
import fp from 'fastify-plugin'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createTell, type Tell } from '../src/token/host-hooks.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Calls a hook of the host, if it has one, and waits for it. */
    tellHost: Tell
  }
}

export default fp<ScopeOptions>(async function hostHooks (scope, { hooks = {}, clock }) {
  scope.decorate('tellHost', createTell({
    hooks,
    clock,
    onFailure: (hook, error) => { scope.log.error({ hook, err: error }, 'a hook of the host failed; what it was told of stands') }
  }))
}, { name: 'latchkey-host-hooks' })
