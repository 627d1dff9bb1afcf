// Room `token`: the token of an Authorization header, RFC 6750 section 2.1: one scheme, in any case, one space, one token.
import { LatchkeyError } from '../errors.ts'

const form = /^bearer +([^\s,]+)$/i

/**
 * @param header value of the Authorization header
 * @throws LatchkeyError `token_invalid` for another scheme, no token or several: a bad one is not skipped
 */
export function bearerText (header: string): string {
  // the usual spelling needs no regular expression; what follows it is compared or verified as a whole anyway
  if (header.startsWith('Bearer ') && header[7] !== ' ') return header.slice(7)
  const token = form.exec(header)?.[1]
  if (token === undefined) throw new LatchkeyError('token_invalid')
  return token
}
