// Room `cache`: how a copy is written in the shared tier: `readAt|endsAt|expiresAt|value`. The first number is what the
// tier's script compares, so that an older reading never replaces a later one.

/** Times in milliseconds since the epoch. */
export interface WrittenCopy<V> {
  /** When the truth was read. */
  readonly readAt: number
  /** Until when the copy may answer. */
  readonly endsAt: number
  /** End of what the value describes. */
  readonly expiresAt: number
  readonly value: V
}

/** Values as text and back; `decode` gives undefined for a text that is no value. */
export interface Codec<V> { encode: (value: V) => string, decode: (text: string) => V | undefined }

export const writeCopy = <V>({ readAt, endsAt, expiresAt, value }: WrittenCopy<V>, { encode }: Codec<V>): string =>
  `${readAt}|${endsAt}|${expiresAt}|${encode(value)}`

const form = /^(\d{1,16})\|(\d{1,16})\|(\d{1,16})\|/

/** @returns undefined for a text that somebody else wrote, or another version of this service */
export function readCopy<V> (text: string, { decode }: Codec<V>): WrittenCopy<V> | undefined {
  const [head, readAt, endsAt, expiresAt] = form.exec(text) ?? []
  if (head === undefined) return undefined
  const value = decode(text.slice(head.length))
  return value === undefined ? undefined : { readAt: Number(readAt), endsAt: Number(endsAt), expiresAt: Number(expiresAt), value }
}
