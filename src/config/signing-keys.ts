// Room `config`: key pairs for access tokens, out of a PEM file. A pair's name is its thumbprint, so nobody has to invent one
// and the same key has the same name everywhere (RFC 7638; RFC 8037 for Ed25519).
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError } from './environment.ts'

/** The public half of a key pair, as other services read it (RFC 7517). */
export interface PublicJwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly kid: string
  readonly alg: 'EdDSA'
  readonly use: 'sig'
}

/** A key pair, or the public half of one whose private half is elsewhere: it verifies only. */
export interface SigningKey {
  readonly kid: string
  readonly fingerprint: string
  readonly privatePem: string | undefined
  readonly publicPem: string
  readonly jwk: PublicJwk
}

const block = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g
const howToMake = 'make one with: openssl genpkey -algorithm ed25519 -out access-keys.pem'

/**
 * @param pathOrText path of a PEM file, or its text
 * @param name how the reader calls the setting
 * @returns every key, those that can sign first, else in the order of the file
 * @throws ConfigError naming the setting, never a key
 */
export function readSigningKeys (pathOrText: string, name: string): readonly SigningKey[] {
  const problems: string[] = []
  const keys = [...textOf(pathOrText, name).matchAll(block)].flatMap(([pem, label]) => readPem(pem, label as string, name, problems) ?? [])
  if (keys.length === 0 && problems.length === 0) problems.push(`${name}: there is no PEM key in it; ${howToMake}`)
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) problems.push(`${name}: a key is there twice`)
  if (problems.length > 0) throw new ConfigError(problems)
  return [...keys.filter(({ privatePem }) => privatePem !== undefined), ...keys.filter(({ privatePem }) => privatePem === undefined)]
}

function textOf (pathOrText: string, name: string): string {
  if (pathOrText.includes('-----BEGIN ')) return pathOrText
  try {
    return readFileSync(pathOrText, 'utf8')
  } catch (error) {
    throw new ConfigError([`${name}: the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}); ${howToMake}`])
  }
}

function readPem (pem: string, label: string, name: string, problems: string[]): SigningKey | undefined {
  if (label !== 'PRIVATE KEY' && label !== 'PUBLIC KEY') {
    problems.push(`${name}: a block of kind ${label} is no key that is taken here (PRIVATE KEY without a pass phrase, or PUBLIC KEY); ${howToMake}`)
    return undefined
  }
  const isPrivate = label === 'PRIVATE KEY'
  const key = keyIn(pem, isPrivate)
  if (key?.asymmetricKeyType !== 'ed25519') {
    problems.push(`${name}: a key is ${key === undefined ? 'damaged' : `of kind ${String(key.asymmetricKeyType)}`}, only Ed25519 is taken; ${howToMake}`)
    return undefined
  }
  const half = isPrivate ? createPublicKey(key) : key
  const { x } = half.export({ format: 'jwk' }) as { x: string }
  const kid = createHash('sha256').update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x })).digest('base64url')
  return {
    kid,
    fingerprint: kid,
    privatePem: isPrivate ? key.export({ format: 'pem', type: 'pkcs8' }) as string : undefined,
    publicPem: half.export({ format: 'pem', type: 'spki' }) as string,
    jwk: { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' }
  }
}

function keyIn (pem: string, isPrivate: boolean): KeyObject | undefined {
  try {
    return isPrivate ? createPrivateKey(pem) : createPublicKey(pem)
  } catch {
    return undefined
  }
}
