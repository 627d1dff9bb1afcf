// `npm run docs`: writes the pages that are made from code. test/guard/docs.test.ts fails when one of them is behind.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'
import { createConfig } from '../src/config/config.ts'
import { readEnvironment } from '../src/config/environment.ts'
import { aliasesOf, environmentName, processSettings, settingNames, settingsSchema } from '../src/config/settings-schema.ts'
import { errorCodes, errorList } from '../src/errors.ts'
import { createStandalone } from '../src/standalone.ts'
import type { ApiDocument } from './http-api-document.ts'
import { httpApiPage } from './http-api-page.ts'

const made = '<!-- Made by `npm run docs` from the code. Change it there. -->'

interface SettingSchema { type: string, default?: unknown, minimum?: number, maximum?: number, enum?: string[], description?: string }

/** Every setting: both names, type, default, meaning. */
export function configurationPage (): string {
  const rows = settingNames.map((name) => {
    const schema = settingsSchema.properties[name] as unknown as SettingSchema
    const names = [environmentName(name), ...aliasesOf(name)].map((variable) => `\`${variable}\``).join('<br>')
    const shown = schema.type === 'boolean' ? (value: unknown) => value === true ? 'on' : 'off' : String
    const option = (processSettings as readonly string[]).includes(name) ? '' : `\`${name}\``
    return `| ${names} | ${option} | ${formOf(schema)} | ${schema.default === undefined ? '' : `\`${shown(schema.default)}\``} | ${(schema.description ?? '').replaceAll('|', '\\|')} |`
  })
  return [
    '# Configuration', '', made, '',
    'The service reads its environment (and `.env`) once, when it starts. The mounted plugin takes what has a name in the second',
    'column as an option and reads no environment. An empty value counts as unset. A name and its alias (the second line of the',
    'first column) that are both set and differ stop the start, as does every value that cannot be used: the message names the',
    'variable and never its value.', '',
    '| variable | option | form | default | meaning |', '|---|---|---|---|---|', ...rows, ''
  ].join('\n')
}

function formOf ({ type, minimum, maximum, enum: choices }: SettingSchema): string {
  if (choices) return choices.map((choice) => `\`${choice}\``).join(' ')
  if (type === 'integer') return `${minimum} to ${maximum}`
  return type === 'boolean' ? '`on` or `off`' : 'text'
}

/** Every code with its status, meaning and advice. */
export function errorsPage (): string {
  const rows = errorCodes.map((code) => {
    const { status, detail, advice } = errorList[code]
    return `| ${status} | \`${code}\` | ${detail} | ${advice} |`
  })
  return [
    '# Errors', '', made, '',
    'Every failure is `application/problem+json` (RFC 9457) with a stable `code`; it also parses as Fastify\'s own error shape',
    '(`statusCode`, `error`, `message`). `type` points at `/problems/<code>`, where the service itself says what the code means.', '',
    '| status | code | what it means | what to do |', '|---|---|---|---|', ...rows, ''
  ].join('\n')
}

/** The decisions, by their titles. */
export function decisionsPage (): string {
  const folder = new URL('../docs/decisions/', import.meta.url)
  const files = readdirSync(folder).filter((name) => /^\d{4}-.*\.md$/.test(name)).sort()
  const rows = files.map((name) => {
    const [, number, title] = /^# (\d+)\. (.+)$/m.exec(readFileSync(new URL(name, folder), 'utf8')) ?? []
    return `| ${number} | [${title}](${name}) |`
  })
  return ['# Decisions', '', made, '', 'Why it is like this: what was decided, what was tried or measured before, and what is lost by it.', '', '| number | |', '|---|---|', ...rows, ''].join('\n')
}

/** The document that the service serves at `/openapi.json` with default settings. */
async function openapiDocument (): Promise<OpenAPI3> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-docs-'))
  const app = createStandalone(createConfig(readEnvironment({ DATA_DIR: folder, LOG_LEVEL: 'silent' }), { randomBytes }))
  try {
    return (await app.inject('/openapi.json')).json<OpenAPI3>()
  } finally {
    await app.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Every page that is made from code, by its file. */
export async function makePages (): Promise<Record<string, string>> {
  const document = await openapiDocument()
  const types = astToString(await openapiTS(document, { alphabetize: false, rootTypes: false }))
  return {
    'docs/configuration.md': configurationPage(),
    'docs/decisions/README.md': decisionsPage(),
    'docs/errors.md': errorsPage(),
    'docs/http-api.md': httpApiPage(document as unknown as ApiDocument, made),
    'docs/openapi.json': `${JSON.stringify(document, null, 2)}\n`,
    'client/api-types.ts': `// Made by \`npm run docs\` from docs/openapi.json (openapi-typescript). Change it there.\n${types}`
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, page] of Object.entries(await makePages())) {
    writeFileSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), page)
    console.log(`written: ${file}`)
  }
}
