// Room `import`: the objects of a JSON text, one by one, while it is being read: an array of them, one on each line, or one
// after the other in any layout, as mongoexport writes them. Only one object is held at a time.
import { ImportError } from './import-error.ts'

/** MongoDB's documents have 16 MiB at most; as Extended JSON they can take a few times that. */
const mostBytes = 64 * 1024 * 1024

const [quote, backslash, open, close] = Buffer.from('"\\{}') as unknown as [number, number, number, number]

/** What may stand between two objects: an array's own marks, white space, and the mark that some editors put in front. */
const between = new Set([...Buffer.from('[], \t\r\n'), 0xef, 0xbb, 0xbf])

/**
 * @param chunks the text in UTF-8, cut anywhere
 * @returns the text of each object at the top; whether it is JSON inside is for the reader to see
 * @throws ImportError for a text that holds something else, or ends within an object
 */
export async function * objectsIn (chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let held = 0
  let depth = 0
  let inText = false
  let isEscaped = false
  for await (const chunk of chunks) {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (inText) {
        if (isEscaped) isEscaped = false
        else if (byte === backslash) isEscaped = true
        else if (byte === quote) inText = false
      } else if (byte === open) {
        if (depth++ === 0) from = at
      } else if (depth === 0) {
        if (!between.has(byte)) throw new ImportError('it is not JSON: expected an array of documents, or one document on each line, as mongoexport writes them')
      } else if (byte === quote) inText = true
      else if (byte === close && --depth === 0) {
        yield Buffer.concat([...parts, chunk.subarray(from, at + 1)]).toString('utf8')
        parts = []
        held = 0
      }
    }
    if (depth === 0) continue
    parts.push(chunk.subarray(from))
    held += chunk.length - from
    if (held > mostBytes) throw new ImportError('it has a document of more than 64 MiB')
  }
  if (depth > 0) throw new ImportError('it ends in the middle of a document: the export was cut off')
}
