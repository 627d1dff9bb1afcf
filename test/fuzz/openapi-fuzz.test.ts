// Whatever is sent to an operation of the document, it answers what the document says of it: a declared status with a
// declared body, promptly, never a 5xx, and nothing of what is inside (REQUIREMENTS I1, I8, J1, J4). The requests are made
// from the document itself: lawful ones, nearly lawful ones, and whatever else fits into a request.
import fc from 'fast-check'
import t from 'tap'
import type { Call } from '../helper/http.ts'
import { login, register } from '../helper/people.ts'
import { startService, testSecret } from '../helper/service.ts'
import { faultsOfProblem } from '../plugins/expect-problem.ts'
import { readDocument, type Operation } from '../plugins/openapi-document.ts'
import { createClients, kinds, type Kind } from './clients.ts'
import { expectNone, holds, promptly, promptMs } from './fuzz-kit.ts'
import { brokenText, encoded, hostileJson, hostileText, nearlyLawful } from './hostile.ts'
import { lawful, type Schema } from './lawful.ts'

const metricsToken = testSecret()
const service = await startService(t, { env: { METRICS_TOKEN: metricsToken, LOGIN_LIMIT_PER_ADDRESS: '0', LOGIN_LIMIT_PER_ACCOUNT: '0' } })
const document = await readDocument(service)
const clients = await createClients(service)
const { person } = await register(service)

interface Request { kind: Kind, path: string, call: Call }

interface Parameter { name: string, in: string, schema: Schema }

const parametersOf = ({ is }: Operation, place: string): Parameter[] => ((is.parameters ?? []) as Parameter[]).filter((one) => one.in === place)

const brokenEscapes = fc.constantFrom('%', '%zz', '%E0%A4%A', '%00', '..%2f', 'x%0d%0ay')

/** The address with its parameters; one that is empty, or a step up, would be another address. */
function pathsOf (operation: Operation): fc.Arbitrary<string> {
  const parts = parametersOf(operation, 'path').map(({ name, schema }) =>
    fc.oneof({ weight: 2, arbitrary: lawful(schema, document).map(String) }, { weight: 2, arbitrary: hostileText })
      .filter((text) => !['', '.', '..'].includes(text))
      .map(encoded)
      .chain((text) => fc.oneof({ weight: 5, arbitrary: fc.constant(text) }, { weight: 1, arbitrary: brokenEscapes }))
      .map((text) => [name as string, text] as const))
  return fc.tuple(...parts).map((values) => values.reduce((path, [name, text]) => path.replace(`{${name}}`, () => text), operation.path))
}

function queriesOf (operation: Operation): fc.Arbitrary<string> {
  const known = parametersOf(operation, 'query')
  const named = known.map(({ name, schema }) => fc.oneof({ weight: 3, arbitrary: lawful(schema, document).map(String) }, { weight: 1, arbitrary: hostileText }).map((text) => `${name as string}=${encoded(text)}`))
  const odd = fc.oneof(
    fc.tuple(hostileText, hostileText).map(([name, text]) => `${encoded(name)}=${encoded(text)}`),
    fc.tuple(fc.constantFrom('limit', 'cursor', 'scope', 'visit', 'access_token'), hostileText).map(([name, text]) => `${name}[]=${encoded(text)}`),
    brokenEscapes
  )
  const one = fc.oneof(...named.map((arbitrary) => ({ weight: 4, arbitrary })), { weight: 1, arbitrary: odd })
  return fc.array(one, { maxLength: known.length === 0 ? 1 : 3 }).map((parts) => parts.length === 0 ? '' : `?${parts.join('&')}`)
}

const types = fc.constantFrom('application/json', 'application/json; charset=utf-8', 'application/json; charset=utf-16', 'Application/JSON;', 'application/json, text/plain', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'multipart/form-data; boundary=x', 'application/jsonp', '\xff', '__proto__', '')

