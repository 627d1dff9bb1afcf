// Door: signs in.
import { clientOf } from '../client.ts'
import { schemaAt, type Doors } from '../doors.ts'
import { carryOver } from '../membership.ts'
import { answerWith } from '../token-answer.ts'
import { loginSchema } from './login.schema.ts'

const paths = ['/api/auth/login', '/login']

export default async function login (scope: Doors): Promise<void> {
  for (const path of paths) {
    scope.post(path, { schema: schemaAt(loginSchema, paths, path) }, async (request, reply) => {
      const { transport, ...credentials } = request.body
      const issued = await scope.accounts.login(credentials, clientOf(request))
      await carryOver(scope, request, reply, issued)
      return answerWith(scope, reply, 'Login successful', issued, transport === 'cookie')
    })
  }
}
