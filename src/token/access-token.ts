// Room `token`: access tokens, text <-> claims. One algorithm pinned to each key, a fixed `typ`, and claims whose types are
// checked after the signature (RFC 8725). Garbage dies here, before any store is asked. Times are judged by the injected clock,
// so the JWT library is told to leave them alone.
import { Type, type Static } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { Clock } from '../clock.ts'
import type { ClaimField } from '../config/config.ts'
import { LatchkeyError } from '../errors.ts'
import type { PublicUser } from '../schemas/shapes.ts'
import type { Keyring } from './keyring.ts'

/** How a key signs; it verifies nothing that says another. */
export type TokenAlgorithm = 'HS256' | 'EdDSA'

/** What is asked of a key here: the rest of it is the engine's. */
export interface TokenKey { readonly kid: string, readonly fingerprint: string, readonly algorithm: TokenAlgorithm }

/** Signs and verifies with the one algorithm of each key; what @fastify/jwt is to this room. */
export interface JwtEngine {
  sign: (kid: string, claims: object) => string
  /** @throws whatever the library throws when the signature does not fit */
  verify: (kid: string, text: string) => unknown
}

const wholeSeconds = Type.Integer({ minimum: 0, maximum: 100_000_000_000 })
const Claims = Type.Object({
  sub: Type.String({ minLength: 1, maxLength: 128 }),
  sid: Type.String({ minLength: 1, maxLength: 128 }),
  jti: Type.String({ minLength: 1, maxLength: 128 }),
  iss: Type.String(),
  aud: Type.String(),
  role: Type.String(),
  iat: wholeSeconds,
  exp: wholeSeconds,
  nbf: Type.Optional(wholeSeconds)
})
/** What a token says, RFC 7519 names; times in seconds since the epoch. */
export type Claims = Static<typeof Claims>
const claimsCheck = TypeCompiler.Compile(Claims)

const Header = Type.Object({
  alg: Type.String({ maxLength: 16 }),
  typ: Type.Literal('at+jwt'),
  kid: Type.String({ minLength: 1, maxLength: 64 })
})
const headerCheck = TypeCompiler.Compile(Header)

/** Header members that change how a token is to be read; none is understood, so none is let through (RFC 7515 4.1.11). */
const refusedMembers = ['crit', 'b64', 'zip']

const form = /^[A-Za-z0-9_-]{1,512}\.[A-Za-z0-9_-]{1,4096}\.[A-Za-z0-9_-]{1,512}$/

/** What is believed of a token: its user, its session, and its end in seconds since the epoch (Infinity if it says none). */
export type Believed = Pick<Claims, 'sub' | 'sid' | 'exp'>

export interface AccessTokens {
  /** @param notAfter end of the session, milliseconds since the epoch: no token outlives it */
  issue: (user: Readonly<PublicUser>, sid: string, notAfter: number) => { text: string, expiresInSeconds: number }
  /**
   * @param options.expired also take a token whose time is over (for logout: it still proves whose session it was)
   * @throws LatchkeyError `token_invalid` or `token_expired`
   */
  read: (text: string, options?: { expired?: boolean }) => Believed
}

/**
 * What a host adds to the claims of a user's access tokens. The service's own claims stand above it. What it throws fails the
 * request (`internal_error`) before a token is issued.
 */
export type ClaimsOf = (user: Readonly<PublicUser>) => Record<string, unknown>

/** Bytes that claims may take as JSON: a token has to fit into headers and cookies. */
const mostClaimBytes = 2048

/** Access tokens that this service issued, of which every claim is known. */
export interface OwnTokens extends AccessTokens {
  read: (text: string, options?: { expired?: boolean }) => Claims
}

export interface AccessTokenOptions {
  engine: JwtEngine
  keyring: Keyring<TokenKey>
  clock: Clock
  randomBytes: (size: number) => Buffer
  issuer: string
  audience: string
  lifetimeSeconds: number
  /** Account fields that are added to the claims. */
  fields: readonly ClaimField[]
  /** What a host adds. */
  claimsOf?: ClaimsOf | undefined
}

export function createAccessTokens (options: AccessTokenOptions): OwnTokens {
  const { engine, keyring, clock, randomBytes, issuer, audience, lifetimeSeconds, fields, claimsOf } = options
  const invalid = (cause?: unknown) => new LatchkeyError('token_invalid', { cause })

  function kidOf (text: string): string {
    const header = headerIn(text)
    if (!headerCheck.Check(header)) throw invalid()
    const key = keyring.find(header.kid)
    if (key === undefined || header.alg !== key.algorithm) throw invalid() // RFC 8725 section 3.1
    return key.kid
  }

  function verified (kid: string, text: string): unknown {
    try {
      return engine.verify(kid, text)
    } catch (error) {
      throw invalid(error) // every FAST_JWT_* and FST_JWT_* error; some of them carry no status and would be a 500
    }
  }

  return {
    issue (user, sid, notAfter) {
      const iat = Math.floor(clock.wall() / 1000)
      const exp = Math.min(iat + lifetimeSeconds, Math.floor(notAfter / 1000))
      const extra = Object.fromEntries(fields.map((field) => [field, user[field]]))
      const claims = { ...claimsOf?.(user), ...extra, sub: user.id, sid, jti: randomBytes(16).toString('base64url'), iat, exp, iss: issuer, aud: audience, role: user.role }
      if (claimsOf !== undefined && Buffer.byteLength(JSON.stringify(claims)) > mostClaimBytes) throw new Error(`the claims of a token take more than ${mostClaimBytes} bytes`)
      return { text: engine.sign(keyring.signer.kid, claims), expiresInSeconds: Math.max(0, exp - iat) }
    },
    read (text, { expired = false } = {}) {
      const claims = verified(kidOf(text), text)
      if (!claimsCheck.Check(claims) || claims.iss !== issuer || claims.aud !== audience) throw invalid()
      const now = clock.wall()
      if (claims.nbf !== undefined && claims.nbf * 1000 > now) throw invalid()
      if (claims.exp * 1000 <= now && !expired) throw new LatchkeyError('token_expired')
      return claims
    }
  }
}

/** @returns the header of a text that has the form of a token; undefined for any other, and for one with an extension */
export function headerIn (text: string): object | undefined {
  if (!form.test(text)) return undefined
  const signature = text.slice(text.lastIndexOf('.') + 1)
  // one text per token: the last character of base64url has spare bits
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return undefined
  const header = parseSegment(text.slice(0, text.indexOf('.')))
  if (typeof header !== 'object' || header === null || refusedMembers.some((member) => member in header)) return undefined
  return header
}

/** @returns the JSON in a segment of a token; undefined if there is none */
export function parseSegment (segment: string): unknown {
  try {
    return JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