function bodiesOf ({ is, method }: Operation): fc.Arbitrary<Pick<Call, 'raw' | 'headers'>> {
  const schema = is.requestBody?.content['application/json']?.schema ?? { type: 'object' }
  const fitting = lawful(schema, document)
  const texts = fc.oneof(
    { weight: 3, arbitrary: fitting.map((value) => JSON.stringify(value)) },
    { weight: 4, arbitrary: nearlyLawful(fitting) },
    { weight: 1, arbitrary: hostileJson },
    { weight: 1, arbitrary: brokenText(fitting.map((value) => JSON.stringify(value))) }
  )
  const sent = fc.tuple(texts, fc.oneof({ weight: 9, arbitrary: fc.constant('application/json') }, { weight: 1, arbitrary: types }))
    .map(([raw, type]) => ({ raw, headers: { 'content-type': type } }))
  const none = fc.constant({})
  return is.requestBody === undefined ? fc.oneof({ weight: 4, arbitrary: none }, { weight: method === 'GET' ? 0 : 1, arbitrary: sent }) : fc.oneof({ weight: 12, arbitrary: sent }, { weight: 1, arbitrary: none })
}

/** What a header may hold, a byte a character. */
const headerText = fc.oneof(fc.constantFrom('', 'null', '*', 'https://evil.example', 'cross-site', 'same-origin', 'http://[', 'bytes=0-', 'gzip', '-1'), fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f).map((code) => String.fromCharCode(code)), maxLength: 40 }))
const moreHeaders = fc.dictionary(
  fc.constantFrom('origin', 'sec-fetch-site', 'accept', 'x-request-id', 'user-agent', 'x-forwarded-for', 'forwarded', 'if-none-match', 'range', 'accept-language', 'accept-encoding', 'x-http-method-override', '__proto__'),
  headerText, { maxKeys: 2, noNullPrototype: true })

const requestsOf = (operation: Operation): fc.Arbitrary<Request> =>
  fc.record({ kind: fc.constantFrom(...kinds), path: pathsOf(operation), query: queriesOf(operation), body: bodiesOf(operation), more: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: moreHeaders }) })
    .map(({ kind, path, query, body, more }) => ({ kind, path: path + query, call: { ...body, method: operation.method, headers: { ...more, ...body.headers } } }))

/** Secrets of this service, and what a hash looks like: they stand in no answer, good or bad. */
const secrets = [metricsToken, ...Object.values(service.config.rings).flat().map(({ secret }) => secret)]

async function faultsOf (operation: Operation, { kind, path, call }: Request): Promise<string[]> {
  const headers = await clients.headersOf(kind)
  const answer = await promptly(service.call(path, { ...call, headers: { ...call.headers, ...headers } }))
  return [
    ...(answer.status >= 500 ? [`${answer.status} without a fault: ${answer.text.slice(0, 300)}`] : document.undeclared(operation, answer)),
    ...(answer.status >= 400 ? faultsOfProblem(answer) : []),
    ...(/\$2[aby]\$|passwordHash/.test(answer.text) || secrets.some((secret) => answer.text.includes(secret)) ? ['it tells a secret'] : []),
    ...(answer.ms > promptMs ? [`after ${answer.ms} ms`] : [])
  ]
}

/** Operations that hash a password in almost every run, and are dear. */
const hashing = new Set(['register', 'login', 'changePassword', 'changeProfile'])

for (const operation of document.operations) {
  await t.test(`${operation.method} ${operation.path} answers what it declares, whatever it is sent`, async (t) => {
    await holds(t, hashing.has(operation.is.operationId) ? 20 : 40, requestsOf(operation), async (request) => { expectNone(await faultsOf(operation, request)) })
  })
}

await t.test('the service is well afterwards, and nothing was polluted', async (t) => {
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
  t.equal((await service.get('/livez')).status, 200)
  t.equal((await service.get('/readyz')).status, 200)
  const { accessToken } = await login(service, person)
  t.equal((await service.get('/api/auth/profile', { token: accessToken })).json.email, person.email)
  t.strictSame(service.logs.filter(({ level }) => Number(level) >= 50), [], 'no error was logged')
})
