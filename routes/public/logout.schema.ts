// What `logout` and `logout-all` read and send.
import { problems } from '../../src/schemas/problem.ts'
import { ref, RevokedAnswer } from '../../src/schemas/shapes.ts'
import { anyToken, refreshTokenBody } from './refresh.schema.ts'

export const logoutSchema = {
  operationId: 'logout',
  tags: ['auth'],
  summary: 'Sign out of this device',
  description: 'Ends the session of the tokens presented: access token (an expired one too), refresh token in the body, or cookies. Every token of the session is refused from then on, by every instance. Idempotent: dead tokens are answered 200 with `revoked: 0`.',
  security: anyToken,
  body: refreshTokenBody,
  response: {
    200: ref(RevokedAnswer, 'The session is over.'),
    ...problems({ codes: ['token_missing', 'token_invalid'] })
  }
}

export const logoutAllSchema = {
  operationId: 'logoutAll',
  tags: ['auth'],
  summary: 'Sign out of every device',
  description: 'Ends every session of the user. Needs a token that is still good: an expired access token is answered `token_expired` (refresh, then try again); a session that has ended is answered 200 with `revoked: 0`.',
  security: anyToken,
  body: refreshTokenBody,
  response: {
    200: ref(RevokedAnswer, 'Every session is over.'),
    ...problems({ codes: ['token_missing', 'token_expired', 'token_invalid', 'refresh_token_invalid'] })
  }
}
