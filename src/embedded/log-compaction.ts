// Room `embedded`: a log's file begun anew: with nothing in it, or with what the collection holds now instead of how it
// came to hold it. The new file is complete and synced before it takes the old one's name, so a crash at any step leaves
// one good file, and perhaps a `.tmp` that the next start removes.
import type { FileHandle } from 'node:fs/promises'
import { writeFully, type Disk } from './disk.ts'
import { durableMark, header, lineOf } from './log-format.ts'

const temporaryOf = (path: string): string => `${path}.tmp`

const fileMode = 0o600
const chunkBytes = 1 << 18

/** A log's open file and its length in bytes. */
export interface LogFile { handle: FileHandle, length: number }

/** An empty log under its name, which still has to be made durable by syncing the folder. */
export async function startLog ({ disk, path }: { disk: Disk, path: string }): Promise<LogFile> {
  const bytes = Buffer.from(header)
  return await withTemporary(disk, path, async (handle) => {
    await writeFully(handle, bytes, 0)
    await handle.sync()
    await disk.rename(temporaryOf(path), path)
    return { handle, length: bytes.length }
  })
}

export interface Rewrite {
  disk: Disk
  path: string
  payloads: Iterable<string>
  /** False once the payloads may show something that never became durable, or nobody wants the file any more. */
  isCurrent: () => boolean
  /** Calls `finish` at a moment when nothing is being written, with the old file and the range of bytes added since the payloads were fixed. */
  swap: (finish: (old: FileHandle, from: number, to: number) => Promise<LogFile>) => Promise<void>
}

/**
 * Writes the payloads into a new file, a piece at a time so that the process stays responsive, adds what was logged
 * meanwhile, and puts it in the old file's place. Later lines win, so lines that both parts hold do no harm.
 * @throws Error of the disk, or because the rewrite is out of date; then the old file is untouched
 */
export async function rewriteLog ({ disk, path, payloads, isCurrent, swap }: Rewrite): Promise<void> {
  await withTemporary(disk, path, async (handle) => {
    let length = 0
    async function add (bytes: Uint8Array): Promise<void> {
      if (!isCurrent()) throw new Error('given up: a write failed meanwhile')
      await writeFully(handle, bytes, length)
      length += bytes.length
    }

    let text = header
    for (const payload of payloads) {
      text += lineOf(payload)
      if (text.length < chunkBytes) continue
      await add(Buffer.from(text))
      text = ''
    }
    await add(Buffer.from(text))
    await handle.datasync() // the bulk of it while others still write
    await swap(async (old, from, to) => {
      const chunk = Buffer.alloc(chunkBytes)
      for (let at = from; at < to;) {
        const { bytesRead } = await old.read(chunk, 0, Math.min(chunkBytes, to - at), at)
        await add(chunk.subarray(0, bytesRead))
        at += bytesRead
      }
      await add(Buffer.from(durableMark))
      await handle.sync()
      await disk.rename(temporaryOf(path), path)
      return { handle, length }
    })
  })
}

async function withTemporary<T> (disk: Disk, path: string, fill: (handle: FileHandle) => Promise<T>): Promise<T> {
  const temporary = temporaryOf(path)
  const handle = await disk.open(temporary, 'w+', fileMode)
  try {
    return await fill(handle)
  } catch (error) {
    await handle.close()
    await disk.remove(temporary).catch(() => {}) // the next start removes it
    throw error
  }
}
