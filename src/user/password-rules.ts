// Room `user`: which passwords are taken. Length and a list of common ones count, composition does not
// (NIST SP 800-63B-4 section 3.1.1.2, OWASP ASVS 5.0 6.2). A refusal never repeats the password.
import { dictionary } from '@zxcvbn-ts/language-common'
import { LatchkeyError } from '../errors.ts'

/** Bytes that bcrypt reads; what comes behind them would count for nothing. */
export const mostPasswordBytes = 72

const common = new Set(dictionary['passwords-common'])

/** The one form in which a password is hashed, so that it does not matter how a keyboard composes `é`. */
export const canonicalPassword = (password: string): string => password.normalize('NFC')

/** NUL would end a password in some implementations; half a surrogate pair has no UTF-8, so all of them would be one. */
const unreadable = /\0|\p{Surrogate}/u

/** Whether bcrypt would read all of it. */
export const isHashable = (password: string): boolean => Buffer.byteLength(password) <= mostPasswordBytes && !unreadable.test(password)

/**
 * @param password in canonical form
 * @param known what is known of the account: address, username, full name
 * @param path JSON pointer to the password in the request
 * @throws LatchkeyError `password_too_short`, `password_too_long`, `password_common` or `validation_failed`
 */
export function checkNewPassword (password: string, known: readonly string[], minLength: number, path = '/body/password'): void {
  if ([...password].length < minLength) throw new LatchkeyError('password_too_short', { detail: `The password needs at least ${minLength} characters.` })
  if (Buffer.byteLength(password) > mostPasswordBytes) throw new LatchkeyError('password_too_long')
  if (unreadable.test(password)) throw new LatchkeyError('validation_failed', { errors: [{ path, message: 'must not contain a NUL character or half a surrogate pair' }] })
  if (isGuessable(password, known)) throw new LatchkeyError('password_common')
}

function isGuessable (password: string, known: readonly string[]): boolean {
  const lower = password.toLowerCase()
  if (common.has(lower)) return true
  const names = ['latchkey', ...known.flatMap((name) => [name, name.split('@')[0] as string])].map((name) => name.toLowerCase())
  return names.includes(lower) || names.map(core).includes(core(lower))
}

/** A word without what people put around it to please a rule: `Ada-2024!` is still `ada`. */
const core = (word: string): string => word.replace(/[^\p{L}]+$/u, '').replace(/^[^\p{L}]+/u, '') || word
