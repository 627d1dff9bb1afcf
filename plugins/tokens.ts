// Socket: @fastify/jwt as the engine of access tokens, and everything that issues, checks and ends sessions.
// One registration of the library per key, under its kid: keys and their algorithms are then fixed, checked at the start, and
// verifying is synchronous. It decorates no request: `request.user` is set by `authenticate` alone.
import fastifyJwt, { type FastifyJWTOptions, type JWT } from '@fastify/jwt'
import fp from 'fastify-plugin'
import { registerApart } from '../src/register-apart.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createLastSeen, type LastSeen } from '../src/session/last-seen.ts'
import { createAccessTokens, type JwtEngine } from '../src/token/access-token.ts'
import { createAccessKeys, type PublishedKeys } from '../src/token/access-keys.ts'
import { createKeyring } from '../src/token/keyring.ts'
import { admitLegacyTokens } from '../src/token/legacy-token.ts'
import { createRefreshTokens } from '../src/token/refresh-token.ts'
import { createSignOut, type SignOut } from '../src/token/sign-out.ts'
import { createSessionCheck, type SessionCheck } from '../src/token/session-check.ts'
import { createTokenService, type TokenService } from '../src/token/token-service.ts'

declare module 'fastify' {
  interface FastifyInstance {
    tokens: TokenService
    signOut: SignOut
    sessionCheck: SessionCheck
    lastSeen: LastSeen
    /** What other services verify access tokens with: the JWK Set (RFC 7517). */
    publishedKeys: PublishedKeys
  }
}

export default fp<ScopeOptions>(async function tokens (scope, { config, clock, randomBytes, claims }) {
  const { keyring, published } = createAccessKeys(config)
  for (const { kid, algorithm, material } of keyring.keys) {
    await registerApart<FastifyJWTOptions>(scope, fastifyJwt, {
      namespace: kid,
      decoratorName: 'latchkeyClaims',
      secret: material,
      sign: { algorithm, kid, header: { alg: algorithm, typ: 'at+jwt' } },
      // times are judged by the service's own clock
      verify: { algorithms: [algorithm], checkTyp: 'at+jwt', ignoreExpiration: true, ignoreNotBefore: true, cache: false }
    }, { jwt: undefined })
  }
  const engines = scope.jwt as unknown as Record<string, JWT>
  const engine: JwtEngine = {
    sign: (kid, claims) => (engines[kid] as JWT).sign(claims),
    verify: (kid, text) => (engines[kid] as JWT).verify(text)
  }
  const { meter, users, sessions, statistics, audit, tellHost, sessionCache: cache, legacyVerify } = scope
  const own = createAccessTokens({
    engine,
    keyring,
    clock,
    randomBytes,
    issuer: config.tokenIssuer,
    audience: config.tokenAudience,
    lifetimeSeconds: config.accessTokenSeconds,
    fields: config.tokenClaims,
    claimsOf: claims
  })
  const accessTokens = legacyVerify === undefined ? own : admitLegacyTokens({ own, verify: legacyVerify, clock })
  const refreshTokens = createRefreshTokens(createKeyring(config.rings.refresh))
  const lastSeen = createLastSeen({ sessions })
  const { revoke, revokeOlder } = scope.revocations
  const graceMs = config.refreshGraceSeconds * 1000

  scope.decorate('publishedKeys', published)
  scope.decorate('lastSeen', lastSeen)
  scope.decorate('sessionCheck', createSessionCheck({
    tokens: accessTokens,
    cache,
    lastSeen,
    clock,
    memoEntries: config.tokenMemoEntries,
    randomBytes,
    ...(meter.isOn && { onLoad: (tier, seconds) => { meter.observe('latchkey_check_seconds', { tier }, seconds) } })
  }))
  scope.decorate('signOut', createSignOut({ users, sessions, cache, revoke, revokeOlder, accessTokens, refreshTokens, clock, graceMs, audit, tellHost }))
  const kinds: Record<string, 'refresh' | 'renewal'> = { refresh: 'refresh', renew: 'renewal' }
  scope.decorate('tokens', meter.timed(createTokenService({
    users,
    view: scope.userView,
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
    statistics,
    audit,
    tellHost
  }), (method, _seconds, outcome) => {
    const kind = kinds[method]
    if (kind !== undefined) meter.add('latchkey_refreshes_total', { kind, outcome })
  }))
}, { name: 'latchkey-tokens', dependencies: ['latchkey-public-user', 'latchkey-meter', 'latchkey-stores', 'latchkey-tiers', 'latchkey-audit', 'latchkey-host-hooks', 'latchkey-revocations', 'latchkey-legacy-tokens'] })
