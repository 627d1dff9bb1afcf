// Door: how the service is. Whoever asks sees the state and the counts; what the process knows of itself is for operators.
import { LatchkeyError } from '../../src/errors.ts'
import type { Doors } from '../doors.ts'
import { healthSchema } from './operation.schema.ts'

export default async function health (scope: Doors): Promise<void> {
  scope.get('/api/auth/health', { schema: healthSchema }, async (request) => {
    const [{ cache, uptime, worker, ...shown }, isOperator] = await Promise.all([scope.health(), scope.isOperator(request)])
    const answer = { ...shown, ...(isOperator && { cache, uptime, ...(worker !== undefined && { worker }) }) }
    if (shown.mongo !== 'disconnected') return answer
    const { status: _degraded, ...members } = answer // in a problem document `status` is the HTTP status (RFC 9457)
    throw new LatchkeyError('unavailable', { members, retryAfterSeconds: 1, cause: new Error('MongoDB does not answer') })
  })
}
