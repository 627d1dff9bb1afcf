// The page docs/http-api.md, made from the OpenAPI document alone: operations by tag with who may, what they take, what they
// answer and a command to try each. test/docs/commands.test.ts runs the commands, one after the other, as they stand there.
import { slug } from 'github-slugger'
import { command, endsSession, inOrderOfNeed, signIn } from './http-api-commands.ts'
import { schemesOf, type ApiDocument, type Media, type Named, type Operation, type Schema } from './http-api-document.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const table = (titles: string[], rows: string[][]): string[] => rows.length === 0 ? [] : [`| ${titles.join(' | ')} |`, `|${'---|'.repeat(titles.length)}`, ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`), '']
const isProblem = (response: { content?: Record<string, Media> }): boolean => response.content?.['application/problem+json'] !== undefined
const codesOf = (response: { content?: Record<string, Media> }): string[] => Object.keys(response.content?.['application/problem+json']?.examples ?? {})
const shapeName = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1)
const linkTo = (ref: string): string => `[${shapeName(ref)}](#${slug(shapeName(ref))})`

/** A schema in a few words. */
function formOf (schema: Schema): string {
  if (schema.$ref !== undefined) return linkTo(schema.$ref)
  if (schema.enum !== undefined) return schema.enum.length > 12 ? 'one of [errors](errors.md)' : schema.enum.map((value) => `\`${value}\``).join(' ')
  if (schema.anyOf !== undefined) return schema.anyOf.map(formOf).join(' or ')
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'anything' : formOf(schema.items)}`
  if (schema.type === 'object' && schema.properties !== undefined) return `{ ${Object.entries(schema.properties).map(([name, one]) => one.$ref === undefined ? name : `${name}: ${formOf(one)}`).join(', ')} }`
  if (schema.format === 'date-time') return 'time'
  if (schema.format === 'binary') return 'file'
  return `${schema.type === 'string' ? 'text' : schema.type ?? 'anything'}${boundsOf(schema)}`
}

function boundsOf ({ minimum, maximum, minLength, maxLength }: Schema): string {
  const [least, most] = [minimum ?? minLength, maximum ?? maxLength]
  if (least !== undefined && most !== undefined) return `, ${least} to ${most}`
  if (most !== undefined) return `, up to ${most}`
  return least === undefined ? '' : `, ${least} or more`
}

/** Rows for the properties of a body. */
function bodyRows ({ requestBody }: Operation): string[][] {
  return Object.entries(requestBody?.content ?? {}).flatMap(([type, { schema }]) => Object.entries(schema.properties ?? {}).map(([name, one]) => [
    `\`${name}\``,
    type === 'application/json' ? 'body' : `body, \`${type}\``,
    `${formOf(one)}${schema.required?.includes(name) ? '' : '; may be left out'}`,
    remarkOf(one)
  ]))
}

const remarkOf = ({ description, default: value }: Schema): string => [description ?? '', value === undefined ? '' : `Without it: \`${String(value)}\`.`].filter((part) => part !== '').join(' ')

function takes (operation: Operation): string[] {
  const parameters = (operation.parameters ?? []).map((one) => [`\`${one.name}\``, one.in, `${formOf(one.schema)}${one.required ? '' : '; may be left out'}`, remarkOf({ ...one.schema, description: one.description ?? '' })])
  return table(['takes', 'in', 'form', ''], [...parameters, ...bodyRows(operation)])
}

function who (operation: Operation): string {
  const schemes = schemesOf(operation)
  if (schemes.has('metricsToken')) return 'operators, by `METRICS_TOKEN` or the access token of an admin; others as the description says'
  if (schemes.has('refreshTokenCookie')) return 'whoever has a token of the session: the refresh token in the body or as a cookie, or the access token'
  if (schemes.has('visitCookie')) return 'guests, known by the cookie `visit`, and users, by the access token'
  if (schemes.has('preferencesCookie')) return 'guests, by the cookie `preferences`, and users, by the access token'
  return schemes.has('bearer') ? 'users, by the access token' : 'anybody'
}

/** Statuses and codes that every operation has. */
function commonTo (operations: Operation[]): Map<string, string> {
  const replies = (operation: Operation): string[] => Object.entries(operation.responses).filter(([, response]) => isProblem(response)).flatMap(([status, response]) => codesOf(response).map((code) => `${status} ${code}`))
  const [first = [], ...others] = operations.map(replies)
  return new Map(first.filter((reply) => others.every((list) => list.includes(reply))).map((reply) => [reply.slice(4), reply.slice(0, 3)]))
}

