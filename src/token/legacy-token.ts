// Room `token`: access tokens of the service that was before. They name no session; the hash of their text does, which is
// the sid that the import gave to the old session. So a signature alone admits nobody: the session decides, as for any
// token. They are told from ours by their header (no `kid`, `typ` JWT or none) and a text is only ever judged as one kind.
import { Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { LatchkeyError } from '../errors.ts'
import { headerIn, parseSegment, type AccessTokens } from './access-token.ts'

/** What an old token says, as far as it is believed; times in seconds since the epoch. */
export interface LegacyClaims {
  readonly userId: string
  readonly iat: number | undefined
  readonly exp: number | undefined
  readonly nbf: number | undefined
}

/** The sid of an old token's session: SHA-256 of its text in base64url, 43 characters. */
export const legacySid = (text: string): string => createHash('sha256').update(text).digest('base64url')

const isLegacyHeader = TypeCompiler.Compile(Type.Object({
  alg: Type.Literal('HS256'),
  typ: Type.Optional(Type.Literal('JWT')),
  kid: Type.Optional(Type.Never())
}))

// some wrote `Date.now() / 1000 + 3600`: a fraction is lawful (RFC 7519 section 2), milliseconds are not
const time = Type.Optional(Type.Number({ minimum: 0, maximum: 100_000_000_000 }))
const timesCheck = TypeCompiler.Compile(Type.Object({ iat: time, exp: time, nbf: time }))

/** Where services put the id of the user, in this order; at the top of the payload or in its `user`. */
const userClaims = ['sub', 'userId', 'id', '_id']

/** @returns undefined for a payload that is no object, has a time of another type, or names no user by a text */
export function legacyClaims (payload: unknown): LegacyClaims | undefined {
  if (!timesCheck.Check(payload)) return undefined
  const { iat, exp, nbf } = payload
  const userId = userIdIn(payload) ?? userIdIn((payload as { user?: unknown }).user)
  return typeof userId === 'string' && userId.length > 0 && userId.length <= 128 ? { userId, iat, exp, nbf } : undefined
}

/** The first that is there decides, whatever it is: a second guess could be somebody else. */
function userIdIn (holder: unknown): unknown {
  if (typeof holder !== 'object' || holder === null) return undefined
  const name = userClaims.find((claim) => Object.hasOwn(holder, claim))
  return name === undefined ? undefined : (holder as Record<string, unknown>)[name]
}

const isLegacy = (text: string): boolean => isLegacyHeader.Check(headerIn(text))

/** @returns what an old token claims, its signature unseen; undefined for a text that would not be admitted as one */
export const unverifiedClaims = (text: string): LegacyClaims | undefined =>
  isLegacy(text) ? legacyClaims(parseSegment(text.split('.')[1] as string)) : undefined

export interface LegacyTokenOptions {
  own: AccessTokens
  /** Checks the signature, HS256 only. @returns the payload. @throws whatever the library throws when no secret fits */
  verify: (text: string) => unknown
  clock: Clock
}

/** Access tokens of both kinds. Ours are asked first and cost what they cost alone. */
export function admitLegacyTokens ({ own, verify, clock }: LegacyTokenOptions): AccessTokens {
  const invalid = (cause?: unknown) => new LatchkeyError('token_invalid', { cause })

  function verified (text: string): unknown {
    try {
      return verify(text)
    } catch (error) {
      throw invalid(error)
    }
  }

  return {
    issue: own.issue,
    read (text, { expired = false } = {}) {
      try {
        return own.read(text, { expired })
      } catch (error) {
        if (!isLegacy(text)) throw error
      }
      const claims = legacyClaims(verified(text))
      if (claims === undefined) throw invalid()
      const { userId, exp = Infinity, nbf = 0 } = claims
      const now = clock.wall()
      if (nbf * 1000 > now) throw invalid()
      if (exp * 1000 <= now && !expired) throw new LatchkeyError('token_expired')
      return { sub: userId, sid: legacySid(text), exp }
    }
  }
}
