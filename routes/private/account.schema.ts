// What the doors of the signed-in account send.
import { Type } from '@sinclair/typebox'
import { problems } from '../../src/schemas/problem.ts'
import { closed, exampleUser, Profile, PublicUser, ref } from '../../src/schemas/shapes.ts'

/** Any of the three ways to present an access token. */
export const security = [{ bearer: [] }, { accessTokenHeader: [] }, { accessTokenCookie: [] }]

export const profileSchema = {
  operationId: 'getProfile',
  tags: ['account'],
  summary: 'The signed-in account',
  description: 'Everything that its owner may see of it, preferences included, as the last change left it, whichever instance answers. Also at `/profile`.',
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
    200: closed({ message: Type.String(), user: ref(PublicUser) }, { description: 'A greeting.', examples: [{ message: 'Hello, ada', user: exampleUser }] }),
    ...problems({ safe: true, guarded: true })
  }
}
