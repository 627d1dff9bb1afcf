// Socket: the hook that lets a request in or not. It reads the token itself (header, x-access-token, cookie: the first
// present wins and a bad one is not skipped), so that a host needs nothing else to guard its own routes. A memory hit
// calls back in the same tick.
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Tier } from '../src/cache/tiered-cache.ts'
import { headersOf, LatchkeyError } from '../src/errors.ts'
import type { PublicUser } from '../src/schemas/shapes.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { bearerText } from '../src/token/bearer.ts'
import type { Checked, CheckedCopy } from '../src/token/session-check.ts'
import type { Authenticate } from '../src/types.ts'
import type { SeenMember } from '../src/session/session-rules.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The access token that a request presents, or undefined. @throws LatchkeyError `token_invalid` */
    accessTokenOf: (request: FastifyRequest) => string | undefined
    /** Hook for doors that guests use too: no token is a guest, a bad one is refused as by `authenticate`. Sets `request.latchkeyMember`. */
    identify: Authenticate
    /** As `authenticate`, for doors that need to know the login: sets `request.latchkeyMember`, too. */
    authenticateMember: Authenticate
    /** The two guards of a host whose requests have a `user` of their own: they use the field of that name instead. */
    guardsFor: (field: string) => { authenticate: Authenticate, requireRole: (role: PublicUser['role']) => Authenticate }
  }
  interface FastifyRequest {
    /** The user and the login behind a request that `identify` or `authenticateMember` has let pass; null for a guest. */
    latchkeyMember: SeenMember | null
  }
}

/** A request of a host that has the public user under a name of its own. */
type Named = FastifyRequest & Record<string, PublicUser | null>

type Admit = (request: FastifyRequest, reply: FastifyReply, copy: CheckedCopy, tier: Tier, knowsMember: boolean) => void

/** One text a tier: a memory hit makes none. */
const timings: Record<Tier, string> = { memory: 'auth;desc="memory"', redis: 'auth;desc="redis"', mongo: 'auth;desc="mongo"' }

export default fp<ScopeOptions>(async function authenticate (scope, { config }) {
  const { sessionCheck, authCookies, isFromHere } = scope
  const timing = config.serverTiming
  const tells = ['debug', 'trace'].includes(scope.log.level) // so that a hit asks no logger for its level
  const admitted = tells ? telling(letIn) : letIn

  /** The hooks' token: a cookie counts only if no other site can have caused the request, on a host's routes too. */
  function tokenOf (request: FastifyRequest): string | undefined {
    const text = accessTokenOf(request)
    if (text === undefined) return undefined
    if (request.headers['x-access-token'] === undefined && !isFromHere(request)) throw new LatchkeyError('csrf_rejected')
    return text
  }

  function accessTokenOf ({ headers }: FastifyRequest): string | undefined {
    if (headers.authorization !== undefined) return bearerText(headers.authorization)
    const custom = headers['x-access-token']
    if (custom !== undefined) return custom as string
    return headers.cookie === undefined ? undefined : authCookies.read(headers.cookie).access
  }

  function telling (admit: Admit): Admit {
    return (request, reply, copy, tier, knowsMember) => {
      request.log.debug({ tier, sid: copy.key }, 'session checked')
      admit(request, reply, copy, tier, knowsMember)
    }
  }

  function letIn (request: FastifyRequest, reply: FastifyReply, { key, value }: CheckedCopy, tier: Tier, knowsMember: boolean): void {
    request.user = value.user
    if (knowsMember) request.latchkeyMember = { userId: value.user.id, sid: key, accountVersion: value.version }
    if (timing) reply.header('server-timing', timings[tier])
  }

  function refuse (request: FastifyRequest, reply: FastifyReply, error: unknown, done: (error?: Error) => void): void {
    // set here too, for a host's own error handler, which knows nothing of what a 401 owes
    if (error instanceof LatchkeyError) {
      reply.headers(headersOf(error))
      request.log.debug({ code: error.code }, 'check refused')
    }
    done(error as Error)
  }

  function check (admit: Admit, request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void, takesGuests: boolean, knowsMember: boolean): void {
    const { authorization } = request.headers
    const held = authorization === undefined ? undefined : sessionCheck.hit(authorization)
    if (held !== undefined) {
      admit(request, reply, held, 'memory', knowsMember)
      return done()
    }
    let answer: CheckedCopy | Promise<Checked>
    try {
      const text = tokenOf(request)
      if (text === undefined) {
        if (takesGuests) return done()
        throw new LatchkeyError('token_missing')
      }
      answer = sessionCheck.ask(text)
    } catch (error) {
      return refuse(request, reply, error, done)
    }
    if (!(answer instanceof Promise)) {
      admit(request, reply, answer, 'memory', knowsMember)
      return done()
    }
    answer.then(({ copy, tier }) => {
      admit(request, reply, copy, tier, knowsMember)
      done()
    }, (error: unknown) => { refuse(request, reply, error, done) })
  }

  scope.decorate('authenticate', (request, reply, done) => { check(admitted, request, reply, done, false, false) })
  scope.decorate('identify', (request, reply, done) => { check(admitted, request, reply, done, true, true) })
  scope.decorate('authenticateMember', (request, reply, done) => { check(admitted, request, reply, done, false, true) })
  scope.decorateRequest('latchkeyMember', null)
  scope.decorate('requireRole', (role) => (request, _reply, done) => {
    done((request.user as PublicUser | null)?.role === role ? undefined : new LatchkeyError('forbidden'))
  })
  scope.decorate('guardsFor', (field) => {
    const letInAs: Admit = (request, reply, { value }, tier) => {
      (request as Named)[field] = value.user
      if (timing) reply.header('server-timing', timings[tier])
    }
    const admit = tells ? telling(letInAs) : letInAs
    return {
      authenticate: (request, reply, done) => { check(admit, request, reply, done, false, false) },
      requireRole: (role) => (request, _reply, done) => { done((request as Named)[field]?.role === role ? undefined : new LatchkeyError('forbidden')) }
    }
  })
  scope.decorate('accessTokenOf', accessTokenOf)
}, { name: 'latchkey-authenticate', dependencies: ['latchkey-tokens', 'latchkey-cookies', 'latchkey-security'] })