function answers ({ responses }: Operation, common: Map<string, string>): string[] {
  const rows = Object.entries(responses).flatMap(([status, response]) => {
    if (isProblem(response)) {
      const codes = codesOf(response).filter((code) => !common.has(code))
      return codes.length === 0 ? [] : [[status, codes.map((code) => `\`${code}\``).join(' ')]]
    }
    const types = Object.entries(response.content ?? {})
    const json = response.content?.['application/json']
    const form = json === undefined ? types.map(([type]) => `\`${type}\``).join(', ') : formOf(json.schema)
    return [[status, [form, response.description].filter((part) => part !== '').join(': ')]]
  })
  return table(['answers', ''], rows)
}

function operationPart (operation: Named, common: Map<string, string>): string[] {
  const { summary, description } = operation
  return [
    `### ${titleOf(operation)}`, '',
    [`**${summary}${/[.?]$/.test(summary) ? '' : '.'}**`, description ?? ''].filter((part) => part !== '').join(' '), '',
    `Who may: ${who(operation)}.`, '',
    ...takes(operation),
    ...answers(operation, common),
    ...(endsSession(operation) ? ['Ends the session of `$token`; for the next example, get another as at the [beginning](#trying-it).', '', '<!-- then: sign-in -->'] : []),
    '```sh', ...command(operation), '```', ''
  ]
}

/** Operations by tag in the order of the document, but for those that need the answer of a later one. */
function ordered ({ paths, tags }: ApiDocument): Named[] {
  const all = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ ...operation, method, path })))
  const sorted = inOrderOfNeed(all)
  return tags.flatMap(({ name }) => sorted.filter((one) => one.tags[0] === name))
}

function shapePart ([name, schema]: [string, Schema]): string[] {
  const example = schema.example ?? schema.examples?.[0]
  return [
    `### ${name}`, '',
    ...(schema.description === undefined ? [] : [schema.description, '']),
    ...table(['member', 'form', ''], Object.entries(schema.properties ?? {}).map(([member, one]) => [`\`${member}\``, `${formOf(one)}${schema.required?.includes(member) ? '' : '; may be absent'}`, one.description ?? ''])),
    ...(example === undefined ? [] : ['```json', JSON.stringify(example, null, 2), '```', ''])
  ]
}

const titleOf = ({ method, path }: Named): string => `${method.toUpperCase()} ${path}`

/** @param made the line that says where the page comes from */
export function httpApiPage (document: ApiDocument, made: string): string {
  const operations = ordered(document)
  const common = commonTo(operations)
  return [
    '# HTTP API', '', made, '',
    'Every operation of the service. A running service shows the same at `/docs`, to try out, and at `/openapi.json`',
    '([the document](openapi.json), OpenAPI 3.1). Mounted under a prefix, every address begins with it.', '',
    ...table(['operation', 'what it does'], operations.map((one) => [`[${titleOf(one)}](#${slug(titleOf(one))})`, one.summary])),
    '## What all have in common', '',
    'Bodies are JSON, are not coerced, and have no members but those that are named. The access token comes as `Authorization: Bearer`,',
    'as `x-access-token` or as the cookie `accessToken`; the first that is present counts, and a bad one is not skipped. Lists take',
    '`limit` and `cursor`, answer `nextCursor`, and name the next part in `Link`. A failure is a [Problem](#problem) whose `code` says',
    'what to do ([all codes](errors.md)). These may come from every operation:', '',
    ...table(['status', 'code'], [...common].map(([code, status]) => [status, `\`${code}\``])),
    '## Trying it', '',
    'Start the service (`npm start`), and make an account whose tokens the examples use. Guests are known by the cookies in `jar`.', '',
    '<!-- name: sign-in -->', '```sh', ...signIn, '```', '',
    ...document.tags.flatMap(({ name, description }) => [
      `## Operations: ${name}`, '', `${description}.`, '',
      ...operations.filter(({ tags }) => tags[0] === name).flatMap((one) => operationPart(one, common))
    ]),
    '## Shapes', '',
    ...Object.entries(document.components.schemas).flatMap(shapePart)
  ].join('\n')
}
