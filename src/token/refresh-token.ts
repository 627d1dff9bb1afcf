// Room `token`: refresh tokens, opaque to the client: `rt1.<sid>.<generation>.<mac>` (DESIGN 5). Nothing is stored that
// could be replayed: the mac is computed from the session and the generation, so a retry gets the same successor and
// a thief of the database gets nothing. It is checked before any I/O.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Keyring } from './keyring.ts'

/** The session and the place in its chain that a refresh token stands for. */
export interface RefreshClaim { readonly sid: string, readonly generation: number }

export interface RefreshTokens {
  derive: (claim: RefreshClaim) => string
  /** @returns undefined for a text that this service did not issue */
  parse: (text: string) => RefreshClaim | undefined
}

const form = /^rt1\.([A-Za-z0-9_-]{16,64})\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})$/

export function createRefreshTokens (keyring: Keyring): RefreshTokens {
  const keys = keyring.keys.map(({ secret }) => Buffer.from(hkdfSync('sha256', secret, '', 'rt1', 32)))
  const mac = (key: Buffer, sid: string, generation: number): string =>
    createHmac('sha256', key).update(`${sid}.${generation}`).digest('base64url')

  return {
    derive: ({ sid, generation }) => `rt1.${sid}.${generation}.${mac(keys[0] as Buffer, sid, generation)}`,
    parse (text) {
      const [, sid, digits, given] = form.exec(text) ?? []
      if (sid === undefined || given === undefined) return undefined
      const generation = Number(digits)
      const known = keys.some((key) => timingSafeEqual(Buffer.from(mac(key, sid, generation)), Buffer.from(given)))
      return known ? { sid, generation } : undefined
    }
  }
}
