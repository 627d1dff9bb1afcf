// Visits as the doors send them.
import type { ListedVisit, Visit } from '../../src/schemas/visit-shapes.ts'
import type { Listed } from '../../src/visit/member-visits.ts'
import type { Entry, Shown } from '../../src/visit/visit-rules.ts'

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
