// Room `embedded`: what the store asks of the file system, as a port, so that a test can hand over a disk that fails.
import { open, rename, rm, type FileHandle } from 'node:fs/promises'

export interface Disk {
  open: (path: string, flags: string, mode?: number) => Promise<FileHandle>
  rename: (from: string, to: string) => Promise<void>
  /** Removes a file; nothing happens if there is none. */
  remove: (path: string) => Promise<void>
  /** Makes the names in a folder (new, renamed, removed) survive a loss of power. */
  syncFolder: (path: string) => Promise<void>
}

export const systemDisk: Disk = Object.freeze({
  open,
  rename,
  remove: (path: string) => rm(path, { force: true }),
  async syncFolder (path: string) {
    if (process.platform === 'win32') return // has no such call and needs none
    const folder = await open(path, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }
})

/** Writes all of `bytes` at `position`: one call may take less than it is given, for instance when the disk is almost full. */
export async function writeFully (handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
