// Engines that a story may kill: started by the script that started the run's own, on ports and in folders of their own,
// so that a restart finds the same address and, for MongoDB, the same data. Only what was started here is ever ended.
import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { enginesScript } from './engines.ts'
import { scratchFolder, type Scope } from './scratch.ts'

const run = promisify(execFile)

export type EngineName = 'redis' | 'mongo'

export interface OwnEngine {
  /** Address, the same after each start. */
  url: string
  start: () => Promise<void>
  /** Ends it as a power cut would. */
  kill: () => Promise<void>
  /** Stops it in its tracks (SIGSTOP), and lets it go on (SIGCONT). */
  freeze: () => void
  thaw: () => void
  /** Removes what it keeps on disk; it must not run. */
  empty: () => void
}

/** For `t.test`'s options: why a story cannot run here, or false. */
export const withoutOwnEngines: string | false = enginesScript === undefined && 'needs engines that it may kill: run inside .ci/real-engines/engines.sh'

/**
 * @param name started when this resolves; stopped and removed with the test
 * @param options for the script, such as REDIS_OPTIONS
 */
export async function startOwnEngine (t: Scope, name: EngineName, options: Record<string, string> = {}): Promise<OwnEngine> {
  const state = scratchFolder(t)
  const port = String(await freePort())
  const script = enginesScript as string
  const env = { ...process.env, REAL_ENGINES_STATE: state, REDIS_PORT: port, MONGO_PORT: port, ...options }
  const pid = () => Number(readFileSync(join(state, `${name}.pid`), 'utf8'))
  const start = async (): Promise<void> => { await run(script, ['start', name], { env }) }
  t.teardown(async () => {
    try { process.kill(pid(), 'SIGCONT') } catch { /* not frozen, or gone */ }
    await run(script, ['stop'], { env })
  })
  await start()
  return {
    url: name === 'redis' ? `redis://127.0.0.1:${port}` : `mongodb://127.0.0.1:${port}/?directConnection=true`,
    start,
    async kill () {
      const killed = pid()
      process.kill(killed, 'SIGKILL')
      await untilGone(killed)
    },
    freeze () { process.kill(pid(), 'SIGSTOP') },
    thaw () { process.kill(pid(), 'SIGCONT') },
    empty () { rmSync(join(state, name), { recursive: true, force: true }) }
  }
}

export async function freePort (): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => { server.close(resolve) })
  return port
}

/** A killed process that nobody has reaped still answers to signals; its state says that it is over. */
async function untilGone (pid: number): Promise<void> {
  for (;;) {
    try {
      if (/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return
    } catch {
      return
    }
    await new Promise((resolve) => { setTimeout(resolve, 5) })
  }
}
