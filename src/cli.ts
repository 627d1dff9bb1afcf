#!/usr/bin/env node
// The command `latchkey`: its arguments, its environment and its exit code are read and set here and nowhere else.
import { randomBytes } from 'node:crypto'
import { runCommandLine } from './cli/command-line.ts'
import { systemClock } from './clock.ts'
import { ownEnvironment } from './launch.ts'

process.setSourceMapsEnabled(true)
process.exitCode = await runCommandLine(process.argv.slice(2), {
  environment: ownEnvironment,
  out: (line) => { process.stdout.write(`${line}\n`) },
  err: (text) => { process.stderr.write(text) },
  isTerminal: process.stderr.isTTY,
  clock: systemClock,
  randomBytes,
  start: () => import('./server.ts')
})
