// A shell in which a page's commands are pasted, one block after the other, in a folder of their own: what one block sets, the
// next one has. `npx latchkey` and `npm start` are those of this project, and `npm ci` is what .ci/run has done before.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Test } from 'tap'
import { noteEvidence } from '../helper/evidence.ts'
import { until } from '../helper/service.ts'
import { root } from './markdown.ts'

const prelude = `
npx () { [ "$1" = latchkey ] && shift && node '${root}dist/src/cli.js' "$@"; }
npm () { case "$*" in ci) ;; start) node '${root}scripts/start.mjs' ;; *) echo "a page cannot do: npm $*" >&2; return 1 ;; esac; }
`

export interface Shell {
  /** What a block prints. Rejects with it if a command fails. */
  paste: (block: string) => Promise<string>
  /** Starts what goes on running, instead of what was started before at this port, and waits until the port answers. */
  start: (block: string, port: number) => Promise<void>
}

/** @param env the whole environment beside PATH */
export function openShell (t: Test, folder: string, env: Record<string, string>): Shell {
  const options = { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder, ...env }, detached: true } as const
  const begun = new Set<ChildProcess>()
  t.teardown(async () => { await Promise.all([...begun].map(end)) })

  /** Ends a process with everything that it has started. */
  async function end (child: ChildProcess): Promise<void> {
    begun.delete(child)
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    process.kill(-(child.pid as number), 'SIGKILL')
    await ended
  }

  function begin (args: string[]): { child: ChildProcess, printed: () => string } {
    const child = spawn('bash', args, options)
    begun.add(child)
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { printed += chunk.toString() })
    return { child, printed: () => printed }
  }

  const { child: shell, printed } = begin(['-euo', 'pipefail', '-s'])
  shell.stdin?.write(prelude)
  const servers = new Map<number, ChildProcess>()

  return {
    async paste (block) {
      const from = printed().length
      shell.stdin?.write(`{\n${block}\n} < /dev/null 2>&1\nprintf '\\036'\n`)
      await until(() => printed().includes('\u001e', from) || shell.exitCode !== null, 'the block is done', 60_000)
      const said = printed().slice(from).replace('\u001e', '')
      if (shell.exitCode !== null) throw new Error(`exit code ${shell.exitCode} of\n${block}\n${said}`)
      return said
    },
    async start (block, port) {
      const before = servers.get(port)
      if (before !== undefined) await end(before)
      await until(async () => !await isAnswered(port), `port ${port} is free`)
      const { child, printed } = begin(['-euo', 'pipefail', '-c', prelude + block])
      servers.set(port, child)
      child.once('exit', () => { noteEvidence('log', printed()) })
      await until(async () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${block}\n${printed()}`)
        return await isAnswered(port)
      }, `an answer at port ${port}`, 60_000)
    }
  }
}

async function isAnswered (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return await new Promise<boolean>((resolve) => {
    socket.once('connect', () => { resolve(true) })
    socket.once('error', () => { resolve(false) })
  }).finally(() => { socket.destroy() })
}
