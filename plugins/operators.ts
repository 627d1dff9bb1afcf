// Socket: who may look behind the service, at metrics and at the detail of health: whoever has METRICS_TOKEN, and admins.
// Where that token is not set, anybody may outside production. The one place where this is decided.
import { createHash, timingSafeEqual } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { LatchkeyError, unavailable } from '../src/errors.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { bearerText } from '../src/token/bearer.ts'
import type { Checked } from '../src/token/session-check.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** @throws LatchkeyError as `authenticate` does, `forbidden` for a user who is no admin, `unavailable` when nobody can tell in time */
    requireOperator: (request: FastifyRequest) => Promise<void>
    /** The same as an answer: never rejects, never takes long, and says no while nobody can tell. */
    isOperator: (request: FastifyRequest) => Promise<boolean>
    /** Whether anybody may look. */
    isOpenToAll: boolean
  }
}

/** Milliseconds that stores are given to say whose token it is: a probe has its answer within a second. */
const patienceMs = 400

export default fp<ScopeOptions>(async function operators (scope, { config }) {
  const { metricsToken } = config
  const isOpenToAll = metricsToken === undefined && !config.production

  const hasMetricsToken = ({ headers: { authorization } }: FastifyRequest): boolean =>
    metricsToken !== undefined && authorization !== undefined && isSame(bearerText(authorization), metricsToken)

  async function requireOperator (request: FastifyRequest): Promise<void> {
    if (isOpenToAll || hasMetricsToken(request)) return
    const text = scope.accessTokenOf(request)
    if (text === undefined) throw new LatchkeyError('token_missing')
    const answer = scope.sessionCheck.ask(text)
    const { value } = answer instanceof Promise ? (await inTime(answer)).copy : answer
    if (value.user.role !== 'admin') throw new LatchkeyError('forbidden')
  }

  scope.decorate('isOpenToAll', isOpenToAll)
  scope.decorate('requireOperator', requireOperator)
  scope.decorate('isOperator', (request) => requireOperator(request).then(() => true, () => false))
}, { name: 'latchkey-operators', dependencies: ['latchkey-tokens', 'latchkey-authenticate'] })

async function inTime (answer: Promise<Checked>): Promise<Checked> {
  const done = new AbortController()
  const late = sleep(patienceMs, undefined, { ref: false, signal: done.signal })
  try {
    return await Promise.race([answer, late.then(() => { throw unavailable(new Error('no store has answered in time')) })])
  } finally {
    done.abort()
  }
}

/** Takes as long wherever the texts differ, and says nothing of their lengths. */
function isSame (text: string, secret: string): boolean {
  const digest = (of: string) => createHash('sha256').update(of).digest()
  return timingSafeEqual(digest(text), digest(secret))
}
