// What the doors of accounts do about visits and preferences, beside their own work and never instead of it: a guest's
// are carried into the account at register and login, and after a logout no cookie leads to what was the user's. Of a part
// that is not mounted nothing is read, carried or cleared.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Issued } from '../src/token/token-service.ts'

/** Best effort: a store that does not answer costs the visit its new owner, never the login. */
export async function carryOver (scope: FastifyInstance, { headers }: FastifyRequest, reply: FastifyReply, { user, session }: Issued): Promise<void> {
  const { visit, preferences } = scope.visitorCookies
  const [visitor, chosen] = [visit.read(headers.cookie)?.value, preferences.read(headers.cookie)?.value]
  const [next] = await Promise.all([
    visitor === undefined ? null : scope.membership?.become(visitor, { userId: user.id, sid: session._id }),
    chosen === undefined ? undefined : scope.fillPreferences?.(user.id, chosen)
  ])
  if (next != null) visit.set(reply, next)
}

/** @param sids logins that are over */
export async function leaveVisits (scope: FastifyInstance, { headers }: FastifyRequest, reply: FastifyReply, sids: readonly string[]): Promise<void> {
  if (scope.membership === undefined) return
  await scope.membership.leave(sids)
  const { visit } = scope.visitorCookies
  if (sids.length > 0 && visit.read(headers.cookie) !== undefined) visit.clear(reply)
}
