// Room `embedded`: what the log says about a document: the document as it now is, or that it is gone. So a log is read
// by taking the last word on each id, and a line that appears twice does no harm.
import type { Change, DocumentSet } from './document-set.ts'
import { badRequest } from './store-error.ts'
import { encode, type Doc, type StoredDoc } from './value-codec.ts'

// MongoDB's own limit; here of the text on disk.
const maxCharacters = 16 << 20

/**
 * @returns the text for the log
 * @throws StoreError 52 for a field starting with `$` (which the text below could not be told from), 10334 above 16 MiB
 */
export function payloadOf ({ before, after }: Change): string {
  if (after === undefined) return `{"$delete":${JSON.stringify(before?._id)}}`
  if (Object.keys(after).some((field) => field.startsWith('$'))) throw badRequest('a field of a document may not start with $', 52)
  const text = encode(after)
  if (text.length > maxCharacters) throw badRequest('a document may not be larger than 16 MiB', 10334)
  return text
}

export const documentPayload = (doc: StoredDoc): string => payloadOf({ after: doc })

/** @param value a payload's value, from the log. Makes `set` say the same. */
export function replay (set: DocumentSet, value: unknown): void {
  const { $delete: id } = value as { $delete?: string }
  const after = id === undefined ? value as StoredDoc : undefined
  const before = set.get(id ?? (value as Doc)['_id'] as string)
  if (before || after) set.apply([{ before, after }])
}
