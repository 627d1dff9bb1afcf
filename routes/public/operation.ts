// Doors: the probes, the keys that other services verify with, and what each problem `type` points at.
import { errorList, LatchkeyError, unavailable, type ErrorCode } from '../../src/errors.ts'
import type { Doors } from '../doors.ts'
import { keySetSchema, livenessSchema, problemSchema, readinessSchema } from './operation.schema.ts'

export default async function operation (scope: Doors): Promise<void> {
  scope.get('/livez', { schema: livenessSchema }, async () => ({ status: 'ok' as const }))

  scope.get('/readyz', { schema: readinessSchema }, async () => {
    const { mongo, redis } = await scope.storeStates()
    if (mongo === 'disconnected') throw unavailable(new Error('MongoDB does not answer'))
    if (!scope.areIndexesReady()) throw unavailable(new Error('the indexes do not stand yet'))
    const channel = scope.channelState()
    return { status: redis === 'disconnected' || channel === 'deaf' ? 'degraded' as const : 'ready' as const, mongo, redis, channel }
  })

  scope.get('/.well-known/jwks.json', { schema: keySetSchema }, async (_request, reply) => {
    reply.header('cache-control', 'public, max-age=300') // nothing secret, and the same for everybody
    return scope.publishedKeys
  })

  scope.get('/problems/:code', { schema: problemSchema }, async (request) => {
    const { code } = request.params
    if (!Object.hasOwn(errorList, code)) throw new LatchkeyError('not_found')
    return { code: code as ErrorCode, ...errorList[code as ErrorCode] }
  })
}
