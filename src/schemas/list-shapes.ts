// Room `schemas`: what every list reads and sends beside its items.
import { Type } from '@sinclair/typebox'
import { orNull } from './shapes.ts'

/** Where a list goes on. */
export const nextCursor = orNull(Type.String({ description: 'Where the list goes on; null at its end.', examples: ['YXQ6NTA'] }))

/** Query of every list. */
export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Most items of this answer.', examples: [50] })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: '`nextCursor` of the answer before.', examples: ['YXQ6NTA'] }))
}
