// Doors: the signed-in account, and changes of it.
import { clientOf, presentedBy } from '../client.ts'
import { schemaAt, type Doors } from '../doors.ts'
import { memberOf } from '../member-of.ts'
import { answerWith } from '../token-answer.ts'
import { profileSchema } from './account.schema.ts'
import { changePasswordSchema, changeProfileSchema } from './profile.schema.ts'

const paths = ['/api/auth/profile', '/profile']

export default async function profile (scope: Doors): Promise<void> {
  for (const path of paths) {
    scope.get(path, { schema: schemaAt(profileSchema, paths, path) }, async (request) => {
      const { userId, accountVersion } = memberOf(request)
      return await scope.accounts.profile(userId, accountVersion)
    })

    scope.put(path, { schema: schemaAt(changeProfileSchema, paths, path) }, async (request) =>
      await scope.accountChanges.changeProfile(memberOf(request), request.body, clientOf(request)))
  }

  scope.put('/api/auth/profile/password', { schema: changePasswordSchema }, async (request, reply) => {
    const { sid } = memberOf(request)
    const { byCookie } = presentedBy(scope, request, undefined)
    const { revoked, sids, ...issued } = await scope.accountChanges.changePassword(memberOf(request), request.body, clientOf(request))
    await scope.membership?.follow(sid, { userId: issued.user.id, sid: issued.session._id })
    await scope.membership?.leave(sids)
    return { ...answerWith(scope, reply, 'Password changed', issued, byCookie), revoked }
  })
}
