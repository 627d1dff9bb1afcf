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
  const { users, sessions, audit, tellHost, sessionCache: cache } = scope
  scope.decorate('devices', createDevices({ users, sessions, cache, ...scope.revocations, clock, audit, tellHost }))
}, { name: 'latchkey-devices', dependencies: ['latchkey-audit', 'latchkey-host-hooks', 'latchkey-revocations'] })
