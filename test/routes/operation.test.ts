// Doors of operation: the probes and the catalogue of problems. They need no identity and tell nothing of the machine.
import t from 'tap'
import { realEngines, mongodbUri, redisUrl } from '../helper/engines.ts'
import { startService, untilHearing } from '../helper/service.ts'
import { errorList } from '../../src/errors.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const service = await startService(t)

await t.test('livez says that the process lives, and nothing else', async (t) => {
  const answer = await service.get('/livez')
  t.equal(answer.status, 200)
  t.strictSame(answer.json, { status: 'ok' })
})

await t.test('readyz says which stores answer, by their state and not by their address', async (t) => {
  if (realEngines) await untilHearing(service)
  const answer = await service.get('/readyz')
  t.equal(answer.status, 200)
  t.strictSame(answer.json, {
    status: 'ready',
    mongo: mongodbUri === undefined ? 'embedded' : 'connected',
    redis: redisUrl === undefined ? 'embedded' : 'connected',
    channel: redisUrl === undefined ? 'none' : 'hearing'
  })
  t.ok(answer.ms < 1000)
})

await t.test('probes answer a HEAD and a token that is none alike', async (t) => {
  for (const path of ['/livez', '/readyz']) {
    t.equal((await service.call(path, { method: 'HEAD' })).status, 200, path)
    t.equal((await service.get(path, { token: 'rubbish' })).status, 200, path)
  }
})

await t.test('every code of the list has its page, with its status and what to do', async (t) => {
  for (const [code, { status }] of Object.entries(errorList)) {
    const answer = await service.get(`/problems/${code}`)
    t.equal(answer.status, 200, code)
    t.strictSame(Object.keys(answer.json).sort(), ['advice', 'code', 'detail', 'status', 'title'], code)
    t.match(answer.json, { code, status, title: /\w/, detail: /\w/, advice: /\w/ }, code)
  }
})

await t.test('the `type` of a problem leads to its page', async (t) => {
  const problem = await service.get('/api/auth/profile')
  t.match((await service.get(problem.json.type)).json, { code: 'token_missing', status: 401 })
})

await t.test('a code that is not on the list has no page', async (t) => {
  for (const code of ['nothing', 'TOKEN_MISSING', 'token_missing ', '__proto__', 'constructor', 'toString', 'hasOwnProperty', '%5F%5Fproto%5F%5F', 'a'.repeat(64)]) {
    expectProblem(t, await service.get(`/problems/${code.replace(' ', '%20')}`), 404, 'not_found', { what: code })
  }
  expectProblem(t, await service.get('/problems/'), 404, 'not_found', { what: 'an empty one' })
  expectProblem(t, await service.get('/problems'), 404, 'not_found', { what: 'none' })
  expectProblem(t, await service.get(`/problems/${'a'.repeat(65)}`), 400, 'validation_failed', { what: 'one that is too long' })
})
