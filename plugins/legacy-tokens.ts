// Socket: @fastify/jwt for the tokens of the service that was before, one registration for each secret that may have signed
// them. It only verifies.
import fastifyJwt, { type FastifyJWTOptions, type JWT } from '@fastify/jwt'
import fp from 'fastify-plugin'
import { registerApart } from '../src/register-apart.ts'
import type { ScopeOptions } from '../src/scope-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Checks the signature of an old token and returns its payload; throws what the library throws. Undefined if none is admitted. */
    legacyVerify: ((text: string) => unknown) | undefined
  }
}

/** A name that no `kid` can have: the keys of our own tokens are registered by theirs. */
const nameOf = (at: number): string => `legacy:${at}`

export default fp<ScopeOptions>(async function legacyTokens (scope, { config: { legacySecrets } }) {
  if (legacySecrets.length === 0) {
    scope.decorate('legacyVerify', undefined)
    return
  }
  for (const [at, secret] of legacySecrets.entries()) {
    await registerApart<FastifyJWTOptions>(scope, fastifyJwt, {
      namespace: nameOf(at),
      decoratorName: 'latchkeyClaims',
      secret,
      sign: { algorithm: 'HS256' },
      // times are judged by the service's own clock
      verify: { algorithms: ['HS256'], ignoreExpiration: true, ignoreNotBefore: true, cache: false }
    }, { jwt: undefined })
  }
  const engines = legacySecrets.map((_, at) => (scope.jwt as unknown as Record<string, JWT>)[nameOf(at)] as JWT)

  scope.decorate('legacyVerify', (text) => {
    let failure: unknown
    for (const engine of engines) {
      try {
        return engine.verify(text)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  })
}, { name: 'latchkey-legacy-tokens' })
