// Room `embedded`: one process to a folder. The lock is a file that names its holder by pid, start time and boot, so a
// lock left by kill -9 is known at once, also when its pid has been given to somebody else (pid 1 of a container), and
// by its pid namespace and a socket (lock-socket.ts), which answers for it where its pid is nobody's or somebody else's.
// It appears whole, by link(2), and only its holder removes it; or, if the holder is dead, its heir, of whom there is
// one: the starter that made the claim named after the dead. A living process's lock is never touched: on one machine,
// that is. A holder on another host (of a network file system) looks like one from before a reboot, and loses it.
import { createHash } from 'node:crypto'
import { linkSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAnswered, isSocketName, openLockSocket, removeLockSocket } from './lock-socket.ts'
import { cannotOpen } from './store-error.ts'

/** `pidNamespace` is '' where there is none, `socket` where there is none or none was to be had. */
interface Holder { pid: number, start: string, boot: string, pidNamespace: string, socket: string }

/**
 * @param dir folder, which must exist
 * @returns what releases the lock
 * @throws Error `ELOCKED` if a living process holds it; the message names the folder and the pid and says what to do
 */
export async function lockFolder (dir: string): Promise<() => void> {
  const lock = join(dir, 'latchkey.lock')
  const pidNamespace = ownNamespace()
  const socket = pidNamespace === '' ? undefined : await openLockSocket(dir) // before the lock, and closed after it: who can read the one finds the other
  const mine = JSON.stringify({ pid: process.pid, start: startOf(process.pid) ?? '', boot: bootId(), pidNamespace, socket: socket?.name ?? '' } satisfies Holder)
  try {
    while (!create(lock, mine)) {
      const found = read(lock)
      if (found === undefined) continue // released meanwhile
      if (await isAlive(dir, found)) throw inUse(dir, found)
      await inherit(dir, lock, found, mine)
    }
  } catch (error) {
    socket?.close()
    throw error
  }
  return () => {
    if (read(lock) === mine) rmSync(lock, { force: true })
    socket?.close()
  }
}

// Removes the lock of a dead holder. As long as that lock is there no claim on it is removed, so two starters cannot both
// hold one; and once it is gone it never comes back, so what is done late does no harm.
async function inherit (dir: string, lock: string, dead: string, mine: string): Promise<void> {
  const claims: string[] = []
  const sockets: string[] = []
  for (let predecessor = dead; ;) {
    const claim = `${lock}.heir-of-${createHash('sha256').update(predecessor).digest('hex').slice(0, 16)}`
    claims.push(claim)
    const { socket } = parse(predecessor)
    if (isSocketName(socket)) sockets.push(socket)
    if (create(claim, mine)) break
    const heir = read(claim)
    if (heir === undefined) return // has done it meanwhile
    if (await isAlive(dir, heir)) throw inUse(dir, heir) // is doing it
    predecessor = heir // died doing it: their right passes on
  }
  for (const socket of sockets) removeLockSocket(dir, socket) // first: without the lock nobody would know their names
  if (read(lock) === dead) rmSync(lock)
  for (const claim of claims) rmSync(claim, { force: true })
}

function inUse (dir: string, holder: string): Error {
  const { pid, pidNamespace } = parse(holder)
  const elsewhere = isElsewhere(pidNamespace)
  if (pid === process.pid && !elsewhere) return cannotOpen('ELOCKED', `${dir} is already open in this process (pid ${pid}). Open each folder once and share the client.`)
  return cannotOpen('ELOCKED', `${dir} is in use by another latchkey process (pid ${pid}${elsewhere ? ' of another container' : ''}). Give each process its own DATA_DIR, or set MONGODB_URI so that they share one database.`)
}

/** Whether there was no such file. It has its content from the first moment on, because it is linked, not written. */
function create (path: string, text: string): boolean {
  const draft = `${path}.draft-of-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  writeFileSync(draft, text, { mode: 0o600 })
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function read (path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function isAlive (dir: string, lock: string): Promise<boolean> {
  const { pid, start, boot, pidNamespace, socket } = parse(lock)
  if (pid === undefined || !Number.isSafeInteger(pid) || pid <= 0 || boot !== bootId()) return false
  if (isElsewhere(pidNamespace) && isSocketName(socket)) return await isAnswered(dir, socket)
  const now = startOf(pid)
  if (now !== undefined) return now === start
  try { // not Linux, or the process is hidden from this user
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

// The number of a namespace that has ended may be given to a new one. Its processes have ended too, so their start times tell.
const isElsewhere = (pidNamespace: string | undefined): boolean => Boolean(pidNamespace) && pidNamespace !== ownNamespace()

function ownNamespace (): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch { // not Linux
    return ''
  }
}

function parse (lock: string): Partial<Holder> {
  try {
    return JSON.parse(lock) ?? {}
  } catch { // a loss of power can leave a name without its content
    return {}
  }
}

/** When a process started, in clock ticks since boot; empty for a zombie; undefined where /proc does not say. */
function startOf (pid: number): string | undefined {
  const stat = readProc(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // from field 3 on: the name before it may hold anything
  return fields[0] === 'Z' || fields[0] === 'X' ? '' : fields[19]
}

const bootId = (): string => readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? ''

function readProc (path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch { // another system, or the process ended while it was being read
    return undefined
  }
}
