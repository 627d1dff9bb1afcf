// The answer of the doors that issue tokens, by either transport: in the body for API clients, as cookies for browsers.
// Cookie transport never repeats a token in the body.
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Type } from '@sinclair/typebox'
import { oneOf } from '../src/schemas/one-of.ts'
import type { TokenAnswer } from '../src/schemas/shapes.ts'
import type { Issued } from '../src/token/token-service.ts'

export const transport = Type.Optional(oneOf(['body', 'cookie'], {
  default: 'body',
  description: 'How tokens come: in the body, or as httpOnly cookies for a browser.'
}))

export function answerWith (scope: FastifyInstance, reply: FastifyReply, message: string, issued: Issued, byCookie: boolean): TokenAnswer {
  const { session, user, accessToken, refreshToken, expiresInSeconds, refreshExpiresInSeconds } = issued
  if (byCookie) scope.authCookies.set(reply, issued)
  return {
    message,
    ...(!byCookie && { accessToken, token: accessToken, ...(refreshToken !== undefined && { refreshToken }) }),
    tokenType: 'Bearer',
    expiresIn: expiresInSeconds,
    refreshExpiresIn: refreshExpiresInSeconds,
    user,
    session: {
      id: session._id,
      createdAt: session.createdAt.toISOString(),
      expiresAt: session.expiresAt.toISOString(),
      absoluteExpiresAt: session.absoluteExpiresAt.toISOString()
    }
  }
}
