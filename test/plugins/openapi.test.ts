// Socket `openapi`: the document is lawful, whole and readable: every operation has a name, a group, a description, what it
// reads, what it sends and an example of it (MISSION row 32, REQUIREMENTS J4). openapi-true.test.ts holds the service to it,
// test/guard/openapi-style.test.ts has it judged by somebody else.
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { errorList, type ErrorCode } from '../../src/errors.ts'
import { register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { readDocument, type Operation } from './openapi-document.ts'

const service = await startService(t)
interface Schema { $ref?: string, type?: string, format?: string, anyOf?: object[], properties?: object, examples?: unknown[] }
interface Media { schema: Schema, example?: unknown, examples?: Record<string, { value: unknown }> }

const document = await readDocument(service)
const { json, operations } = document
const isGuarded = ({ is: { security } }: Pick<Operation, 'is'>): boolean => security.length > 0 && security.every((way: object) => Object.keys(way).length > 0)
const nameOf = ({ method, path }: { method: string, path: string }): string => `${method} ${path}`

await t.test('it is a lawful OpenAPI 3.1 document', async (t) => {
  t.match(json.openapi, /^3\.1\./)
  const { valid, errors } = await new Validator().validate(structuredClone(json))
  t.ok(valid, JSON.stringify(errors))
  t.match(json.info, { title: 'Latchkey', version: /^\d+\.\d+\.\d+/, description: String, license: { name: 'MIT' } })
})

await t.test('it has every door of the wire contract, at its canonical address', async (t) => {
  t.strictSame(operations.map(nameOf).sort(), [
    'DELETE /api/auth/profile/avatar',
    'DELETE /api/auth/sessions',
    'DELETE /api/auth/sessions/{id}',
    'DELETE /api/session',
    'GET /.well-known/jwks.json', 'GET /api/auth/health',
    'GET /api/auth/profile',
    'GET /api/auth/sessions',
    'GET /api/avatars/{id}',
    'GET /api/preferences',
    'GET /api/protected',
    'GET /api/session',
    'GET /api/session/action',
    'GET /api/session/history',
    'GET /api/session/page',
    'GET /livez',
    'GET /metrics',
    'GET /problems/{code}',
    'GET /readyz',
    'POST /api/auth/login',
    'POST /api/auth/logout',
    'POST /api/auth/logout-all',
    'POST /api/auth/profile/avatar',
    'POST /api/auth/refresh',
    'POST /api/auth/register',
    'POST /api/preferences',
    'POST /api/session',
    'POST /api/session/action',
    'POST /api/session/page',
    'PUT /api/auth/profile',
    'PUT /api/auth/profile/password'
  ])
  for (const [alias, path] of Object.entries({ '/login': '/api/auth/login', '/refresh_token': '/api/auth/refresh', '/profile': '/api/auth/profile', '/protected': '/api/protected', '/session': '/api/session', '/session/page': '/api/session/page', '/preferences': '/api/preferences' })) {
    t.notOk(alias in json.paths, `${alias} is no second operation`)
    const [operation] = Object.values(json.paths[path]) as { description: string }[]
    t.ok(operation?.description.includes(`\`${alias}\``), `${alias} is told at ${path}`)
  }
})

await t.test('every operation has a name of its own, a group that is explained, a summary and a description that says more', async (t) => {
  const ids = operations.map(({ is }) => is.operationId)
  t.strictSame([...new Set(ids)], ids, 'no two names are one')
  const groups = json.tags.map(({ name, description }: { name: string, description: string }) => description && name)
  for (const operation of operations) {
    t.match(operation.is.operationId, /^[a-z][A-Za-z]+$/, nameOf(operation))
    t.ok(operation.is.tags?.length > 0 && operation.is.tags.every((tag: string) => groups.includes(tag)), `${nameOf(operation)}: ${String(operation.is.tags)}`)
    t.match(operation.is.summary, /\w/, nameOf(operation))
    const told = (operation.is.description ?? '').replace(/ ?Also at `[^`]+`\.$/, '')
    t.ok(told.length > operation.is.summary.length && told.length > 40, `${nameOf(operation)}: ${told}`)
  }
})

await t.test('the ways to present a token are told, and which doors need one', async (t) => {
  const { bearer, metricsToken, accessTokenHeader, accessTokenCookie, refreshTokenCookie, visitCookie, preferencesCookie, ...others } = json.components.securitySchemes
  t.match(bearer, { type: 'http', scheme: 'bearer' })
  t.match(metricsToken, { type: 'http', scheme: 'bearer' })
  t.match(accessTokenHeader, { type: 'apiKey', in: 'header', name: 'x-access-token' })
  t.match(accessTokenCookie, { type: 'apiKey', in: 'cookie', name: 'accessToken' })
  t.match(refreshTokenCookie, { type: 'apiKey', in: 'cookie', name: 'refreshToken' })
  t.match(visitCookie, { type: 'apiKey', in: 'cookie', name: 'visit' })
  t.match(preferencesCookie, { type: 'apiKey', in: 'cookie', name: 'preferences' })
  t.strictSame(others, {})
  const access = [{ bearer: [] }, { accessTokenHeader: [] }, { accessTokenCookie: [] }]
  const any = [{}, { refreshTokenCookie: [] }, ...access]
  t.strictSame(Object.fromEntries(operations.filter(({ is }) => is.security.length > 0).map((operation) => [nameOf(operation), operation.is.security])), {
    'POST /api/auth/refresh': any,
    'POST /api/auth/logout': any,
    'POST /api/auth/logout-all': any,
    'GET /metrics': [{}, { metricsToken: [] }, ...access], // where METRICS_TOKEN is not set, and not in production
    'GET /api/auth/health': [{}, { metricsToken: [] }, ...access], // with less detail for others
    'GET /api/auth/profile': access,
    'POST /api/auth/profile/avatar': access,
    'DELETE /api/auth/profile/avatar': access,
    'GET /api/protected': access,
    ...Object.fromEntries(['PUT /api/auth/profile', 'PUT /api/auth/profile/password', 'GET /api/auth/sessions', 'DELETE /api/auth/sessions', 'DELETE /api/auth/sessions/{id}'].map((name) => [name, access])),
    ...Object.fromEntries(['POST /api/session', 'GET /api/session', 'DELETE /api/session', 'POST /api/session/page', 'GET /api/session/page', 'POST /api/session/action', 'GET /api/session/action'].map((name) => [name, [{}, { visitCookie: [] }, ...access]])),
    ...Object.fromEntries(['GET /api/preferences', 'POST /api/preferences'].map((name) => [name, [{}, { preferencesCookie: [] }, ...access]])),
    'GET /api/session/history': access
  })
  for (const operation of operations.filter(({ method }) => method === 'GET')) {
    const { status } = await service.get(operation.path.replace('{code}', 'not_found'))
    t.equal(status === 401, isGuarded(operation), `${nameOf(operation)} is as open as it says`)
  }
})

await t.test('with secure cookies the document names the cookies as they are on the wire', async (t) => {
  const secure = await readDocument(await startService(t, { env: { COOKIE_SECURE: 'on' } }))
  for (const name of ['accessToken', 'refreshToken']) t.equal(secure.json.components.securitySchemes[`${name}Cookie`].name, `__Host-${name}`)
})

await t.test('whatever an operation reads or sends is described', async (t) => {
  for (const { path, method, is } of operations) {
    const where = nameOf({ path, method })
    for (const parameter of is.parameters ?? []) t.match(parameter.description, /\w/, `${where}: ${parameter.name}`)
    if (is.requestBody) {
      const [{ schema }] = Object.values(is.requestBody.content) as [{ schema: { additionalProperties?: boolean, properties: object } }]
      t.equal(schema.additionalProperties, false, `${where}: its body is closed`)
      for (const [name, property] of Object.entries(schema.properties as Record<string, { description?: string, examples?: unknown[] }>)) t.ok(property.description ?? property.examples, `${where}: ${name}`)
    }
    for (const [status, reply] of Object.entries(is.responses as Record<string, { description: string, content?: Record<string, Media> }>)) {
      t.match(reply.description, /\w/, `${where}: ${status}`)
      t.not(reply.description, 'Default Response', `${where}: ${status}`)
      t.equal(reply.content === undefined, status === '204', `${where}: ${status} has a body or is empty`)
      for (const [type, { schema }] of Object.entries(reply.content ?? {})) {
        const isText = type === 'text/plain' || schema.format === 'binary'
        t.ok(isText ? schema.type : schema.$ref ?? schema.anyOf ?? schema.properties, `${where}: ${status} has a shape`)
      }
    }
  }
})

await t.test('every body that is read or sent has an example, lawful by the schema beside it', async (t) => {
  const schemas = json.components.schemas as Record<string, Schema>
  const examplesOf = ({ schema, example, examples = {} }: Media): unknown[] =>
    [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value), ...((schema.$ref === undefined ? schema : schemas[schema.$ref.split('/').at(-1) as string])?.examples ?? [])]
  for (const { path, method, is } of operations) {
    const bodies: [string[], Record<string, Media>][] = [
      [['requestBody'], is.requestBody?.content ?? {}],
      ...Object.entries(is.responses as Record<string, { content?: Record<string, Media> }>).map(([status, { content = {} }]): [string[], Record<string, Media>] => [['responses', status], content])
    ]
    for (const [at, content] of bodies) {
      for (const [type, media] of Object.entries(content).filter(([, { schema }]) => schema.format !== 'binary')) {
        const where = `${nameOf({ path, method })}: ${[...at, type].join(' ')}`
        t.ok(examplesOf(media).length > 0, where)
        for (const example of examplesOf(media)) t.strictSame(document.faultsOf(example, 'paths', path, method.toLowerCase(), ...at, 'content', type, 'schema'), [], where)
      }
    }
  }
  for (const [name, { examples = [] }] of Object.entries(schemas)) {
    t.ok(examples.length > 0, name)
    for (const example of examples) t.strictSame(document.faultsOf(example, 'components', 'schemas', name), [], name)
  }
})

await t.test('every refusal is a problem, told code by code with an example of its status', async (t) => {
  for (const { path, method, is } of operations) {
    const where = nameOf({ path, method })
    for (const [status, { content, description }] of Object.entries(is.responses as Record<string, { description: string, content: Record<string, { schema: { $ref: string }, examples: Record<string, { value: { instance: string } }> }> }>)) {
      if (Number(status) < 400) continue
      t.strictSame(Object.keys(content), ['application/problem+json'], `${where}: ${status}`)
      const { schema, examples } = content['application/problem+json'] as NonNullable<typeof content[string]>
      t.equal(schema.$ref, '#/components/schemas/Problem', `${where}: ${status}`)
      for (const [code, { value }] of Object.entries(examples)) {
        t.equal(errorList[code as ErrorCode].status, Number(status), `${where}: ${code}`)
        t.match(value, { code, status: Number(status), type: `/problems/${code}` }, `${where}: ${code}`)
        t.match(value.instance, new RegExp(`^${path.replace(/\{\w+\}/, '[\\w.-]+')}$`), `${where}: ${code}`)
        t.ok(description.includes(`\`${code}\``), `${where}: ${code}`)
      }
    }
  }
})

await t.test('a body that may be absent is not said to be required', async (t) => {
  const { accessToken } = await register(service)
  for (const { path, method, is } of operations.filter(({ is }) => is.requestBody !== undefined)) {
    const { status } = await service.call(path, { method, ...(isGuarded({ is }) ? { token: accessToken } : !is.tags.includes('visits') && !is.tags.includes('preferences') && { token: 'rubbish' }) })
    const needed = status === 400
    t.equal(is.requestBody.required === true, needed, `${nameOf({ path, method })} without a body: ${status}`)
  }
})
