// Doors: the picture of the signed-in account.
import type { Doors } from '../doors.ts'
import { judgedByService, takeFiles, uploadOf } from '../file-body.ts'
import { deleteAvatarSchema, uploadAvatarSchema } from './avatar.schema.ts'

export default async function avatar (scope: Doors): Promise<void> {
  await scope.register(async (door: Doors) => {
    takeFiles(door)
    door.post('/api/auth/profile/avatar', { schema: uploadAvatarSchema, validatorCompiler: judgedByService }, async (request, reply) => {
      const profile = await scope.avatars.receive(request.user.id, uploadOf(request))
      reply.code(201).header('location', `${scope.prefix}${profile.avatarUrl}`)
      return profile
    })
  })

  scope.delete('/api/auth/profile/avatar', { schema: deleteAvatarSchema }, async (request, reply) => {
    await scope.avatars.remove(request.user.id)
    return await reply.code(204).send(null)
  })
}
