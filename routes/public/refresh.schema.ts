// What `refresh` reads and sends.
import { Type } from '@sinclair/typebox'
import { problems } from '../../src/schemas/problem.ts'
import { closed, ref, TokenAnswer } from '../../src/schemas/shapes.ts'

/** The body of the doors that take a refresh token; the cookie is read where it is absent. */
export const refreshTokenBody = closed({
  refreshToken: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: 'Without it the cookie is read.', examples: ['rt1.5cJq0W8mR2yXv7TnB4kD1g.0.bWFj'] }))
}, { 'x-optional': true, examples: [{ refreshToken: 'rt1.5cJq0W8mR2yXv7TnB4kD1g.0.bWFj' }] })

/** What the doors read that take more than an access token, and may be called with none of it. */
export const anyToken = [{}, { refreshTokenCookie: [] }, { bearer: [] }, { accessTokenHeader: [] }, { accessTokenCookie: [] }]

export const refreshSchema = {
  operationId: 'refresh',
  tags: ['auth'],
  summary: 'Get the next tokens',
  description: 'A refresh token gives a new pair and is spent. Used again within the grace (10 s by default) it gives the same successor, so a lost answer can be asked for again; used later it ends its session. ' +
    'With no refresh token a still valid access token gives a new access token. What came by cookie is answered by cookie. Also at `/refresh_token`.',
  security: anyToken,
  body: refreshTokenBody,
  response: {
    200: ref(TokenAnswer, 'The next tokens.'),
    ...problems({
      codes: [
        'refresh_token_missing', 'refresh_token_expired', 'refresh_token_invalid', 'refresh_token_reused',
        'token_expired', 'token_invalid', 'session_revoked'
      ]
    })
  }
}
