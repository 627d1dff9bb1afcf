// Room `errors`: the closed list of everything that can go wrong, each with a stable code that tells the client
// what to do. Rooms throw these; plugins/errors.ts makes them problem+json (RFC 9457). The cause goes to the log only.
import { STATUS_CODES } from 'node:http'

/** What one code means. `detail` is the reply's text unless the thrower knows better, `advice` is for the catalogue. */
interface Meaning { readonly status: number, readonly title: string, readonly detail: string, readonly advice: string }

const meaning = (status: number, title: string, detail: string, advice: string): Meaning =>
  Object.freeze({ status, title, detail, advice })

const list = {
  validation_failed: meaning(400, 'Invalid input', 'The request does not fit the description of this operation.', 'Correct what `errors` names and send it again.'),
  password_too_short: meaning(400, 'Password too short', 'The password has too few characters.', 'Ask for a longer password.'),
  password_too_long: meaning(400, 'Password too long', 'The password is longer than 72 bytes in UTF-8.', 'Ask for a shorter password: bcrypt reads 72 bytes.'),
  password_common: meaning(400, 'Password too common', 'The password is on a list of common passwords or is made of what is known of the account.', 'Ask for a password that others would not guess.'),
  invalid_credentials: meaning(401, 'Invalid credentials', 'The account or the password is wrong.', 'Ask for the password again.'),
  token_missing: meaning(401, 'Access token missing', 'This operation needs an access token.', 'Send `Authorization: Bearer <accessToken>`.'),
  token_expired: meaning(401, 'Access token expired', 'The access token has run out.', 'Refresh, then try again.'),
  token_invalid: meaning(401, 'Access token invalid', 'The access token is malformed or was not signed by this service.', 'Sign in again.'),
  session_revoked: meaning(401, 'Session ended', 'The session of this token has ended.', 'Sign in again; do not refresh.'),
  refresh_token_missing: meaning(401, 'Refresh token missing', 'This operation needs a refresh token or a valid access token.', 'Send `refreshToken` in the body or as the cookie, or sign in.'),
  refresh_token_expired: meaning(401, 'Refresh token expired', 'The session has been idle too long or has reached its end.', 'Sign in again.'),
  refresh_token_invalid: meaning(401, 'Refresh token invalid', 'The refresh token is malformed or was not issued by this service.', 'Sign in again.'),
  refresh_token_reused: meaning(401, 'Refresh token reused', 'The refresh token had been used before, so its session was ended.', 'Sign in again; somebody else may hold a copy of the token.'),
  csrf_rejected: meaning(403, 'Cross-site request refused', 'The request came from another site.', 'Send it from an allowed origin, or with an Authorization header.'),
  current_password_invalid: meaning(403, 'Current password wrong', 'This change needs the current password of the account, and what came is not it.', 'Ask for the current password again.'),
  forbidden: meaning(403, 'Not allowed', 'The account does not have the role that this operation needs.', 'Do not retry.'),
  not_found: meaning(404, 'Not found', 'There is nothing at this address.', 'Check the address.'),
  visit_not_found: meaning(404, 'No visit', 'No visit is running here, or none has this id.', 'Begin one with `POST /api/session`, or with the first page.'),
  method_not_allowed: meaning(405, 'Method not allowed', 'This address does not answer to that method.', 'Use a method from the Allow header.'),
  request_timeout: meaning(408, 'Request timeout', 'The request took too long to arrive.', 'Send it again.'),
  email_taken: meaning(409, 'E-mail address taken', 'An account with this e-mail address exists.', 'Sign in, or use another address.'),
  username_taken: meaning(409, 'Username taken', 'An account with this username exists.', 'Choose another username.'),
  visit_full: meaning(409, 'Visit full', 'The visit has as many pages, or actions, as it may have.', 'End it with `DELETE /api/session`; the next one begins by itself.'),
  payload_too_large: meaning(413, 'Body too large', 'The body is larger than this operation takes.', 'Send less.'),
  uri_too_long: meaning(414, 'Address too long', 'The address of the request is too long.', 'Shorten it.'),
  unsupported_media_type: meaning(415, 'Unsupported media type', 'The body, or a file in it, is of a type that this operation does not take.', 'Send what the operation describes: JSON as application/json, a picture as PNG, JPEG or WebP.'),
  rate_limited: meaning(429, 'Too many attempts', 'Too many attempts.', 'Wait for the seconds in Retry-After.'),
  headers_too_large: meaning(431, 'Headers too large', 'The headers of the request are too large.', 'Send smaller headers.'),
  internal_error: meaning(500, 'Internal error', 'Something went wrong on our side.', 'Report it with the requestId.'),
  unavailable: meaning(503, 'Temporarily unavailable', 'The service cannot decide this at the moment.', 'Keep your tokens and try again after the seconds in Retry-After.')
} as const satisfies Record<string, Meaning>

export type ErrorCode = keyof typeof list

/** Every code with its meaning, in the order of status. */
export const errorList: Readonly<Record<ErrorCode, Meaning>> = Object.freeze(list)

export const errorCodes = Object.keys(list) as ErrorCode[]

/** One thing that is wrong with the input: where (JSON pointer, first segment = part of the request) and what. */
export interface FieldError { path: string, message: string }

