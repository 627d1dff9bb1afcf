// Room `preference`: which preferences there are and what they may be; how a guest's are written into a cookie and read
// again, where nothing is believed that would not be accepted today.
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Type } from '@sinclair/typebox'
import { LatchkeyError } from '../errors.ts'
import { Preferences } from '../schemas/shapes.ts'

/** Any of them; those that are absent were never chosen. */
export type Chosen = Partial<Preferences>

const check = TypeCompiler.Compile(Type.Partial(Preferences, { additionalProperties: false }))

/**
 * A language tag in its canonical spelling (BCP 47, RFC 5646; `EN-us` -> `en-US`).
 * @returns undefined for a text that is no tag
 */
export function languageTag (text: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(text)[0]
  } catch {
    return undefined
  }
}

/** @throws LatchkeyError `validation_failed` */
export function canonical ({ language, ...others }: Chosen): Chosen {
  if (language === undefined) return others
  const tag = languageTag(language)
  if (tag === undefined) throw new LatchkeyError('validation_failed', { errors: [{ path: '/body/language', message: 'must be a BCP 47 language tag' }] })
  return { ...others, language: tag }
}

/** @returns what is lawful of something that another service wrote; what is not was never chosen */
export function lawfulPart (written: unknown): Chosen {
  if (typeof written !== 'object' || written === null) return {}
  const parts = Object.entries(written).map(([name, value]) => ({ [name]: name === 'language' && typeof value === 'string' ? languageTag(value) : value }))
  return Object.assign({}, ...parts.filter((part) => check.Check(part) && Object.values(part)[0] !== undefined))
}

/** As it stands in the cookie, before its signature. */
export const cookieText = (chosen: Chosen): string => Buffer.from(JSON.stringify(chosen)).toString('base64url')

/** @returns what a cookie says, or nothing at all if any of it is not lawful */
export function chosenIn (text: string | undefined): Chosen {
  if (text === undefined) return {}
  try {
    const chosen: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return check.Check(chosen) && (chosen.language === undefined || languageTag(chosen.language) === chosen.language) ? chosen : {}
  } catch {
    return {}
  }
}
