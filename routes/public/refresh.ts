// Door: exchanges a refresh token, or a still valid access token, for the next one.
import { LatchkeyError } from '../../src/errors.ts'
import { clientOf, presentedBy } from '../client.ts'
import { schemaAt, type Doors } from '../doors.ts'
import { noBodyIsEmpty } from '../empty-body.ts'
import { answerWith } from '../token-answer.ts'
import { refreshSchema } from './refresh.schema.ts'

const paths = ['/api/auth/refresh', '/refresh_token']

export default async function refresh (scope: Doors): Promise<void> {
  for (const path of paths) {
    scope.post(path, { schema: schemaAt(refreshSchema, paths, path), preValidation: noBodyIsEmpty }, async (request, reply) => {
      const { refresh, access, byCookie } = presentedBy(scope, request, request.body.refreshToken)
      if (refresh === undefined && access === undefined) throw new LatchkeyError('refresh_token_missing')
      const issued = refresh === undefined ? await scope.tokens.renew(access as string) : await scope.tokens.refresh(refresh, clientOf(request))
      return answerWith(scope, reply, refresh === undefined ? 'Access token renewed' : 'Tokens refreshed', issued, byCookie)
    })
  }
}
