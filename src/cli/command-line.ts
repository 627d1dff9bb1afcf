// Command line: from arguments to a command and its exit code. Every failure that a person can mend is one plain sentence.
import { plainReason } from '../launch.ts'
import { version } from '../version.ts'
import { help } from './help.ts'
import { importCommand } from './import-command.ts'
import { exit, type Io } from './io.ts'
import { parse, UsageError } from './parse.ts'
import { roleCommand } from './role-command.ts'

type Command = (args: readonly string[], io: Io) => Promise<number>

const commands = new Map<string, { run: Command, text: string }>([
  ['start', { run: startCommand, text: help.start }],
  ['import', { run: importCommand, text: help.import }],
  ['role', { run: roleCommand, text: help.role }]
])

const asksForHelp = (word: string | undefined): boolean => word === '--help' || word === '-h'

/** @returns the exit code; what was started goes on running */
export async function runCommandLine (args: readonly string[], io: Io): Promise<number> {
  const [first = 'start', ...rest] = args
  const command = commands.get(first)
  try {
    if (asksForHelp(first)) io.out(help.usage)
    else if (first === '--version' || first === '-v') io.out(version)
    else if (command === undefined) throw new UsageError(first.startsWith('-') ? `there is no option ${first.split('=', 1)[0]} without a command` : `there is no command ${first}`)
    else if (rest.some(asksForHelp)) io.out(command.text)
    else return await command.run(rest, io)
    return exit.done
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(`latchkey${command === undefined ? '' : ` ${first}`}: ${error.message}.\nSee latchkey ${command === undefined ? '' : `${first} `}--help\n`)
      return exit.misused
    }
    io.err(`${plainReason(error) ?? (error as Error).stack}\n`)
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') io.err('Stop that process for as long as this command runs.\n')
    return exit.failed
  }
}

async function startCommand (args: readonly string[], io: Io): Promise<number> {
  parse(args, {})
  await io.start()
  return exit.done
}
