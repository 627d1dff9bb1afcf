// What the doors of pages and actions read and send.
import { Type } from '@sinclair/typebox'
import { pageQuery } from '../../src/schemas/list-shapes.ts'
import { problems } from '../../src/schemas/problem.ts'
import { closed, instant, ref } from '../../src/schemas/shapes.ts'
import { ActionDetails, ActionList, ActionName, ActionTarget, PageId, PageList, visitIdText } from '../../src/schemas/visit-shapes.ts'
import { visitorSecurity } from './session.schema.ts'

const bound = 'A visit holds at most `VISIT_ENTRIES` of them (1000 by default); the next one is refused with `visit_full`, and nothing that was taken is ever dropped.'

export const notePageSchema = {
  operationId: 'notePage',
  tags: ['visits'],
  summary: 'Note a page of the visit',
  description: `Begins a visit if none runs (a guest then gets its cookie). A user's page is in MongoDB when this answers. ${bound} Also at \`/session/page\`.`,
  security: visitorSecurity,
  body: closed({ pageId: PageId }, { examples: [{ pageId: '/products/42' }] }),
  response: {
    201: closed({
      pageId: Type.String(),
      at: instant('When it was noted.'),
      pageCount: Type.Integer({ minimum: 1, description: 'Pages of the visit with this one.' })
    }, { description: 'Noted.', examples: [{ pageId: '/products/42', at: '2026-11-21T09:30:00.000Z', pageCount: 3 }] }),
    ...problems({ visitor: true, codes: ['visit_full'] })
  }
}

export const noteActionSchema = {
  operationId: 'noteAction',
  tags: ['visits'],
  summary: 'Note an action of the visitor',
  description: `Begins a visit if none runs (a guest then gets its cookie). A user's action is in MongoDB when this answers. ${bound}`,
  security: visitorSecurity,
  body: closed({ action: ActionName, target: Type.Optional(ActionTarget), details: Type.Optional(ActionDetails) }, {
    examples: [{ action: 'add_to_cart', target: 'product-42', details: { quantity: 2 } }]
  }),
  response: {
    201: closed({
      action: Type.String(),
      at: instant('When it was noted.'),
      actionCount: Type.Integer({ minimum: 1, description: 'Actions of the visit with this one.' })
    }, { description: 'Noted.', examples: [{ action: 'add_to_cart', at: '2026-11-21T09:31:00.000Z', actionCount: 1 }] }),
    ...problems({ visitor: true, codes: ['visit_full'] })
  }
}

const listQuery = closed({ visit: Type.Optional(visitIdText), ...pageQuery })

export const listPagesSchema = {
  operationId: 'listPages',
  tags: ['visits'],
  summary: 'Pages of a visit, with their times',
  description: 'Of the running visit, or for a user of any own visit by `visit`. Also at `/session/page`.',
  security: visitorSecurity,
  querystring: listQuery,
  response: { 200: ref(PageList, 'Pages in order.'), ...problems({ safe: true, guarded: true, codes: ['visit_not_found'] }) }
}

export const listActionsSchema = {
  operationId: 'listActions',
  tags: ['visits'],
  summary: 'Actions of a visit',
  description: 'Of the running visit, or for a user of any own visit by `visit`.',
  security: visitorSecurity,
  querystring: listQuery,
  response: { 200: ref(ActionList, 'Actions in order.'), ...problems({ safe: true, guarded: true, codes: ['visit_not_found'] }) }
}
