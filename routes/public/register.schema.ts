// What `register` reads and sends.
import { Type } from '@sinclair/typebox'
import { problems } from '../../src/schemas/problem.ts'
import { closed, ref, TokenAnswer } from '../../src/schemas/shapes.ts'
import { transport } from '../token-answer.ts'

export const registerSchema = {
  operationId: 'register',
  tags: ['auth'],
  summary: 'Make an account and sign in',
  description: 'The first session is opened at once; the answer is the same as a login\'s.',
  body: closed({
    email: Type.String({ minLength: 3, maxLength: 320, examples: ['ada@example.com'] }),
    username: Type.String({ pattern: '^[A-Za-z0-9._-]{3,32}$', description: '3 to 32 of A-Z a-z 0-9 . _ -', examples: ['ada'] }),
    password: Type.String({ maxLength: 4096, description: 'Up to 72 bytes in UTF-8.', examples: ['correct horse battery'] }),
    fullName: Type.Optional(Type.String({ minLength: 1, maxLength: 200, examples: ['Ada Lovelace'] })),
    transport
  }, { examples: [{ email: 'ada@example.com', username: 'ada', password: 'correct horse battery', fullName: 'Ada Lovelace' }] }),
  response: {
    201: ref(TokenAnswer, 'The account stands and is signed in.'),
    ...problems({ codes: ['password_too_short', 'password_too_long', 'password_common', 'email_taken', 'username_taken'] })
  }
}
