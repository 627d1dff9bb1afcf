// Room `config`: key rings out of settings, and the rules that keep weak ones out (REQUIREMENTS K1).
// Embedded development needs no settings: secrets are made once for a data folder and kept there, readable by the owner only.
import { createHash } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from './environment.ts'

/** One key of a ring. `kid` travels in token headers; a key that was given no name gets a fingerprint for one. */
export interface RingKey { readonly kid: string, readonly fingerprint: string, readonly secret: string }

/** The first key signs, all verify. Never empty. */
export type Ring = readonly [RingKey, ...RingKey[]]

/** `access` is empty where key pairs sign access tokens and no secret verifies any. */
export interface Rings { readonly access: Ring | readonly [], readonly refresh: Ring, readonly session: Ring }

export interface SecretTexts { readonly accessTokenSecret: string | undefined, readonly refreshTokenSecret: string, readonly sessionSecret: string }

const leastBytes = 32
const kidForm = /^[A-Za-z0-9._-]{1,64}$/
// Words of the samples that documents print, this project's own included.
const samples = /change.?me|replace.?me|your.?(jwt|access|refresh|session|super)|example|sample|keyboard.?cat|super.?secret/i

const isShort = (secret: string): boolean => Buffer.byteLength(secret) < leastBytes

/** Whether everybody could know it: printed in documents, or a pattern. */
export const isSample = (secret: string): boolean => samples.test(secret) || isPattern(secret)

/** Few characters, the same ones again and again, or mostly one after the other as in an alphabet. */
function isPattern (secret: string): boolean {
  let steps = 0
  for (let at = 1; at < secret.length; at++) {
    if (at <= secret.length / 2 && secret.startsWith(secret.slice(at))) return true
    if (Math.abs(secret.charCodeAt(at) - secret.charCodeAt(at - 1)) === 1) steps++
  }
  return new Set(secret).size < 8 || steps > secret.length / 2
}

/** Whether a secret would be refused today: somebody may guess it. */
export const isWeakSecret = (secret: string): boolean => isShort(secret) || isSample(secret)

/**
 * @param nameOf how the reader calls a setting: environment variable or option
 * @throws ConfigError naming the setting, never its value
 */
export function readRings (texts: SecretTexts, nameOf: (name: string) => string): Rings {
  const problems: string[] = []
  const ring = (name: keyof SecretTexts, text: string): Ring => {
    const keys = text.split(',').map((entry) => readKey(entry.trim(), nameOf(name), problems))
    if (new Set(keys.map((key) => key.kid)).size < keys.length) problems.push(`${nameOf(name)}: two keys have the same kid`)
    return keys as unknown as Ring
  }
  const { accessTokenSecret, refreshTokenSecret, sessionSecret } = texts
  const rings: Rings = {
    access: accessTokenSecret === undefined ? [] : ring('accessTokenSecret', accessTokenSecret),
    refresh: ring('refreshTokenSecret', refreshTokenSecret),
    session: ring('sessionSecret', sessionSecret)
  }
  const all = [rings.access, rings.refresh, rings.session].flat().map((key) => key.secret)
  if (new Set(all).size < all.length) problems.push(`${['accessTokenSecret', 'refreshTokenSecret', 'sessionSecret'].map(nameOf).join(', ')}: no two keys may be equal`)
  if (problems.length > 0) throw new ConfigError(problems)
  return rings
}

function readKey (entry: string, name: string, problems: string[]): RingKey {
  const at = entry.indexOf(':')
  const secret = entry.slice(at + 1)
  const kid = at < 0 ? undefined : entry.slice(0, at)
  if (kid !== undefined && !kidForm.test(kid)) problems.push(`${name}: a kid has 1 to 64 of A-Z a-z 0-9 . _ -`)
  if (secret.includes(':')) problems.push(`${name}: a secret has no colon`)
  if (isShort(secret)) problems.push(`${name}: a secret needs at least ${leastBytes} bytes; make one with: openssl rand -base64 48`)
  else if (isSample(secret)) problems.push(`${name}: this is a sample or a pattern, not a secret; make one with: openssl rand -base64 48`)
  const fingerprint = createHash('sha256').update('latchkey kid\0').update(secret).digest('base64url').slice(0, 10)
  return Object.freeze({ kid: kid ?? fingerprint, fingerprint, secret })
}

/**
 * The secrets of a data folder, made at the first call; the file appears whole or not at all.
 * @param dataDir folder, created if missing
 * @param randomBytes source of chance
 * @throws ConfigError when the kept file is damaged
 */
export function developmentSecrets (dataDir: string, randomBytes: (size: number) => Buffer): SecretTexts {
  const file = join(dataDir, 'secrets.json')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  if (!existsSync(file)) {
    const fresh = () => randomBytes(48).toString('base64url')
    const made: SecretTexts = { accessTokenSecret: fresh(), refreshTokenSecret: fresh(), sessionSecret: fresh() }
    const draft = `${file}.${randomBytes(6).toString('hex')}`
    writeFileSync(draft, JSON.stringify(made, null, 2) + '\n', { flag: 'wx', mode: 0o600 })
    try {
      linkSync(draft, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // another start was first: its secrets count
    } finally {
      unlinkSync(draft)
    }
  }
  return readKept(file)
}

function readKept (file: string): SecretTexts {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as SecretTexts
    if ([kept.accessTokenSecret, kept.refreshTokenSecret, kept.sessionSecret].every((text) => typeof text === 'string')) return kept
  } catch { /* told below */ }
  throw new ConfigError([`${file} is damaged; remove it to have new secrets made (this signs everybody out)`])
}
