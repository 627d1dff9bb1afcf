// What the doors of visits read and send.
import { Type } from '@sinclair/typebox'
import { oneOf } from '../../src/schemas/one-of.ts'
import { problems } from '../../src/schemas/problem.ts'
import { pageQuery } from '../../src/schemas/list-shapes.ts'
import { closed, ref } from '../../src/schemas/shapes.ts'
import { Visit, VisitList } from '../../src/schemas/visit-shapes.ts'
import { security as anyAccessToken } from '../private/account.schema.ts'

/** A guest comes with nothing or with the cookie of a visit, a user with an access token. */
export const visitorSecurity = [{}, { visitCookie: [] }, ...anyAccessToken]

const paged = closed(pageQuery)

export const openSchema = {
  operationId: 'openVisit',
  tags: ['visits'],
  summary: 'Begin a visit, or go on with it',
  description: 'A guest is known by the cookie that this sets, a user by the access token: one visit runs for each login. Renews the idle time of a running visit. Also at `/session`.',
  security: visitorSecurity,
  querystring: paged,
  body: closed({}, { 'x-optional': true, examples: [{}] }),
  response: {
    200: ref(Visit, 'The visit that was running.'),
    201: ref(Visit, 'A new visit.'),
    ...problems({ visitor: true })
  }
}

export const showSchema = {
  operationId: 'getVisit',
  tags: ['visits'],
  summary: 'The running visit',
  description: 'Does not renew its idle time. With `scope=user`, a user\'s running visits on all devices, newest first. Also at `/session`.',
  security: visitorSecurity,
  querystring: closed({
    scope: Type.Optional(oneOf(['visit', 'user'], { default: 'visit', description: '`user`: every running visit of the user (needs an access token).', examples: ['user'] })),
    ...pageQuery
  }),
  response: {
    200: { description: 'The visit, or with `scope=user` the visits.', anyOf: [ref(Visit), ref(VisitList)], examples: [Visit.examples, VisitList.examples].flat() } as unknown as typeof Visit | typeof VisitList,
    ...problems({ safe: true, guarded: true, codes: ['visit_not_found'] })
  }
}

export const endSchema = {
  operationId: 'endVisit',
  tags: ['visits'],
  summary: 'End the running visit',
  description: 'Answers the visit as it stands in the archive. Also at `/session`.',
  security: visitorSecurity,
  querystring: paged,
  response: {
    200: ref(Visit, 'The visit, closed and archived.'),
    ...problems({ visitor: true, codes: ['visit_not_found'] })
  }
}

export const historySchema = {
  operationId: 'listVisitHistory',
  tags: ['visits'],
  summary: 'Archived visits of the user',
  description: 'Newest first. Pages and actions of one of them: `GET /api/session/page?visit=<id>` and `GET /api/session/action?visit=<id>`.',
  security: anyAccessToken,
  querystring: paged,
  response: {
    200: ref(VisitList, 'Visits that are over.'),
    ...problems({ safe: true, guarded: true })
  }
}
