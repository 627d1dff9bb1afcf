// The command `latchkey` as a process of its own, as people run it: from dist/, built if the sources are newer.
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { buildIfNewer } from '../../scripts/build.mjs'
import { noteEvidence } from './evidence.ts'
import { scratchFolder } from './scratch.ts'

const script = fileURLToPath(new URL('../../dist/src/cli.js', import.meta.url))

export interface CommandProcess { child: ChildProcess, printed: () => string, ended: Promise<number | null> }

/** Runs it in a folder of its own, where no .env lies. @param env the whole environment beside PATH */
export function spawnCommand (t: Test, args: string[], env: Record<string, string>): CommandProcess {
  buildIfNewer()
  const child = spawn(process.execPath, [script, ...args], { cwd: scratchFolder(t), env: { PATH: process.env['PATH'], ...env } })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      noteEvidence('log', chunk.toString())
    })
  }
  const ended = new Promise<number | null>((resolve) => { child.once('close', resolve) })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, printed: () => printed, ended }
}
