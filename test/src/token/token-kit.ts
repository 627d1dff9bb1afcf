// For the tests of tokens: the real JWT library as plugins/tokens.ts registers it, and a forger that signs whatever it is
// given with whatever key it is given.
import fastifyJwt, { type JWT } from '@fastify/jwt'
import Fastify from 'fastify'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { RingKey } from '../../../src/config/secrets.ts'
import { LatchkeyError } from '../../../src/errors.ts'
import type { PublicUser } from '../../../src/schemas/shapes.ts'
import { createAccessTokens, type AccessTokenOptions, type JwtEngine, type OwnTokens, type TokenKey } from '../../../src/token/access-token.ts'
import { createKeyring } from '../../../src/token/keyring.ts'
import { createStillClock, type TestClock } from '../../helper/clock.ts'
import { emailMark } from '../../helper/evidence.ts'
import { testSecret } from '../../helper/service.ts'

type Key = RingKey & TokenKey
type Ring = readonly [Key, ...Key[]]

export function createKey (kid?: string, secret = testSecret()): Key {
  const fingerprint = createHash('sha256').update(secret).digest('base64url').slice(0, 10)
  return { kid: kid ?? fingerprint, fingerprint, algorithm: 'HS256', secret }
}

export interface CountedEngine extends JwtEngine { verified: number }

/** @fastify/jwt with one registration for each key, and a count of the signatures it checked. */
export async function createEngine (ring: Ring): Promise<CountedEngine> {
  const app = Fastify()
  for (const { kid, secret } of ring) {
    await app.register(fastifyJwt, {
      namespace: kid,
      decoratorName: 'latchkeyClaims',
      secret,
      sign: { algorithm: 'HS256', kid, header: { alg: 'HS256', typ: 'at+jwt' } },
      verify: { algorithms: ['HS256'], checkTyp: 'at+jwt', ignoreExpiration: true, ignoreNotBefore: true, cache: false }
    })
  }
  await app.ready()
  const engines = app.jwt as unknown as Record<string, JWT>
  const engine: CountedEngine = {
    verified: 0,
    sign: (kid, claims) => (engines[kid] as JWT).sign(claims),
    verify (kid, text) {
      engine.verified++
      return (engines[kid] as JWT).verify(text)
    }
  }
  return engine
}

export interface TokenKit { tokens: OwnTokens, clock: TestClock, engine: CountedEngine, ring: Ring }

export async function createTokenKit (ring: Ring = [createKey('k1')], options: Partial<AccessTokenOptions> = {}): Promise<TokenKit> {
  const clock = createStillClock()
  const engine = await createEngine(ring)
  const tokens = createAccessTokens({
    engine, keyring: createKeyring(ring), clock, randomBytes, issuer: 'issuer-1', audience: 'audience-1', lifetimeSeconds: 900, fields: [], ...options
  })
  return { tokens, clock, engine, ring }
}

export const someone: PublicUser = Object.freeze({
  id: 'user-1', _id: 'user-1', username: 'ada', email: `ada@${emailMark}`, fullName: 'Ada Lovelace', role: 'user', avatarUrl: null
})

export const base64url = (text: string | Buffer): string => Buffer.from(text).toString('base64url')

/** A segment as it is sent: texts stand as they are, everything else as JSON. */
const segment = (content: unknown): string => base64url(typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content))

/** A token of any header and payload, with an HMAC of the given hash and key. */
export function forge (header: unknown, payload: unknown, secret: string | Buffer, hash = 'sha256'): string {
  const signed = `${segment(header)}.${segment(payload)}`
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`
}

export const partsOf = (text: string): [string, string, string] => text.split('.') as [string, string, string]

export const jsonOf = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>

/** The code of a refusal; undefined if there was none. Anything but a LatchkeyError is a failure of the service. */
export function codeOf (run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return error instanceof LatchkeyError ? error.code : `not ours: ${String(error)}`
  }
  return undefined
}
