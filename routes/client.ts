// What the doors tell the services of the other side: who sends, and which tokens came along.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Client, Presented } from '../src/token/revocation.ts'

export const clientOf = (request: FastifyRequest): Client => ({ address: request.ip, userAgent: request.headers['user-agent'] ?? '' })

/**
 * Tokens of a request for the doors that take more than an access token. The cookies of a request with an Authorization
 * header are not looked at (DESIGN 6).
 * @param bodyToken `refreshToken` of the body; it comes before the cookie
 */
export function presentedBy (scope: FastifyInstance, request: FastifyRequest, bodyToken: string | undefined): Presented & { byCookie: boolean } {
  const { headers } = request
  const cookies = scope.authCookies.read(headers.authorization === undefined ? headers.cookie : undefined)
  const refresh = bodyToken ?? cookies.refresh
  return {
    access: scope.accessTokenOf(request),
    refresh,
    byCookie: bodyToken === undefined && headers['x-access-token'] === undefined && (cookies.refresh ?? cookies.access) !== undefined
  }
}
