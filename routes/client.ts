// What the doors tell the services of the other side: who sends, and which tokens came along.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Client } from '../src/token/revocation.ts'
import type { Presented } from '../src/token/sign-out.ts'

/** Characters of a request's id that are kept; a host may take it from a header as it is. */
const mostIdLength = 128

export const clientOf = ({ ip, id, headers }: FastifyRequest): Client =>
  ({ address: ip, userAgent: headers['user-agent'] ?? '', requestId: id.slice(0, mostIdLength) })

/**
 * Tokens of a request for the doors that take more than an access token. Cookies are not looked at beside a token in a
 * header or in the body (DESIGN 6): a script could otherwise have what is in them answered into its hands.
 * @param bodyToken `refreshToken` of the body
 */
export function presentedBy (scope: FastifyInstance, request: FastifyRequest, bodyToken: string | undefined): Presented & { byCookie: boolean } {
  const { headers } = request
  if (headers.authorization !== undefined || headers['x-access-token'] !== undefined) return { access: scope.accessTokenOf(request), refresh: bodyToken, byCookie: false }
  if (bodyToken !== undefined) return { access: undefined, refresh: bodyToken, byCookie: false }
  const cookies = scope.authCookies.read(headers.cookie)
  return { ...cookies, byCookie: (cookies.refresh ?? cookies.access) !== undefined }
}
