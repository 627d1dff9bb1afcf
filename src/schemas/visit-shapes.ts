// Room `schemas`: the shapes of visits.
import { Type, type Static } from '@sinclair/typebox'
import { nextCursor } from './list-shapes.ts'
import { closed, instant, orNull, ref } from './shapes.ts'

/** Text that a person or a program can see: no control characters, no halves of a character. */
export const visibleText = (maxLength: number, options: Record<string, unknown> = {}) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\p{Cc}\\p{Cs}]+$', ...options })

export const PageId = visibleText(512, { description: 'Names the page, as the client likes: a path, a route, an id.', examples: ['/products/42'] })

export const ActionName = visibleText(64, { description: 'What the visitor did.', examples: ['add_to_cart'] })
export const ActionTarget = visibleText(512, { description: 'What it was done to.', examples: ['product-42'] })
export const ActionDetails = Type.Record(
  Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$' }),
  Type.Union([Type.String({ maxLength: 128, pattern: '^[^\\p{Cs}]*$' }), Type.Number(), Type.Boolean()]),
  { additionalProperties: false, maxProperties: 10, description: 'A few typed details: texts, numbers, booleans.', examples: [{ quantity: 2, gift: false }] }
)

const exampleId = 'pZ8rN2f1Q0yTt5o3uXw7Bg'

const visit = {
  id: Type.String({ description: 'Id of the visit.', examples: [exampleId] }),
  startTime: instant('When the visit began.'),
  sessionDuration: Type.Integer({ minimum: 0, description: 'Seconds from its start to its end, or to now while it runs.' }),
  pagesVisited: Type.Array(Type.String(), { description: 'Pages in the order they were visited, from `cursor` on.' }),
  pageCount: Type.Integer({ minimum: 0, description: 'Pages in all.' }),
  actionCount: Type.Integer({ minimum: 0, description: 'Actions in all.' }),
  nextCursor
}

const example = { id: exampleId, startTime: '2026-11-21T09:30:00.000Z', sessionDuration: 95, pagesVisited: ['/', '/products/42'], pageCount: 2, actionCount: 1, nextCursor: null }

export const Visit = closed(visit, { $id: 'LatchkeyVisit', description: 'A browsing session of a guest or a user.', examples: [example] })
export type Visit = Static<typeof Visit>

export const ListedVisit = closed({
  ...visit,
  endTime: orNull(instant('When it ended; null while it runs.')),
  current: Type.Boolean({ description: 'Whether it is the visit of the login that asks.' })
}, { $id: 'LatchkeyListedVisit', description: 'One of a user\'s visits, with its first pages.', examples: [{ ...example, endTime: null, current: true }] })
export type ListedVisit = Static<typeof ListedVisit>

export const VisitList = closed({ items: Type.Array(ref(ListedVisit)), nextCursor }, {
  $id: 'LatchkeyVisitList',
  description: 'Visits of a user, newest first.',
  examples: [{ items: [{ ...example, endTime: null, current: true }], nextCursor: null }]
})

export const PageList = closed({ items: Type.Array(closed({ pageId: Type.String(), at: instant('When it was visited.') })), nextCursor }, {
  $id: 'LatchkeyPageList',
  description: 'Pages of a visit, in order.',
  examples: [{ items: [{ pageId: '/', at: '2026-11-21T09:30:00.000Z' }], nextCursor: null }]
})

export const ActionList = closed({
  items: Type.Array(closed({
    action: Type.String(),
    target: orNull(Type.String()),
    details: orNull(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]))),
    at: instant('When it was done.')
  })),
  nextCursor
}, {
  $id: 'LatchkeyActionList',
  description: 'Actions of a visit, in order.',
  examples: [{ items: [{ action: 'add_to_cart', target: 'product-42', details: { quantity: 2 }, at: '2026-11-21T09:31:00.000Z' }], nextCursor: null }]
})

export const visitIdText = Type.String({ pattern: '^[A-Za-z0-9_-]{22}$', description: 'One of the user\'s visits, running or archived; the running one of this login without it.', examples: [exampleId] })
