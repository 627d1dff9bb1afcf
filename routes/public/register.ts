// Door: makes an account and signs it in.
import { clientOf } from '../client.ts'
import type { Doors } from '../doors.ts'
import { carryOver } from '../membership.ts'
import { answerWith } from '../token-answer.ts'
import { registerSchema } from './register.schema.ts'

export default async function register (scope: Doors): Promise<void> {
  scope.post('/api/auth/register', { schema: registerSchema }, async (request, reply) => {
    const { transport, ...registration } = request.body
    const issued = await scope.accounts.register(registration, clientOf(request))
    await carryOver(scope, request, reply, issued)
    reply.code(201)
    return answerWith(scope, reply, 'Registration successful', issued, transport === 'cookie')
  })
}
