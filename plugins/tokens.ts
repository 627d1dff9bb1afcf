// Socket: @fastify/jwt as the engine of access tokens, and everything that issues, checks and ends sessions.
// One registration of the library per key, under its kid: keys are then fixed, checked at the start, and verifying is
// synchronous. It decorates no request: `request.user` is set by `authenticate` alone.
import fastifyJwt, { type JWT } from '@fastify/jwt'
import fp from 'fastify-plugin'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createAccessTokens, type JwtEngine } from '../src/token/access-token.ts'
import { createKeyring } from '../src/token/keyring.ts'
import { admitLegacyTokens } from '../src/token/legacy-token.ts'
import { createRefreshTokens } from '../src/token/refresh-token.ts'
import { createRevoke, createSignOut, type Audit, type SignOut } from '../src/token/revocation.ts'
import { createSessionCheck, type SessionCheck } from '../src/token/session-check.ts'
import { createTokenService, type TokenService } from '../src/token/token-service.ts'

declare module 'fastify' {
  interface FastifyInstance {
    tokens: TokenService
    signOut: SignOut
    sessionCheck: SessionCheck
    /** Writes an event of security to the log. */
    audit: Audit
  }
}

export default fp<ScopeOptions>(async function tokens (scope, { config, clock, randomBytes }) {
  const keyring = createKeyring(config.rings.access)
  for (const { kid, secret } of keyring.keys) {
    await scope.register(fastifyJwt, {
      namespace: kid,
      decoratorName: 'latchkeyClaims',
      secret,
      sign: { algorithm: 'HS256', kid, header: { alg: 'HS256', typ: 'at+jwt' } },
      // times are judged by the service's own clock
      verify: { algorithms: ['HS256'], checkTyp: 'at+jwt', ignoreExpiration: true, ignoreNotBefore: true, cache: false }
    })
  }
  const engines = scope.jwt as unknown as Record<string, JWT>
  const engine: JwtEngine = {
    sign: (kid, claims) => (engines[kid] as JWT).sign(claims),
    verify: (kid, text) => (engines[kid] as JWT).verify(text)
  }
  const { users, sessions, sessionCache: cache, legacyVerify } = scope
  const own = createAccessTokens({
    engine,
    keyring,
    clock,
    randomBytes,
    issuer: config.tokenIssuer,
    audience: config.tokenAudience,
    lifetimeSeconds: config.accessTokenSeconds,
    fields: config.tokenClaims
  })
  const accessTokens = legacyVerify === undefined ? own : admitLegacyTokens({ own, verify: legacyVerify, clock })
  const refreshTokens = createRefreshTokens(createKeyring(config.rings.refresh))
  const audit: Audit = (event, fields) => { scope.log.info({ audit: event, ...fields }, 'security event') }
  const revoke = createRevoke({ sessions, cache, clock })

  const graceMs = config.refreshGraceSeconds * 1000

  scope.decorate('audit', audit)
  scope.decorate('sessionCheck', createSessionCheck({ tokens: accessTokens, cache, clock, memoEntries: config.tokenMemoEntries }))
  scope.decorate('signOut', createSignOut({ users, sessions, cache, revoke, accessTokens, refreshTokens, clock, graceMs, audit }))
  scope.decorate('tokens', createTokenService({
    users,
    sessions,
    cache,
    revoke,
    accessTokens,
    refreshTokens,
    clock,
    randomBytes,
    idleMs: config.refreshTokenSeconds * 1000,
    absoluteMs: config.sessionAbsoluteSeconds * 1000,
    graceMs,
    sessionsPerUser: config.sessionsPerUser,
    audit
  }))
}, { name: 'latchkey-tokens', dependencies: ['latchkey-stores', 'latchkey-tiers', 'latchkey-legacy-tokens'] })
