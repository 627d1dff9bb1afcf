// For the stories of the embedded store: a disk that fails or waits when told to, and processes to kill.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Collection } from 'mongodb'
import { systemDisk, type Disk } from '../../../src/embedded/disk.ts'
import { openEmbeddedClient, type EmbeddedClient, type EmbeddedOptions } from '../../../src/embedded/embedded-client.ts'
import { createStillClock } from '../../helper/clock.ts'

export interface Item { _id: string, key?: string, n?: number, text?: string, at?: Date, bytes?: Uint8Array, any?: unknown }

export async function openStore (dir: string | null, more: Partial<EmbeddedOptions> = {}): Promise<{ client: EmbeddedClient, items: Collection<Item>, messages: string[], file: string }> {
  const messages: string[] = []
  const client = await openEmbeddedClient({ dir, clock: createStillClock(), log: (message) => messages.push(message), ...more })
  return { client, items: client.db('test').collection('items'), messages, file: join(dir ?? '', 'test.items.jsonl') }
}

/** What a file handle or the folder can be asked to do. */
export type Step = 'open' | 'write' | 'datasync' | 'sync' | 'truncate' | 'rename' | 'syncFolder' | 'remove'

export interface TestDisk extends Disk {
  /** From now on these steps fail as on a full disk; `on` limits that to files whose path ends so. Without steps: all is well again. */
  fail: (steps: Step[], on?: string) => void
  /** The next such step waits; resolves when it does, with what lets it go on. */
  hold: (step: Step, on?: string) => Promise<() => void>
  /** How much of a write is taken at once. */
  bytesAtOnce: number
  /** Called before each step. */
  before: (step: Step, path: string) => void
}

export function createTestDisk (): TestDisk {
  let failing: { steps: Step[], on: string } = { steps: [], on: '' }
  let held: { step: Step, on: string, reached: (go: () => void) => void } | undefined

  async function reach (step: Step, path: string): Promise<void> {
    disk.before(step, path)
    if (held?.step === step && path.endsWith(held.on)) {
      const { reached } = held
      held = undefined
      await new Promise<void>((resolve) => { reached(resolve) })
    }
    if (failing.steps.includes(step) && path.endsWith(failing.on)) throw Object.assign(new Error(`ENOSPC: no space left on device, ${step}`), { code: 'ENOSPC' })
  }

  const opened: { path: string }[] = [] // a file that is renamed is known by its new name

  const guarded = (handle: FileHandle, file: { path: string }): FileHandle => new Proxy(handle, {
    get (target, name) {
      const { path } = file
      const method = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return async (...args: unknown[]) => {
        if (name === 'write' && failing.steps.includes('write') && path.endsWith(failing.on)) await handle.write(args[0] as Uint8Array, 0, 1, args[3] as number) // a full disk may take the beginning
        await reach(name as Step, path)
        if (name === 'write') args[2] = Math.min(args[2] as number, disk.bytesAtOnce)
        return method.apply(target, args)
      }
    }
  })

  const disk: TestDisk = {
    async open (path, flags, mode) {
      await reach('open', path)
      const handle = await systemDisk.open(path, flags, mode)
      opened.unshift({ path })
      return guarded(handle, opened[0] as { path: string })
    },
    async rename (from, to) {
      await reach('rename', from)
      await systemDisk.rename(from, to)
      const file = opened.find(({ path }) => path === from)
      if (file) file.path = to
    },
    async remove (path) {
      await reach('remove', path)
      await systemDisk.remove(path)
    },
    async syncFolder (path) {
      await reach('syncFolder', path)
      await systemDisk.syncFolder(path)
    },
    fail (steps, on = '') { failing = { steps, on } },
    hold: (step, on = '') => new Promise((resolve) => { held = { step, on, reached: resolve } }),
    bytesAtOnce: Infinity,
    before: () => {}
  }
  return disk
}

/** Starts a file of this folder as a process with an IPC channel. */
export function start (file: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, join(import.meta.dirname, file), ...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env: { ...process.env, TAP: '0' } })
}

export async function nextMessage<T> (child: ChildProcess): Promise<T> {
  const [message] = await once(child, 'message')
  return message as T
}

export async function kill (child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
