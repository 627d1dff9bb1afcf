// Command line: arguments to options. What does not fit is said by the option's name and never by its value, which may hold
// a password.
import { parseArgs, type ParseArgsConfig } from 'node:util'

/** The command was called in a way that it does not know. */
export class UsageError extends Error {
  constructor (message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<T extends Options> = Pick<ReturnType<typeof parseArgs<{ options: T, allowPositionals: true }>>, 'values' | 'positionals'>

/** @throws UsageError */
export function parse<const T extends Options> (args: readonly string[], options: T, mostPositionals = 0): Parsed<T> {
  const { values, positionals } = strictly(() => parseArgs({ args: [...args], options, allowPositionals: true }))
  if (positionals.length > mostPositionals) throw new UsageError(mostPositionals === 0 ? 'it takes options only' : `it takes ${mostPositionals} arguments`)
  return { values, positionals }
}

function strictly<T> (work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const option = /--?\w[\w-]*/.exec(message)?.[0] ?? 'of this name'
    if (code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') throw new UsageError(`there is no option ${option}`)
    throw new UsageError(`${option} ${message.includes('does not take') ? 'takes no value' : 'needs a value'}`)
  }
}
