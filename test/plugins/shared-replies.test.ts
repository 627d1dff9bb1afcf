// The replies that every operation declares because any can meet them (`commonCodes`): those that need no fault are asked of every
// operation, a fault of ours and a store that does not answer of one door of each class. Slow requests: slow-clients.test.ts.
import { MongoNetworkError } from 'mongodb'
import t, { type Test } from 'tap'
import type { ErrorCode } from '../../src/errors.ts'
import { openClient } from '../helper/client-of.ts'
import { createGates } from '../helper/gates.ts'
import type { Answer, Call } from '../helper/http.ts'
import { noteAnswer } from '../helper/noted-answers.ts'
import { register } from '../helper/people.ts'
import { createDeployment, startService } from '../helper/service.ts'
import { expectProblem } from './expect-problem.ts'
import { readDocument, type Operation } from './openapi-document.ts'
import { exchange } from './raw-http.ts'

const service = await startService(t)
const document = await readDocument(service)
const addressOf = ({ path }: Operation): string => path.replace('{code}', 'not_found').replace('{id}', 'nobodys')

/** Asks every operation for the same refusal, and holds each to what it declares. */
async function everyOperation (t: Test, status: number, code: ErrorCode, ask: (operation: Operation) => Promise<Answer>): Promise<void> {
  for (const operation of document.operations) {
    const answer = await ask(operation)
    expectProblem(t, answer, status, code, { what: operation.is.operationId })
    t.strictSame(document.undeclared(operation, answer), [], operation.is.operationId)
  }
}

await t.test('J1 an address that is too long is refused by every operation', async (t) => {
  await everyOperation(t, 414, 'uri_too_long', async (operation) => await service.call(`${addressOf(operation)}?${'a'.repeat(3000)}`, { method: operation.method }))
})

await t.test('J1 a request that names no host is invalid for every operation', async (t) => {
  await everyOperation(t, 400, 'validation_failed', async (operation) => await exchange(service, `${operation.method} ${addressOf(operation)} HTTP/1.1\r\nConnection: close\r\n\r\n`))
})

await t.test('J1 headers that are too large are refused by every operation', async (t) => {
  await everyOperation(t, 431, 'headers_too_large', async (operation) => {
    const answer = await exchange(service, `${operation.method} ${addressOf(operation)} HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(20_000)}\r\n\r\n`)
    noteAnswer(operation.is.operationId, answer)
    return answer
  })
})

await t.test('J1 whoever asks too often is refused by every operation', async (t) => {
  const limited = await startService(t, { env: { REQUEST_LIMIT_PER_MINUTE: '1' } })
  t.equal((await limited.get('/livez')).status, 200)
  await everyOperation(t, 429, 'rate_limited', async (operation) => await limited.call(addressOf(operation), { method: operation.method }))
})

await t.test('J1 our own fault, and a store that does not answer, are told alike in each class of doors', async (t) => {
  const deployment = createDeployment(t)
  const gates = createGates(await openClient(t, deployment))
  const broken = await startService(t, { deployment, mongoClient: gates.client })
  const { accessToken: token, person } = await register(broken)
  const doors: [path: string, call: Call & { method: string }, read: string][] = [
    ['/api/auth/login', { method: 'POST', body: { email: person.email, password: person.password } }, 'users.findOne'],
    ['/api/session/history', { method: 'GET', token }, 'visits.find'],
    ['/api/auth/sessions', { method: 'GET', token }, 'usersession.find']
  ]
  const failures: [Error, number, ErrorCode][] = [[new TypeError('a mistake of ours'), 500, 'internal_error'], [new MongoNetworkError('the line is dead'), 503, 'unavailable']]
  for (const [path, call, read] of doors) {
    const operation = document.operations.find((one) => one.path === path && one.method === call.method) as Operation
    for (const [error, status, code] of failures) {
      gates.hold(read, 'before').fail(error)
      const answer = await broken.call(path, call)
      expectProblem(t, answer, status, code, { what: path })
      t.strictSame(document.undeclared(operation, answer), [], path)
    }
    t.equal((await broken.call(path, call)).status, 200, `${path} is well again`)
  }
})
