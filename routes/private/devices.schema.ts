// What the doors of a user's devices read and send.
import { Type } from '@sinclair/typebox'
import { pageQuery } from '../../src/schemas/list-shapes.ts'
import { problems } from '../../src/schemas/problem.ts'
import { SessionList } from '../../src/schemas/session-shapes.ts'
import { closed, ref, RevokedAnswer } from '../../src/schemas/shapes.ts'
import { security } from './account.schema.ts'

export const listSessionsSchema = {
  operationId: 'listSessions',
  tags: ['account'],
  summary: 'Where the account is signed in',
  description: 'Live sessions, newest first, one for each device; no secrets. A user has at most `SESSIONS_PER_USER` (20) of them: at one more the oldest ends.',
  security,
  querystring: closed(pageQuery),
  response: {
    200: ref(SessionList, 'The sessions.'),
    ...problems({ safe: true, guarded: true })
  }
}

export const endSessionSchema = {
  operationId: 'endSession',
  tags: ['account'],
  summary: 'Sign out of one device',
  description: 'Ends one of the user\'s own sessions, this one included; every token of it is refused from then on, by every instance. Idempotent.',
  security,
  params: closed({ id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'Id of the session.', examples: ['5cJq0W8mR2yXv7TnB4kD1g'] }) }),
  response: {
    204: { type: 'null', description: 'The session is over.' },
    ...problems({ guarded: true, codes: ['not_found'] })
  }
}

export const endOtherSessionsSchema = {
  operationId: 'endOtherSessions',
  tags: ['account'],
  summary: 'Sign out of every other device',
  description: 'Ends every session of the user but the one that asks; every token of those is refused from then on, by every instance. `revoked` says how many they were.',
  security,
  response: {
    200: ref(RevokedAnswer, 'This session is the only one.'),
    ...problems({ guarded: true })
  }
}
