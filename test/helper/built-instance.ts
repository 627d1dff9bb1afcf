// The built service (dist/) as a process of its own, for runs that start, freeze and kill several of them. Build it first.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface LogLine extends Record<string, unknown> { level: number, msg: string, err?: { message: string } }

export interface BuiltInstance {
  child: ChildProcess
  origin: string
  /** What it has logged so far. */
  lines: LogLine[]
  /** Asks it to end (SIGTERM), and waits until it has. */
  stop: () => Promise<void>
  /** Ends it as a power cut would. */
  kill: () => Promise<void>
}

const server = fileURLToPath(new URL('../../dist/src/server.js', import.meta.url))

/**
 * @param env its whole environment
 * @param options.imports modules that it loads before its own (`--import`)
 * @returns once it listens
 */
export async function startBuilt (env: NodeJS.ProcessEnv, { imports = [], onLine }: { imports?: readonly string[], onLine?: (line: LogLine) => void } = {}): Promise<BuiltInstance> {
  const child = spawn(process.execPath, [...imports.flatMap((file) => ['--import', file]), server], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: LogLine[] = []
  const endWithUs = () => { child.kill('SIGKILL') }
  process.once('exit', endWithUs)
  const ended = once(child, 'exit').finally(() => { process.off('exit', endWithUs) })
  const origin = await new Promise<string>((resolve, reject) => {
    void ended.then(() => { reject(new Error(`it ended: ${lines.map(({ msg }) => msg).join('; ')}`)) })
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text) as LogLine
      lines.push(line)
      onLine?.(line)
      const found = /listening at (http:\S+)/.exec(line.msg)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  const endBy = (signal: NodeJS.Signals) => async (): Promise<void> => {
    child.kill(signal)
    await ended
  }
  return { child, origin, lines, stop: endBy('SIGTERM'), kill: endBy('SIGKILL') }
}
