// Doors: the picture of the signed-in account.
import { clientOf } from '../client.ts'
import type { Doors } from '../doors.ts'
import { judgedByService, takeFiles, uploadOf } from '../file-body.ts'
import { memberOf } from '../member-of.ts'
import { deleteAvatarSchema, uploadAvatarSchema } from './avatar.schema.ts'

export default async function avatar (scope: Doors): Promise<void> {
  await scope.register(async (door: Doors) => {
    takeFiles(door)
    door.post('/api/auth/profile/avatar', { schema: uploadAvatarSchema, validatorCompiler: judgedByService }, async (request, reply) => {
      const member = memberOf(request)
      const profile = await scope.avatars.receive(member.userId, uploadOf(request))
      scope.audit('avatar_changed', clientOf(request), member)
      reply.code(201).header('location', `${scope.prefix}${profile.avatarUrl}`)
      return profile
    })
  })

  scope.delete('/api/auth/profile/avatar', { schema: deleteAvatarSchema }, async (request, reply) => {
    const member = memberOf(request)
    await scope.avatars.remove(member.userId)
    scope.audit('avatar_changed', clientOf(request), member)
    return await reply.code(204).send(null)
  })
}
