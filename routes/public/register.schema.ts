// What `register` reads and sends.
import { Type } from '@sinclair/typebox'
import { Email, FullName, NewPassword, Username } from '../../src/schemas/account-shapes.ts'
import { problems } from '../../src/schemas/problem.ts'
import { closed, ref, TokenAnswer } from '../../src/schemas/shapes.ts'
import { transport } from '../token-answer.ts'

export const registerSchema = {
  operationId: 'register',
  tags: ['auth'],
  summary: 'Make an account and sign in',
  description: 'The first session is opened at once; the answer is the same as a login\'s. The visit and the preferences of the guest that asks come along.',
  security: [],
  body: closed({
    email: Email,
    username: Username,
    password: NewPassword,
    fullName: Type.Optional(FullName),
    transport
  }, { examples: [{ email: 'ada@example.com', username: 'ada', password: 'correct horse battery', fullName: 'Ada Lovelace' }] }),
  response: {
    201: ref(TokenAnswer, 'The account stands and is signed in.'),
    ...problems({ codes: ['password_too_short', 'password_too_long', 'password_common', 'email_taken', 'username_taken'] })
  }
}
