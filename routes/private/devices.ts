// Doors: the user's devices. What ends here ends as by a logout there: its visit, too.
import type { SessionRecord } from '../../src/session/session-rules.ts'
import { clientOf, presentedBy } from '../client.ts'
import type { Doors } from '../doors.ts'
import { linkNext } from '../link-next.ts'
import { memberOf } from '../member-of.ts'
import { leaveVisits } from '../membership.ts'
import { endOtherSessionsSchema, endSessionSchema, listSessionsSchema } from './devices.schema.ts'

export default async function devices (scope: Doors): Promise<void> {
  scope.get('/api/auth/sessions', { schema: listSessionsSchema }, async (request, reply) => {
    const { limit = 50, cursor } = request.query
    const member = memberOf(request)
    const { sessions, nextCursor } = await scope.devices.list(member, { limit, cursor })
    reply.headers(linkNext(request, nextCursor))
    return { items: sessions.map((session) => itemOf(session, member.sid)), nextCursor }
  })

  scope.delete('/api/auth/sessions/:id', { schema: endSessionSchema }, async (request, reply) => {
    const member = memberOf(request)
    const { id } = request.params
    await scope.devices.end(member, id, clientOf(request))
    if (id !== member.sid) await scope.membership?.leave([id])
    else {
      await leaveVisits(scope, request, reply, [id])
      if (presentedBy(scope, request, undefined).byCookie) scope.authCookies.clear(reply)
    }
    reply.code(204)
    return null
  })

  scope.delete('/api/auth/sessions', { schema: endOtherSessionsSchema }, async (request) => {
    const { revoked, sids } = await scope.devices.endOthers(memberOf(request), clientOf(request))
    await scope.membership?.leave(sids)
    return { message: 'Every other device is signed out', revoked }
  })
}

const itemOf = ({ _id, createdAt, lastSeenAt, expiresAt, ip, userAgent, device }: SessionRecord, current: string) => ({
  id: _id,
  current: _id === current,
  createdAt: createdAt.toISOString(),
  lastSeenAt: lastSeenAt.toISOString(),
  expiresAt: expiresAt.toISOString(),
  ip,
  userAgent,
  device
})
