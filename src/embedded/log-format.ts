// Room `embedded`: the file of a collection. JSON lines: first a header with the version; then `["<crc32>",<payload>]`,
// one per change; and `[]`, which says that everything above it had reached the disk. What is damaged after the last `[]`
// was being written when the process or the power went, so nobody was promised it; damage above it is a broken file.
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { cannotOpen } from './store-error.ts'
import { decode } from './value-codec.ts'

const version = 1
export const header = `{"latchkey":"documents","version":${version}}\n`
export const durableMark = '[]\n'

const sum = (payload: string | Uint8Array): string => crc32(payload).toString(16).padStart(8, '0')

/** @param payload text from the value codec */
export const lineOf = (payload: string): string => `["${sum(payload)}",${payload}]\n`

/** What was read: bytes up to the first damage or the end, the number of payloads in them, whether there was damage. */
export interface LogContent { length: number, lines: number, torn: boolean }

const chunkBytes = 1 << 20
const newline = 10

/**
 * Reads a whole log.
 * @param path for messages
 * @param take gets each payload's value, in the order of writing
 * @throws Error `EUNREADABLE` if the file is no log, is of a later version, or is damaged where it had been durable; it names the
 * file and the byte, never what is there
 */
export async function readLog (handle: FileHandle, path: string, take: (value: unknown) => void): Promise<LogContent> {
  let damagedAt: number | undefined
  let lines = 0

  function takeLine (line: Buffer, at: number): void {
    if (at === 0) return checkHeader(line, path)
    if (line.length === 2 && line.toString('latin1') === '[]') {
      if (damagedAt !== undefined) throw cannotOpen('EUNREADABLE', `${path} is damaged at byte ${damagedAt}, which had been written safely. Restore the file from a backup, or move it away to start without it.`)
      return
    }
    if (damagedAt !== undefined) return
    const value = valueOf(line)
    if (value === undefined) {
      damagedAt = at
      return
    }
    take(value)
    lines += 1
  }

  let at = 0
  let rest: Buffer = Buffer.alloc(0)
  const chunk = Buffer.alloc(chunkBytes)
  for (;;) {
    const { bytesRead } = await handle.read(chunk, 0, chunkBytes, at + rest.length)
    if (bytesRead === 0) break
    const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
    let from = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, from)) {
      takeLine(bytes.subarray(from, end), at + from)
      from = end + 1
    }
    at += from
    rest = bytes.subarray(from)
  }
  if (at === 0) checkHeader(rest, path)
  if (rest.length > 0) damagedAt ??= at
  return { length: damagedAt ?? at, lines, torn: damagedAt !== undefined }
}

// `["0123abcd",` before the payload and `]` behind it.
const before = 12

function valueOf (line: Buffer): unknown {
  const payload = line.subarray(before, -1)
  if (line.length <= before || line.toString('latin1', 0, before) !== `["${sum(payload)}",` || line.at(-1) !== 93) return undefined
  try {
    return decode(payload.toString('utf8'))
  } catch {
    return undefined
  }
}

function checkHeader (line: Buffer, path: string): void {
  if (`${line.toString('utf8')}\n` === header) return
  const found = /^\{"latchkey":"documents","version":(\d+)/.exec(line.toString('utf8', 0, 100))?.[1]
  if (found === undefined) throw cannotOpen('EUNREADABLE', `${path} is not a file of Latchkey's document store, or is damaged at byte 0.`)
  throw cannotOpen('EUNREADABLE', `${path} has version ${found} of the file format; this release reads version ${version}.`)
}
