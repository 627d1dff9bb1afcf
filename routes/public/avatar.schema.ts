// What the door of pictures reads and sends.
import { Type } from '@sinclair/typebox'
import { problems } from '../../src/schemas/problem.ts'
import { closed } from '../../src/schemas/shapes.ts'

const picture = { schema: { type: 'string', format: 'binary' } }

export const getAvatarSchema = {
  operationId: 'getAvatar',
  tags: ['account'],
  summary: 'A picture of an account',
  description: '`avatarUrl` leads here. A picture never changes, so it may be kept for good; an address whose picture was replaced answers with the new one, which is not to be kept.',
  security: [],
  params: closed({ id: Type.String({ maxLength: 64, description: 'Id of the picture.', examples: ['Zk3v0n1yW3mZQ8n5r2vT6a.qk1Jd0yW3mZQ8n5r2vT6aA'] }) }),
  response: {
    200: { description: 'The picture.', content: { 'image/png': picture, 'image/jpeg': picture, 'image/webp': picture } },
    ...problems({ safe: true, codes: ['not_found'] })
  }
}
