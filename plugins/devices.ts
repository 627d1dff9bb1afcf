// Socket: a user's sessions as a list of devices.
import fp from 'fastify-plugin'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createDevices, type Devices } from '../src/token/devices.ts'

declare module 'fastify' {
  interface FastifyInstance {
    devices: Devices
  }
}

export default fp<ScopeOptions>(async function devices (scope, { clock }) {
  const { users, sessions, audit, sessionCache: cache } = scope
  scope.decorate('devices', createDevices({ users, sessions, cache, ...scope.revocations, clock, audit }))
}, { name: 'latchkey-devices', dependencies: ['latchkey-audit', 'latchkey-revocations'] })
