// Room `config`: from a process environment to settings. Names what is wrong and never repeats a value,
// because a value may be a secret or hold one (a URL with a password).
import { Value } from '@sinclair/typebox/value'
import { aliasesOf, environmentName, settingNames, settingsSchema, type SettingName, type Settings, type SettingsInput } from './settings-schema.ts'

/** The start is refused. `problems` has one line for each cause, beginning with the setting's name. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor (problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((line) => `  - ${line}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/**
 * Settings out of an environment (pass `process.env`). An empty value is unset.
 * @throws ConfigError naming each variable that cannot be used
 */
export function readEnvironment (environment: Record<string, string | undefined>): Settings {
  const problems: string[] = []
  const input: Record<string, unknown> = {}
  for (const name of settingNames) {
    const given = [environmentName(name), ...aliasesOf(name)].filter((variable) => environment[variable])
    const [first, ...others] = given
    if (first === undefined) continue
    const clash = others.find((variable) => environment[variable] !== environment[first])
    if (clash !== undefined) problems.push(`${first} and ${clash} are two names of one setting and have different values: set one of them`)
    input[name] = fromText(name, environment[first] as string)
  }
  return validate(input, environmentName, problems)
}

/**
 * Settings out of plugin options. A host that says nothing of `nodeEnv` is in production: what is relaxed is asked for.
 * @throws ConfigError naming each option that cannot be used
 */
export function readOptions (options: SettingsInput): Settings {
  return validate({ ...options, nodeEnv: options.nodeEnv ?? 'production' }, (name) => name, [])
}

function validate (input: Record<string, unknown>, nameOf: (name: string) => string, problems: string[]): Settings {
  for (const name of Object.keys(input)) if (input[name] === undefined) delete input[name]
  const settings = Value.Default(settingsSchema, input)
  for (const { path, message, schema } of Value.Errors(settingsSchema, settings)) {
    const name = path.slice(1).split('/')[0] as SettingName
    const choices = (schema as { enum?: string[] }).enum
    problems.push(`${nameOf(name)}: ${choices ? `expected one of ${choices.join(', ')}` : hintOf(name) ?? message.toLowerCase()}`)
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return settings as Settings
}

/** For a pattern the description says more than "does not match". */
function hintOf (name: SettingName): string | undefined {
  const schema = settingsSchema.properties[name] as { pattern?: string, description?: string } | undefined
  return schema?.pattern === undefined ? undefined : `has not the expected form. ${schema.description}`
}

const truths = new Map([['on', true], ['true', true], ['1', true], ['yes', true], ['off', false], ['false', false], ['0', false], ['no', false]])

/** Text as the schema's type; what does not convert stays text, so that validation names it. */
function fromText (name: SettingName, text: string): unknown {
  const { type } = settingsSchema.properties[name] as { type: string }
  if (type === 'integer') return /^-?\d{1,15}$/.test(text.trim()) ? Number(text) : text
  if (type === 'boolean') return truths.get(text.trim().toLowerCase()) ?? text
  return text
}
