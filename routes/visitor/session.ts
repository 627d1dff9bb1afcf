// Doors: begin, show and end a visit, and the archive. A guest's identity is a session of @fastify/session, saved here and
// nowhere else; a user's is the login, and no cookie is asked.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LatchkeyError, unavailable } from '../../src/errors.ts'
import type { ListPage, Shown } from '../../src/visit/visit-rules.ts'
import { schemaAt, type Doors } from '../doors.ts'
import { linkNext } from '../link-next.ts'
import { memberOf } from '../member-of.ts'
import { noBodyIsEmpty } from '../empty-body.ts'
import { endSchema, historySchema, openSchema, showSchema } from './session.schema.ts'
import { listedAnswer, visitAnswer } from './visit-answer.ts'

const paths = ['/api/session', '/session']

const pagesOf = ({ limit = 50, cursor }: { limit?: number, cursor?: string }): ListPage => ({ kind: 'page', limit, cursor })

export default async function session (scope: Doors): Promise<void> {
  for (const path of paths) openAt(scope, path)

  scope.get('/api/session/history', { schema: historySchema }, async (request, reply) => {
    const { limit = 50, cursor } = request.query
    const { visits, nextCursor } = await scope.memberVisits.list(memberOf(request), 'archived', { limit, cursor })
    reply.headers(linkNext(request, nextCursor))
    return { items: visits.map(listedAnswer), nextCursor }
  })
}

function openAt (doors: Doors, path: string): void {
  const answer = (request: FastifyRequest, reply: FastifyReply, visit: Shown) => {
    reply.headers(linkNext(request, visit.nextCursor))
    return visitAnswer(visit)
  }

  doors.post(path, { schema: schemaAt(openSchema, paths, path), preValidation: noBodyIsEmpty }, async (request, reply) => {
    const page = pagesOf(request.query)
    if (request.latchkeyMember !== null) {
      const { visit, begun } = await doors.memberVisits.open(request.latchkeyMember, page)
      reply.code(begun === null ? 200 : 201)
      if (begun !== null) doors.visitorCookies.visit.set(reply, begun)
      return answer(request, reply, visit)
    }
    const { visit, visitor, isNew } = await openForGuest(doors, request, page)
    doors.visitorCookies.visit.set(reply, visitor)
    reply.code(isNew ? 201 : 200)
    return answer(request, reply, visit)
  })

  doors.get(path, { schema: schemaAt(showSchema, paths, path) }, async (request, reply) => {
    const { scope: which, limit = 50, cursor } = request.query
    if (which === 'user') {
      const { visits, nextCursor } = await doors.memberVisits.list(memberOf(request), 'running', { limit, cursor })
      reply.headers(linkNext(request, nextCursor))
      return { items: visits.map(listedAnswer), nextCursor }
    }
    const page = pagesOf(request.query)
    if (request.latchkeyMember !== null) return answer(request, reply, await doors.memberVisits.show(request.latchkeyMember, page))
    const { visitId } = await doors.visitSessionOf(request)
    if (visitId === undefined) throw new LatchkeyError('visit_not_found')
    return answer(request, reply, await doors.guestVisits.show(visitId, page))
  })

  doors.delete(path, { schema: schemaAt(endSchema, paths, path) }, async (request, reply) => {
    const page = pagesOf(request.query)
    if (request.latchkeyMember !== null) return visitAnswer(await doors.memberVisits.end(request.latchkeyMember, page))
    const session = await doors.visitSessionOf(request)
    if (session.visitId === undefined) throw new LatchkeyError('visit_not_found')
    const visit = await doors.guestVisits.end(session.id, page)
    await session.destroy().catch(() => { /* it leads to nothing any more */ })
    doors.visitorCookies.visit.clear(reply)
    return visitAnswer(visit)
  })
}

/** The visit of a guest, begun if none runs; the session is saved last, and once more if the visit was ended in between. */
async function openForGuest (doors: Doors, request: FastifyRequest, page: ListPage): Promise<{ visit: Shown, visitor: string, isNew: boolean }> {
  const session = await doors.visitSessionOf(request)
  for (let tries = 1; ; tries++) {
    const isNew = session.visitId === undefined || !await doors.guestVisits.renew(session.visitId)
    if (isNew && session.visitId !== undefined) await session.renew() // that visit is over: its id is not used again
    const visitId = session.id.split('.', 1)[0] as string
    if (isNew) await doors.guestVisits.begin(visitId, request.ip)
    await session.save(visitId)
    try {
      return { visit: await doors.guestVisits.show(visitId, page), visitor: session.id, isNew }
    } catch (error) {
      if (!(error instanceof LatchkeyError) || error.code !== 'visit_not_found') throw error
      if (tries === 3) throw unavailable(error)
    }
  }
}
