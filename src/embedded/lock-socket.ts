// Room `embedded`: a socket in the folder that says whether the holder of its lock lives, to whom the holder's pid says
// nothing: another container on the same volume has pids of its own. The kernel answers for the holder, so one that is
// busy or paused lives and one that was killed does not. Each holder has a name of its own, which never comes back.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

export interface LockSocket { name: string, close: () => void }

const nameShape = /^latchkey\.holder-[0-9a-f]{16}\.lock$/

/**
 * @param dir folder, which must exist, on a system that has /proc
 * @returns a socket that accepts from now on until `close`, which also removes it; it keeps no process alive.
 * `undefined` on a file system that has no sockets: there the pid alone must tell
 */
export async function openLockSocket (dir: string): Promise<LockSocket | undefined> {
  const name = `latchkey.holder-${randomBytes(8).toString('hex')}.lock`
  const server = createServer((connection) => { connection.destroy() }).unref()
  try { // exclusive: a worker of node:cluster would have the primary bind it, whose descriptors are others
    await inFolder(dir, (folder) => once(server.listen({ path: `${folder}/${name}`, exclusive: true }), 'listening'))
  } catch {
    removeLockSocket(dir, name)
    return undefined
  }
  server.on('error', () => {}) // of a connection that could not be accepted: who asked has the answer already
  return {
    name,
    close () {
      server.close()
      removeLockSocket(dir, name)
    }
  }
}

/** @returns whether somebody listens, or may: only the kernel's word that nobody does is a no */
export async function isAnswered (dir: string, name: string): Promise<boolean> {
  try {
    await inFolder(dir, async (folder) => {
      const connection = connect(`${folder}/${name}`)
      await once(connection, 'connect').finally(() => { connection.destroy() })
    })
    return true
  } catch (error) {
    return !['ECONNREFUSED', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')
  }
}

/** Whether this, read in a lock, can name a socket: it is going to be removed, so it must be no other file's name. */
export const isSocketName = (name: unknown): name is string => typeof name === 'string' && nameShape.test(name)

/** Removes a socket of a holder that is dead or lets go. */
export const removeLockSocket = (dir: string, name: string): void => { rmSync(join(dir, name), { force: true }) }

// The path of a socket has at most 107 bytes and that of a folder more, so the folder is reached by its descriptor.
async function inFolder<T> (dir: string, step: (folder: string) => Promise<T>): Promise<T> {
  const folder = openSync(dir, 'r')
  try {
    return await step(`/proc/self/fd/${folder}`)
  } finally {
    closeSync(folder)
  }
}
