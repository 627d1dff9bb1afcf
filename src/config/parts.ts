// Room `config`: the parts of the service that a host may choose from. What is always there (the guard, and the doors of
// operation) is no part.
import { ConfigError } from './environment.ts'

/**
 * `auth`: accounts, sessions, profile, pictures, devices. `visits`: browsing sessions of guests and users. `preferences`: theme,
 * notifications, language.
 */
export const partNames = ['auth', 'visits', 'preferences'] as const

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
  if (new Set(given).size < given.length) throw new ConfigError(['parts: a part is named twice'])
  return new Set(given as Part[])
}
