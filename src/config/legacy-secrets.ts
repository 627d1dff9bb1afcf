// Room `config`: what may have signed the tokens of the service that was before. Its rules were not ours and it cannot be
// asked to change them, so a weak secret is taken and said loudly; an empty one would verify what anybody signs.
import { ConfigError } from './environment.ts'
import { isWeakSecret, type Rings } from './secrets.ts'
import type { Settings } from './settings-schema.ts'

/**
 * @param nameOf how the reader calls a setting: environment variable or option
 * @returns the secrets to try, none if no such token is admitted
 * @throws ConfigError naming the setting, never its value
 */
export function readLegacySecrets ({ legacyTokens, legacyTokenSecret }: Settings, { access }: Rings, nameOf: (name: string) => string): string[] {
  if (!legacyTokens) return []
  if (legacyTokenSecret === undefined) return access.map(({ secret }) => secret)
  const secrets = legacyTokenSecret.split(/(?<!\\),/).map((secret) => secret.trim().replaceAll('\\,', ','))
  if (secrets.includes('')) throw new ConfigError([`${nameOf('legacyTokenSecret')}: between two commas there is no secret`])
  return [...new Set(secrets)]
}

/** Lines for the start. */
export function warningsOfLegacy (secrets: readonly string[], nameOf: (name: string) => string): string[] {
  if (!secrets.some(isWeakSecret)) return []
  return [`${nameOf('legacyTokenSecret')} is short or a known sample: whoever guesses it, and when somebody signed in, can copy that token. Switch ${nameOf('legacyTokens')} off as soon as the old tokens have run out.`]
}
