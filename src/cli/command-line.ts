// Command line: from arguments to a command and its exit code. Every failure that a person can mend is one plain sentence.
import { plainReason } from '../launch.ts'
import { version } from '../version.ts'
import { help } from './help.ts'
import { exit, type Io } from './io.ts'
import { parse, UsageError } from './parse.ts'

type Command = (args: readonly string[], io: Io) => Promise<number>

// loaded when they are called: what they need takes longer to load than a help text to be read
const commands = new Map<string, { run: Command, text: string }>([
  ['start', { run: startCommand, text: help.start }],
  ['import', { run: async (args, io) => await (await import('./import-command.ts')).importCommand(args, io), text: help.import }],
  ['role', { run: async (args, io) => await (await import('./role-command.ts')).roleCommand(args, io), text: help.role }]
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
