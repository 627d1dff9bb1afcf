// For the tests of old tokens: the socket's own verification with given secrets, beside the tokens of this service.
import Fastify from 'fastify'
import { randomBytes } from 'node:crypto'
import legacyTokens from '../../../plugins/legacy-tokens.ts'
import { everyPart } from '../../../src/config/parts.ts'
import { admitLegacyTokens } from '../../../src/token/legacy-token.ts'
import type { AccessTokens } from '../../../src/token/access-token.ts'
import { createTokenKit, type TokenKit } from './token-kit.ts'

export interface LegacyKit extends TokenKit {
  both: AccessTokens
  /** Old signatures looked at so far. */
  seen: () => number
}

export async function createLegacyKit (secretsOf: (kit: TokenKit) => readonly string[]): Promise<LegacyKit> {
  const kit = await createTokenKit()
  const app = Fastify()
  await app.register(legacyTokens, { config: { legacySecrets: secretsOf(kit) } as never, clock: kit.clock, randomBytes, parts: everyPart, base: '' })
  await app.ready()
  let seen = 0
  const verify = (text: string): unknown => {
    seen++
    return app.legacyVerify?.(text)
  }
  return { ...kit, both: admitLegacyTokens({ own: kit.tokens, verify, clock: kit.clock }), seen: () => seen }
}
