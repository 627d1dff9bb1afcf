// Doors: pages and actions of a visit. They stand outside @fastify/session: the store checks a guest's identity in the
// step that notes the page, so that it is one round trip.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LatchkeyError } from '../../src/errors.ts'
import type { EntryKind, NoteInput, Shown } from '../../src/visit/visit-rules.ts'
import { schemaAt, type Doors } from '../doors.ts'
import { linkNext } from '../link-next.ts'
import { memberOf } from '../member-of.ts'
import { listActionsSchema, listPagesSchema, noteActionSchema, notePageSchema } from './notes.schema.ts'
import { actionItems, pageItems } from './visit-answer.ts'

const pagePaths = ['/api/session/page', '/session/page']

export default async function notes (scope: Doors): Promise<void> {
  for (const path of pagePaths) {
    scope.post(path, { schema: schemaAt(notePageSchema, pagePaths, path) }, async (request, reply) => {
      const { pageId } = request.body
      const { at, count } = await note(scope, request, reply, { kind: 'page', pageId })
      return { pageId, at: at.toISOString(), pageCount: count }
    })

    scope.get(path, { schema: schemaAt(listPagesSchema, pagePaths, path) }, async (request, reply) => {
      const { entries, nextCursor } = await list(scope, request, reply, 'page', request.query)
      return { items: pageItems(entries), nextCursor }
    })
  }

  scope.post('/api/session/action', { schema: noteActionSchema }, async (request, reply) => {
    const { action, target, details } = request.body
    const { at, count } = await note(scope, request, reply, { kind: 'action', action, target, details })
    return { action, at: at.toISOString(), actionCount: count }
  })

  scope.get('/api/session/action', { schema: listActionsSchema }, async (request, reply) => {
    const { entries, nextCursor } = await list(scope, request, reply, 'action', request.query)
    return { items: actionItems(entries), nextCursor }
  })
}

async function note (scope: Doors, request: FastifyRequest, reply: FastifyReply, input: NoteInput): Promise<{ at: Date, count: number }> {
  reply.code(201)
  if (request.latchkeyMember !== null) return await scope.memberVisits.note(request.latchkeyMember, input)
  const { visit } = scope.visitorCookies
  const visitor = visit.read(request.headers.cookie)
  const { begun, ...noted } = await scope.guestVisits.note(visitor?.value, input, request.ip)
  if (begun !== null) visit.set(reply, begun)
  else if (visitor?.isOld) visit.set(reply, visitor.value)
  return noted
}

async function list (scope: Doors, request: FastifyRequest, reply: FastifyReply, kind: EntryKind, query: { visit?: string, limit?: number, cursor?: string }): Promise<Shown> {
  const { visit: visitId, limit = 50, cursor } = query
  const shown = await find(scope, request, visitId, { kind, limit, cursor })
  reply.headers(linkNext(request, shown.nextCursor))
  return shown
}

async function find (scope: Doors, request: FastifyRequest, visitId: string | undefined, page: { kind: EntryKind, limit: number, cursor: string | undefined }): Promise<Shown> {
  if (visitId !== undefined) return await scope.memberVisits.showById(memberOf(request), visitId, page)
  if (request.latchkeyMember !== null) return await scope.memberVisits.show(request.latchkeyMember, page)
  const visitor = scope.visitorCookies.visit.read(request.headers.cookie)
  if (visitor === undefined) throw new LatchkeyError('visit_not_found')
  return await scope.guestVisits.showTo(visitor.value, page)
}
