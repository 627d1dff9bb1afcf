// Room `schemas`: the shape of every failure and the shared set of replies. A door names the codes that it can send;
// the set that every door can send is added here, so that no door forgets one.
import { Type, type TSchema } from '@sinclair/typebox'
import { errorCodes, errorList, problemOf, LatchkeyError, type ErrorCode, type ErrorExtras } from '../errors.ts'
import { oneOf } from './one-of.ts'
import { closed, ref } from './shapes.ts'

export const Problem = Type.Object({
  type: Type.String({ description: 'Address of the description of this code.' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String({ description: 'Path of the request.' }),
  code: oneOf(errorCodes, { description: 'Stable; tells what to do.' }),
  requestId: Type.String(),
  statusCode: Type.Integer({ description: 'The same as status, for clients of Fastify services.' }),
  error: Type.String(),
  message: Type.String({ description: 'The same as detail.' }),
  errors: Type.Optional(Type.Array(closed({
    path: Type.String({ description: 'JSON pointer to what is wrong; the first part names the part of the request.' }),
    message: Type.String()
  })))
}, {
  $id: 'LatchkeyProblem',
  additionalProperties: true,
  description: 'RFC 9457 problem document that also parses as Fastify\'s own error shape.',
  examples: [example('validation_failed', { errors: [{ path: '/body/password', message: 'is required' }] })]
})

/** What any door can send, whatever it does: each is produced by a test once for each class of doors (test/guard/answers.test.ts). */
export const commonCodes: readonly ErrorCode[] = ['validation_failed', 'request_timeout', 'uri_too_long', 'rate_limited', 'headers_too_large', 'internal_error', 'unavailable']

/** What any door can send that changes something. */
const unsafe: ErrorCode[] = ['csrf_rejected', 'payload_too_large', 'unsupported_media_type']

/** What any door can send that takes guests, about a token that is there. */
const visitor: ErrorCode[] = ['token_expired', 'token_invalid', 'session_revoked']

/** What any door can send that stands behind `authenticate`. */
const guarded: ErrorCode[] = ['token_missing', ...visitor]

export interface ReplySet {
  /** The door reads only: GET, HEAD. */
  safe?: boolean
  /** The door stands behind `authenticate`. */
  guarded?: boolean
  /** The door takes guests and users. */
  visitor?: boolean
  /** Codes of this door beside the shared ones. */
  codes?: readonly ErrorCode[]
}

/** Replies of a door for every status that is a failure, for its `response` schema. */
export function problems ({ safe = false, guarded: isGuarded = false, visitor: isVisitor = false, codes = [] }: ReplySet): Record<number, TSchema> {
  const all = new Set<ErrorCode>([...codes, ...commonCodes, ...(safe ? [] : unsafe), ...(isGuarded ? guarded : []), ...(isVisitor ? visitor : [])])
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of errorCodes) {
    if (!all.has(code)) continue
    const { status } = errorList[code]
    byStatus.set(status, [...byStatus.get(status) ?? [], code])
  }
  return Object.fromEntries([...byStatus].map(([status, list]) => [status, reply(list)]))
}

function reply (codes: ErrorCode[]): TSchema {
  const examples = Object.fromEntries(codes.map((code) => [code, { value: example(code) }]))
  return {
    description: codes.map((code) => `\`${code}\`: ${errorList[code].detail}`).join('\n\n'),
    content: { 'application/problem+json': { schema: ref(Problem), examples } }
  } as unknown as TSchema
}

/** The document shows it with the address of the operation (plugins/openapi.ts). */
function example (code: ErrorCode, extras: ErrorExtras = {}) {
  return problemOf(new LatchkeyError(code, extras), { base: '', instance: '/', requestId: 'k3v1-2a' })
}
