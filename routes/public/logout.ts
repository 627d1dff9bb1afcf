// Doors: sign out of this device and of all. They stand in the public scope because they forgive dead tokens.
import { clientOf, presentedBy } from '../client.ts'
import type { Doors } from '../doors.ts'
import { noBodyIsEmpty } from '../empty-body.ts'
import { leaveVisits } from '../membership.ts'
import { logoutAllSchema, logoutSchema } from './logout.schema.ts'

export default async function logout (scope: Doors): Promise<void> {
  scope.post('/api/auth/logout', { schema: logoutSchema, preValidation: noBodyIsEmpty }, async (request, reply) => {
    const presented = presentedBy(scope, request, request.body.refreshToken)
    const { revoked, sids } = await scope.signOut.logout(presented, clientOf(request))
    await leaveVisits(scope, request, reply, sids)
    if (presented.byCookie) scope.authCookies.clear(reply)
    return { message: 'Logout successful', revoked }
  })

  scope.post('/api/auth/logout-all', { schema: logoutAllSchema, preValidation: noBodyIsEmpty }, async (request, reply) => {
    const presented = presentedBy(scope, request, request.body.refreshToken)
    const { revoked, sids } = await scope.signOut.logoutAll(presented, clientOf(request))
    await leaveVisits(scope, request, reply, sids)
    if (presented.byCookie) scope.authCookies.clear(reply)
    return { message: 'Logout from all devices successful', revoked }
  })
}
