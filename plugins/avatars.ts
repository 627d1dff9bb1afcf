// Socket: the pictures of accounts.
import fp from 'fastify-plugin'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createAvatarService, type AvatarService } from '../src/user/avatar-service.ts'
import { createAvatarUploads } from '../src/user/avatar-upload.ts'

declare module 'fastify' {
  interface FastifyInstance {
    avatars: AvatarService
  }
}

/** Uploads at once: each may hold 2 MiB twice. */
const places = 32

/** Milliseconds for a body to come. On its own the service cuts slow requests sooner; a host's server may not. */
const deadlineMs = 30_000

export default fp<ScopeOptions>(async function avatars (scope, { clock, randomBytes }) {
  scope.decorate('avatars', createAvatarService({
    avatars: scope.avatarRepository,
    users: scope.users,
    view: scope.userView,
    change: scope.changeAccount,
    uploads: createAvatarUploads({ places, deadlineMs }),
    clock,
    randomBytes,
    onLeftover: (error) => { scope.log.warn({ err: error }, 'a picture that nobody points at could not be deleted; the clean-up does it') }
  }))
}, { name: 'latchkey-avatars', dependencies: ['latchkey-public-user', 'latchkey-stores', 'latchkey-revocations'] })
