// What `login` reads and sends.
import { Type } from '@sinclair/typebox'
import { problems } from '../../src/schemas/problem.ts'
import { closed, ref, TokenAnswer } from '../../src/schemas/shapes.ts'
import { transport } from '../token-answer.ts'

export const loginSchema = {
  operationId: 'login',
  tags: ['auth'],
  summary: 'Sign in',
  description: 'Opens a session for this device, by e-mail address or by username. An unknown account and a wrong password are the same answer. Also at `/login`.',
  security: [],
  body: closed({
    email: Type.Optional(Type.String({ minLength: 1, maxLength: 320, examples: ['ada@example.com'] })),
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 320, examples: ['ada'] })),
    password: Type.String({ maxLength: 4096, examples: ['correct horse battery'] }),
    transport
  }, {
    oneOf: [{ required: ['email'] }, { required: ['username'] }],
    examples: [{ email: 'ada@example.com', password: 'correct horse battery' }]
  }),
  response: {
    200: ref(TokenAnswer, 'Signed in.'),
    ...problems({ codes: ['invalid_credentials'] })
  }
}
