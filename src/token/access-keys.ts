// Room `token`: the keys of access tokens, secrets and key pairs in one ring, each with the one algorithm that it may be used
// with. The setting says which kind signs; the other kind verifies what it signed before, so that a change of kind signs
// nobody out (MISSION row 28).
import type { Config } from '../config/config.ts'
import type { PublicJwk } from '../config/signing-keys.ts'
import type { TokenKey } from './access-token.ts'
import { createKeyring, type Keyring } from './keyring.ts'

/** A key as @fastify/jwt takes it: without a private half it verifies only. */
export interface AccessKey extends TokenKey { readonly material: string | { public: string, private?: string } }

/** A JWK Set (RFC 7517 section 5): the public half of each key pair, none where secrets alone are used. */
export interface PublishedKeys { readonly keys: PublicJwk[] }

export interface AccessKeys { readonly keyring: Keyring<AccessKey>, readonly published: PublishedKeys }

export function createAccessKeys ({ accessTokenAlgorithm, rings, signingKeys }: Pick<Config, 'accessTokenAlgorithm' | 'rings' | 'signingKeys'>): AccessKeys {
  const secrets: AccessKey[] = rings.access.map(({ kid, fingerprint, secret }) => ({ kid, fingerprint, algorithm: 'HS256', material: secret }))
  const pairs: AccessKey[] = signingKeys.map(({ kid, fingerprint, publicPem, privatePem }) =>
    ({ kid, fingerprint, algorithm: 'EdDSA', material: { public: publicPem, ...(privatePem !== undefined && { private: privatePem }) } }))
  const ring = accessTokenAlgorithm === 'EdDSA' ? [...pairs, ...secrets] : [...secrets, ...pairs]
  return {
    keyring: createKeyring(ring as [AccessKey, ...AccessKey[]]), // the configuration has a key that signs
    published: { keys: signingKeys.map(({ jwk }) => jwk) }
  }
}
