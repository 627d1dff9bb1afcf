// The command `latchkey` in this process, with an environment of the test's, and what it printed. That is kept as evidence.
import { randomBytes } from 'node:crypto'
import { runCommandLine } from '../../src/cli/command-line.ts'
import type { Io } from '../../src/cli/io.ts'
import { createTestClock } from './clock.ts'
import { noteEvidence } from './evidence.ts'

export interface Ran { code: number, out: string, err: string }

export async function runCommand (args: readonly string[], env: Record<string, string | undefined> = {}, more: Partial<Io> = {}): Promise<Ran> {
  const ran = { code: -1, out: '', err: '' }
  ran.code = await runCommandLine(args, {
    environment: () => env,
    out: (line) => { ran.out += `${line}\n` },
    err: (text) => { ran.err += text },
    isTerminal: false,
    clock: createTestClock(),
    randomBytes,
    start: async () => { throw new Error('a test starts the service itself') },
    ...more
  })
  noteEvidence('log', ran.out + ran.err)
  return ran
}

/** The numbers of one row of the import's table: read, imported, already there, ended, skipped. */
export const rowOf = ({ out }: Ran, collection: 'users' | 'usersession'): number[] =>
  (new RegExp(`^${collection} +([\\d ]+)$`, 'm').exec(out)?.[1] ?? '').trim().split(/ +/).map(Number)
