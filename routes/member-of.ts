// Whose request it is, for the doors that need the account and the login.
import type { FastifyRequest } from 'fastify'
import { LatchkeyError } from '../src/errors.ts'
import type { SeenMember } from '../src/session/session-rules.ts'

/** For what only users have. @throws LatchkeyError `token_missing` */
export function memberOf ({ latchkeyMember: member }: FastifyRequest): SeenMember {
  if (member === null) throw new LatchkeyError('token_missing')
  return member
}
