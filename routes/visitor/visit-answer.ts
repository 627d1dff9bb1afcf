// Visits as the doors send them.
import { LatchkeyError } from '../../src/errors.ts'
import type { FastifyRequest } from 'fastify'
import type { ListedVisit, Visit } from '../../src/schemas/visit-shapes.ts'
import type { Listed } from '../../src/visit/member-visits.ts'
import type { Entry, Member, Shown } from '../../src/visit/visit-rules.ts'

export const visitAnswer = ({ id, startTime, durationSeconds, entries, pageCount, actionCount, nextCursor }: Shown): Visit => ({
  id,
  startTime: startTime.toISOString(),
  sessionDuration: durationSeconds,
  pagesVisited: entries.flatMap((entry) => 'pageId' in entry ? [entry.pageId] : []),
  pageCount,
  actionCount,
  nextCursor
})

export const listedAnswer = (visit: Listed): ListedVisit =>
  ({ ...visitAnswer(visit), endTime: visit.endTime?.toISOString() ?? null, current: visit.isCurrent })

export const pageItems = (entries: readonly Entry[]) =>
  entries.flatMap((entry) => 'pageId' in entry ? [{ pageId: entry.pageId, at: entry.at.toISOString() }] : [])

export const actionItems = (entries: readonly Entry[]) =>
  entries.flatMap((entry) => 'action' in entry ? [{ action: entry.action, target: entry.target, details: entry.details, at: entry.at.toISOString() }] : [])

/** For what only users have. @throws LatchkeyError `token_missing` */
export function memberOf ({ member }: FastifyRequest): Member {
  if (member === null) throw new LatchkeyError('token_missing')
  return member
}

/** RFC 8288: where a list goes on, beside the cursor in the answer. */
export function linkNext (request: FastifyRequest, nextCursor: string | null): Record<string, string> {
  if (nextCursor === null) return {}
  const url = new URL(request.url, 'http://latchkey.invalid')
  url.searchParams.set('cursor', nextCursor)
  return { link: `<${url.pathname}${url.search}>; rel="next"` }
}
