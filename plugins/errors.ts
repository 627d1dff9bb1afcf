// Socket: every failure of this scope as problem+json (RFC 9457), the framework's and the libraries' included, and the
// answers for addresses that are not there. The cause goes to the log, never to the reply.
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { headersOf, isStoreFault, LatchkeyError, problemOf, unavailable, type ErrorCode } from '../src/errors.ts'
import type { ScopeOptions } from '../src/scope-options.ts'

/** Statuses that Fastify and its plugins give to a client's mistake, as codes of the list. */
const codeOfStatus: Record<number, ErrorCode> = {
  400: 'validation_failed',
  401: 'token_invalid',
  403: 'forbidden',
  404: 'not_found',
  408: 'request_timeout',
  413: 'payload_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  431: 'headers_too_large',
  503: 'unavailable'
}

export interface ErrorsOptions extends ScopeOptions {
  /** Whether addresses that nobody answers belong to this scope; they are the host's when it is mounted at its root. */
  ownsNotFound: boolean
}

/** Milliseconds between two lines about requests that were put off: an outage must not drown the log. */
const quietMs = 1000

export default fp<ErrorsOptions>(async function errors (scope, { base, ownsNotFound, clock }) {
  const putOff = { unsaid: 0, quietUntil: -Infinity }

  function note (failure: LatchkeyError, error: unknown, request: FastifyRequest): void {
    const fields = { err: failure.cause ?? error, code: failure.code }
    if (failure.statusCode === 500) request.log.error(fields, failure.message)
    else if (clock.mono() < putOff.quietUntil) putOff.unsaid++
    else {
      request.log.warn({ ...fields, ...(putOff.unsaid > 0 && { moreSinceLastLine: putOff.unsaid }) }, failure.message)
      putOff.unsaid = 0
      putOff.quietUntil = clock.mono() + quietMs
    }
  }

  scope.setErrorHandler((error, request, reply) => {
    const failure = asLatchkeyError(error)
    if (failure.statusCode >= 500) note(failure, error, request)
    return sendProblem(failure, request, reply, base)
  })
  if (ownsNotFound) {
    scope.setNotFoundHandler((request, reply) => sendProblem(new LatchkeyError('not_found'), request, reply, base))
  }
}, { name: 'latchkey-errors' })

function sendProblem (failure: LatchkeyError, request: FastifyRequest, reply: FastifyReply, base: string): FastifyReply {
  const problem = problemOf(failure, { base, instance: pathOf(request.url), requestId: request.id })
  return reply.code(failure.statusCode).headers({ ...headersOf(failure), 'x-request-id': request.id }).type('application/problem+json').send(problem)
}

/** The path alone: a query may hold what must not be repeated. */
const pathOf = (url: string): string => (url.split('?', 1)[0] as string).slice(0, 256)

/** Any thrown thing as an error of the list. */
export function asLatchkeyError (error: unknown): LatchkeyError {
  if (error instanceof LatchkeyError) return error
  if (isStoreFault(error)) return unavailable(error)
  const { statusCode, code } = (error ?? {}) as { statusCode?: number, code?: unknown }
  // @fastify/jwt leaves some of its library's refusals without a status, and they would be a 500
  if (typeof code === 'string' && /^FA?ST_JWT_/.test(code)) return new LatchkeyError(code.endsWith('EXPIRED') ? 'token_expired' : 'token_invalid', { cause: error })
  const known = statusCode === undefined ? undefined : codeOfStatus[statusCode] ?? (statusCode >= 400 && statusCode < 500 ? 'validation_failed' : undefined)
  if (known === 'unavailable') return unavailable(error)
  return new LatchkeyError(known ?? 'internal_error', { cause: error })
}
