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
import type { Member } from '../src/session/session-rules.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The access token that a request presents, or undefined. @throws LatchkeyError `token_invalid` */
    accessTokenOf: (request: FastifyRequest) => string | undefined
    /** Hook for doors that guests use too: no token is a guest, a bad one is refused as by `authenticate`. Sets `request.member`. */
    identify: Authenticate
    /** As `authenticate`, for doors that need to know the login: sets `request.member`, too. */
    authenticateMember: Authenticate
  }
  interface FastifyRequest {
    /** The user and the login behind a request that `identify` or `authenticateMember` has let pass; null for a guest. */
    member: Member | null
    /** Version of the member's account, as the copy of the session has it; set with `member`. */
    accountVersion: number
  }
}

/** One text a tier: a memory hit makes none. */
const timings: Record<Tier, string> = { memory: 'auth;desc="memory"', redis: 'auth;desc="redis"', mongo: 'auth;desc="mongo"' }

export default fp<ScopeOptions>(async function authenticate (scope, { config }) {
  const { sessionCheck, authCookies, isFromHere } = scope
  const timing = config.serverTiming
  const admit = ['debug', 'trace'].includes(scope.log.level) ? tellAndLetIn : letIn // so that a hit asks no logger for its level

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

  function tellAndLetIn (request: FastifyRequest, reply: FastifyReply, copy: CheckedCopy, tier: Tier, knowsMember: boolean): void {
    request.log.debug({ tier, sid: copy.key }, 'session checked')
    letIn(request, reply, copy, tier, knowsMember)
  }

  function letIn (request: FastifyRequest, reply: FastifyReply, { key, value }: CheckedCopy, tier: Tier, knowsMember: boolean): void {
    request.user = value.user
    if (knowsMember) {
      request.member = { userId: value.user.id, sid: key }
      request.accountVersion = value.version
    }
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

  function check (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void, takesGuests: boolean, knowsMember: boolean): void {
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

  scope.decorate('authenticate', (request, reply, done) => { check(request, reply, done, false, false) })
  scope.decorate('identify', (request, reply, done) => { check(request, reply, done, true, true) })
  scope.decorate('authenticateMember', (request, reply, done) => { check(request, reply, done, false, true) })
  scope.decorateRequest('member', null)
  scope.decorateRequest('accountVersion', 0)
  scope.decorate('requireRole', (role) => (request, _reply, done) => {
    done((request.user as PublicUser | null)?.role === role ? undefined : new LatchkeyError('forbidden'))
  })
  scope.decorate('accessTokenOf', accessTokenOf)
}, { name: 'latchkey-authenticate', dependencies: ['latchkey-tokens', 'latchkey-cookies', 'latchkey-security'] })