export interface ErrorExtras {
  /** Text for this one case; must not repeat what the client sent. */
  detail?: string
  errors?: FieldError[]
  /** Whole seconds until a retry makes sense. */
  retryAfterSeconds?: number
  /** Methods for the Allow header. */
  allow?: readonly string[]
  /** More members of the problem document, RFC 9457 section 3.2. */
  members?: Record<string, unknown>
  cause?: unknown
}

/** A failure with a code from the list. */
export class LatchkeyError extends Error {
  readonly code: ErrorCode
  readonly statusCode: number
  readonly extras: Omit<ErrorExtras, 'cause'>

  constructor (code: ErrorCode, { cause, ...extras }: ErrorExtras = {}) {
    super(extras.detail ?? list[code].detail, cause === undefined ? undefined : { cause })
    this.name = 'LatchkeyError'
    this.code = code
    this.statusCode = list[code].status
    this.extras = extras
  }
}

/** Nobody can decide now: 503 with Retry-After, never a 401. */
export const unavailable = (cause?: unknown, retryAfterSeconds = 1): LatchkeyError =>
  new LatchkeyError('unavailable', { cause, retryAfterSeconds })

/** A problem document that also parses as Fastify's own error shape. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  code: ErrorCode
  requestId: string
  statusCode: number
  error: string
  message: string
  errors?: FieldError[]
  [member: string]: unknown
}

/**
 * @param error what happened
 * @param where `base` = prefix of the catalogue's address, `instance` = path of the request (no query: it may hold secrets)
 */
export function problemOf (error: LatchkeyError, where: { base: string, instance: string, requestId: string }): Problem {
  const { title, status } = list[error.code]
  return {
    type: `${where.base}/problems/${error.code}`,
    title,
    status,
    detail: error.message,
    instance: where.instance,
    code: error.code,
    requestId: where.requestId,
    statusCode: status,
    error: STATUS_CODES[status] as string,
    message: error.message,
    ...(error.extras.errors && { errors: error.extras.errors }),
    ...error.extras.members
  }
}

/** Headers that a code owes: RFC 6750 section 3 for 401, RFC 9110 for 405, 429 and 503. */
export function headersOf (error: LatchkeyError): Record<string, string> {
  const headers: Record<string, string> = {}
  if (error.statusCode === 401) headers['www-authenticate'] = challengeOf(error.code)
  if (error.extras.allow) headers['allow'] = error.extras.allow.join(', ')
  if (error.extras.retryAfterSeconds !== undefined) headers['retry-after'] = String(error.extras.retryAfterSeconds)
  return headers
}

const withoutToken = new Set<ErrorCode>(['token_missing', 'refresh_token_missing', 'invalid_credentials'])

/** RFC 6750 section 3.1: no error code where no token was sent. */
function challengeOf (code: ErrorCode): string {
  return withoutToken.has(code) ? 'Bearer realm="latchkey"' : 'Bearer realm="latchkey", error="invalid_token"'
}

/** A unique index said no: MongoDB's code, which the embedded store uses too. */
export const isDuplicateKey = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === 11000

/**
 * Whether an error means "the store could not answer" rather than "we asked nonsense": network, timeouts, pools,
 * elections, write concern, disk. Judged by name and label so that the embedded store's errors pass too.
 */
export function isStoreFault (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (socketFaults.has((error as NodeJS.ErrnoException).code ?? '')) return true
  if (!isOfDriver(error) || isDuplicateKey(error)) return false
  if (ownMistakes.has(error.name)) return false
  if (!serverAnswers.has(error.name)) return true
  const { code, errorLabels, writeErrors } = error as { code?: number, errorLabels?: string[], writeErrors?: unknown[] }
  // the driver puts whatever happens to a bulk write, network and pool included, into one that the server knows nothing of
  if (error.name === 'MongoBulkWriteError' && code === undefined && (writeErrors ?? []).length === 0) return true
  return serverFaults.has(code ?? 0) || (errorLabels ?? []).some((label) => label.startsWith('Retryable') || label === 'SystemOverloadedError')
}

/** By name, as the embedded store's errors are too, or by what every error of the driver has: not all names say so. */
const isOfDriver = (error: Error): boolean => error.name.startsWith('Mongo') || 'errorLabelSet' in error

// A driver lets some failures of its socket through as they are (seen: EPIPE, on a command just as the server died).
const socketFaults = new Set(['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'])

// What the driver refuses before it asks anybody.
const ownMistakes = new Set(['MongoInvalidArgumentError', 'MongoMissingDependencyError', 'MongoParseError', 'MongoAPIError'])

// A server that answered with an error; its code says whether that means "not now".
const serverAnswers = new Set(['MongoServerError', 'MongoBulkWriteError'])

// MongoDB's error codes for "not now": timeouts (50, 262, 64), network (6, 7, 89), elections and shutdown
// (91, 133, 189, 10107, 11600, 11602, 13435, 13436, 9001), disk (14031), write concern (100), overload (462).
const serverFaults = new Set([6, 7, 50, 64, 89, 91, 100, 133, 189, 262, 462, 9001, 10107, 11600, 11602, 13435, 13436, 14031])
