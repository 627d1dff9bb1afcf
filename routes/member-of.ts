// Whose request it is, for the doors that need the account and the login.
import type { FastifyRequest } from 'fastify'
import { LatchkeyError } from '../src/errors.ts'
import type { Member } from '../src/session/session-rules.ts'

/** For what only users have. @throws LatchkeyError `token_missing` */
export function memberOf ({ member }: FastifyRequest): Member {
  if (member === null) throw new LatchkeyError('token_missing')
  return member
}
