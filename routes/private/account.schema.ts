// What the doors of the signed-in account send.
import { Type } from '@sinclair/typebox'
import { problems } from '../../src/schemas/problem.ts'
import { closed, Profile, PublicUser, ref } from '../../src/schemas/shapes.ts'

/** Any of the three ways to present an access token. */
export const security = [{ bearer: [] }, { accessTokenHeader: [] }, { accessTokenCookie: [] }]

export const profileSchema = {
  operationId: 'getProfile',
  tags: ['account'],
  summary: 'The signed-in account',
  description: 'Also at `/profile`.',
  security,
  response: {
    200: ref(Profile, 'The account as its owner sees it.'),
    ...problems({ safe: true, guarded: true })
  }
}

export const protectedSchema = {
  operationId: 'protected',
  tags: ['account'],
  summary: 'Greets the signed-in account',
  description: 'Answers from the cached session without a query of its own: the door to measure the check with. Also at `/protected`.',
  security,
  response: {
    200: closed({ message: Type.String({ examples: ['Hello, ada'] }), user: ref(PublicUser) }, { description: 'A greeting.' }),
    ...problems({ safe: true, guarded: true })
  }
}
