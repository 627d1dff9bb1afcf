// Room `embedded`: the log of one collection on disk, with group commit. A write is acknowledged when its bytes have been
// written and synced; all that arrive meanwhile share the next sync. If the disk refuses, the file goes back to its last
// durable length and every write not yet acknowledged is undone in memory, newest first, and told so.
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate as endOfTurn } from 'node:timers/promises'
import { writeFully, type Disk } from './disk.ts'
import { rewriteLog, startLog } from './log-compaction.ts'
import { durableMark, lineOf, readLog } from './log-format.ts'
import { diskFault, storeClosed } from './store-error.ts'
import type { WriteLog } from './write-log.ts'

export interface DurableLogOptions {
  path: string
  /** `database.collection`, for messages. */
  namespace: string
  disk: Disk
  log: (message: string) => void
  /** Payloads that make up the present content, fixed at the time of the call although read later; and their number. */
  snapshot: () => { count: number, payloads: Iterable<string> }
  /** Compaction waits until the file has at least this many bytes. */
  compactAtBytes?: number
}

interface Entry { payloads: readonly string[], undo: () => void, resolve: () => void, reject: (error: Error) => void }

// Rewritten when it is this many times as long as what it holds.
const bloat = 4

/**
 * A log that creates its file with the first commit. `load` reads a file that is there, before any commit.
 * @throws Error from `load`, see readLog
 */
export function createDurableLog ({ path, namespace, disk, log, snapshot, compactAtBytes = 4 << 20 }: DurableLogOptions): WriteLog & { load: (take: (value: unknown) => void) => Promise<void> } {
  let handle: FileHandle | undefined
  let length = 0 // durable bytes; the file may be longer while a batch is being written, or if it failed
  let tail: 'clean' | 'dirty' = 'clean'
  let appended = false
  let nameIsDurable = true
  let failures = 0
  let compactAbove = compactAtBytes
  let queue: Entry[] = []
  const betweenBatches: (() => Promise<void>)[] = []
  let running: Promise<void> | undefined
  let compacting: Promise<void> | undefined
  let closed = false

  async function load (take: (value: unknown) => void): Promise<void> {
    handle = await disk.open(path, 'r+')
    const content = await readLog(handle, path, take)
    length = content.length
    compactAbove = Math.max(compactAtBytes, bloat * length * snapshot().count / Math.max(1, content.lines))
    if (!content.torn) return
    await handle.truncate(length)
    await handle.datasync()
    log(`${path}: cut off an unfinished write at byte ${length}; nothing that was acknowledged is lost`)
  }

  function commit (payloads: readonly string[], undo: () => void): Promise<void> {
    if (closed) {
      undo()
      return Promise.reject(storeClosed(namespace))
    }
    if (payloads.length === 0 && running === undefined) return Promise.resolve()
    return new Promise((resolve, reject) => {
      queue.push({ payloads, undo, resolve, reject })
      running ??= run()
    })
  }

  async function run (): Promise<void> {
    await endOfTurn() // lets the other writes of this turn of the event loop join
    while (queue.length > 0 || betweenBatches.length > 0) {
      const batch = queue
      queue = []
      try {
        await append(batch.flatMap((entry) => entry.payloads))
        for (const entry of batch) entry.resolve()
      } catch (cause) {
        await giveUp(batch, cause)
      }
      for (const job of betweenBatches.splice(0)) await job()
      if (length > compactAbove && !closed) compacting ??= compact()
    }
    running = undefined
  }

  async function append (payloads: string[]): Promise<void> {
    if (payloads.length === 0) return
    const file = await ready()
    const bytes = Buffer.from(durableMark + payloads.map(lineOf).join(''))
    tail = 'dirty'
    await writeFully(file, bytes, length)
    await file.datasync()
    tail = 'clean'
    length += bytes.length
    appended = true
  }

  async function ready (): Promise<FileHandle> {
    if (handle === undefined) {
      ({ handle, length } = await startLog({ disk, path }))
      nameIsDurable = false
    }
    if (!nameIsDurable) await disk.syncFolder(dirname(path))
    nameIsDurable = true
    if (tail === 'dirty') await handle.truncate(length)
    tail = 'clean'
    return handle
  }

  // Writes that came while the batch was failing saw its changes in memory: they go with it.
  async function giveUp (batch: Entry[], cause: unknown): Promise<void> {
    failures += 1
    const lost = [...batch, ...queue]
    queue = []
    for (const entry of lost.toReversed()) entry.undo()
    await ready().catch(() => {}) // if the disk does not even shorten the file, the next batch tries first
    for (const entry of lost) entry.reject(diskFault(namespace, cause))
  }

  async function compact (): Promise<void> {
    const failuresBefore = failures
    const from = length
    const { payloads } = snapshot()
    try {
      await rewriteLog({
        disk,
        path,
        payloads,
        isCurrent: () => failures === failuresBefore && !closed,
        // Not before the next batch has been settled, which holds whatever the snapshot shows and is not durable yet.
        swap: (finish) => betweenTwoBatches(() => replace(finish, from))
      })
      compactAbove = Math.max(compactAtBytes, bloat * length)
    } catch (error) {
      compactAbove = length + Math.max(compactAtBytes, length / 2)
      if (!closed) log(`${path}: could not be compacted, goes on growing (${(error as Error).message})`)
    }
    compacting = undefined
  }

  function betweenTwoBatches (job: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      betweenBatches.push(() => job().then(resolve, reject))
      running ??= run()
    })
  }

  async function replace (finish: (old: FileHandle, from: number, to: number) => Promise<{ handle: FileHandle, length: number }>, from: number): Promise<void> {
    const old = await ready()
    ;({ handle, length } = await finish(old, from, length))
    nameIsDurable = false
    // the new file is in use from here on, whatever else fails; its name is made durable before the next batch
    await old.close().catch(() => {})
    await ready().catch(() => {})
  }

  async function close (): Promise<void> {
    closed = true
    await compacting
    await running
    if (handle === undefined) return
    try {
      const file = await ready()
      if (appended) await writeFully(file, Buffer.from(durableMark), length)
      await file.datasync()
    } catch (error) {
      log(`${path}: closed without a last mark (${String(error)}); nothing that was acknowledged is lost`)
    }
    await handle.close()
  }

  return { load, commit, close }
}
