// Room `token`: finds the key of a token. A ring answers to a key's kid and to its fingerprint, so that a secret which
// had no name can be given one, and moved down the ring, without signing anybody out (MISSION row 28).
import type { RingKey } from '../config/secrets.ts'

type Named = Pick<RingKey, 'kid' | 'fingerprint'>

export interface Keyring<K extends Named = RingKey> {
  /** The key that signs. */
  readonly signer: K
  /** Every key, the signer first. */
  readonly keys: readonly K[]
  /** The key of that kid, from this fixed table only (RFC 8725 section 3.10). */
  find: (kid: string) => K | undefined
}

export function createKeyring<K extends Named> (ring: readonly [K, ...K[]]): Keyring<K> {
  const table = new Map<string, K>()
  for (const key of ring) table.set(key.fingerprint, key)
  for (const key of ring) table.set(key.kid, key)
  return { signer: ring[0], keys: ring, find: (kid) => table.get(kid) }
}
