// Room `config`: the parts of the service that a host may choose from. What is always there (the guard, and the doors of
// operation) is no part. The console is the one part that a setting decides on, where nobody has chosen.
import { ConfigError } from './environment.ts'

/**
 * `auth`: accounts, sessions, profile, pictures, devices. `visits`: browsing sessions of guests and users. `preferences`: theme,
 * notifications, language. `console`: the page for people, which shows what of the others is there.
 */
export const partNames = ['auth', 'visits', 'preferences', 'console'] as const

export type Part = typeof partNames[number]
export type Parts = ReadonlySet<Part>

export const everyPart: Parts = new Set(partNames)

/**
 * @param given the option `parts`: undefined is all of them, an empty list none
 * @throws ConfigError
 */
export function readParts (given: unknown): Parts {
  if (given === undefined) return everyPart
  const isList = Array.isArray(given) && given.every((part) => (partNames as readonly unknown[]).includes(part))
  if (!isList) throw new ConfigError([`parts: expected a list of ${partNames.join(', ')}; without it all are mounted, with an empty list only the guard is`])
  const parts = new Set(given as Part[])
  if (parts.size < given.length) throw new ConfigError(['parts: a part is named twice'])
  if (parts.has('console') && !parts.has('auth')) throw new ConfigError(['parts: the console needs the part `auth`: people sign in there'])
  return parts
}

/**
 * @param given the option `parts`, which decides where it is there
 * @param read of it, by `readParts`
 * @param showsConsole the setting `console`
 */
export const mountedParts = (given: unknown, read: Parts, showsConsole: boolean): Parts =>
  given !== undefined || showsConsole ? read : new Set([...read].filter((part) => part !== 'console'))
