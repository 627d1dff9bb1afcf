// Story: the end of workers. One that dies is replaced and nobody is kept waiting; asked to end they answer what is in flight;
// none outlives its primary; what cannot start is said once.
import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { callHttp } from '../helper/http.ts'
import { newPerson, register } from '../helper/people.ts'
import { startProcess } from '../helper/process.ts'
import { createDeployment, until } from '../helper/service.ts'
import { startWorkers, withoutWorkers, type Workers } from '../helper/workers.ts'

/** Asks on a connection of its own. */
const askAnew = async (server: Workers, token: string): Promise<number> => (await callHttp(await server.origin, '/api/protected', { token, agent: new Agent() })).status

const portCloses = (server: Workers): Promise<void> => until(() => askAnew(server, '').then(() => false, ({ code }) => code === 'ECONNREFUSED'), 'the port is closed')

/** Sends a registration but for its last byte. @returns a function that sends that byte too, and says what is answered */
async function registerHalfway (server: Workers, requestId: string): Promise<() => Promise<number>> {
  const text = JSON.stringify(newPerson())
  const headers = { 'content-type': 'application/json', 'content-length': text.length, 'x-request-id': requestId }
  const outgoing = httpRequest(`${await server.origin}/api/auth/register`, { method: 'POST', headers, agent: new Agent() })
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
  answered.catch(() => { /* for whoever does not ask */ })
  outgoing.write(text.slice(0, -1))
  return async () => {
    outgoing.end(text.slice(-1))
    const [answer] = await answered
    answer.resume()
    return answer.statusCode as number
  }
}

/** Registrations that stand half-way at both workers. */
async function standHalfway (t: Test, server: Workers): Promise<(() => Promise<number>)[]> {
  const ids = [1, 2, 3, 4].map((n) => `half-${n}`)
  const rests = await Promise.all(ids.map((id) => registerHalfway(server, id)))
  const begun = () => server.logs().filter(({ reqId }) => ids.includes(String(reqId)))
  await until(() => new Set(begun().map(({ reqId }) => reqId)).size === ids.length, 'all have begun')
  t.strictSame([...new Set(begun().map(({ worker }) => worker))].sort(), [1, 2], 'at both')
  return rests
}

/** Stops the second worker and asks four times, each on a new connection. @returns the answers, once one of them is on its way to that worker */
async function askWhileStopped (server: Workers, token: string): Promise<Promise<number>[]> {
  process.kill(server.pidOf(2), 'SIGSTOP')
  let answered = 0
  const asked = Array.from({ length: 4 }, async () => {
    const status = await askAnew(server, token)
    answered++
    return status
  })
  await until(() => answered === 3, 'the other ones are answered')
  return asked
}

await t.test('a worker that is killed is replaced, and no request that comes later fails or waits', { skip: withoutWorkers }, async (t) => {
  const server = await startWorkers(t)
  const { accessToken: token } = await register(await server.connectionTo(1))
  for (const number of [2, 1]) {
    const victim = server.pidOf(number)
    process.kill(victim, 'SIGKILL')
    const statuses = await Promise.all(Array.from({ length: 20 }, () => askAnew(server, token)))
    t.strictSame(statuses.filter((status) => status !== 200), [], 'while nobody has noticed yet')
    await until(() => server.pidOf(number) !== victim, 'another one listens')
    const line = server.logs().find(({ workerPid }) => workerPid === victim)
    t.match(line, { level: 40, worker: number, code: null, signal: 'SIGKILL', pauseMs: 0, msg: /died/ })
    t.equal((await (await server.connectionTo(number)).get('/api/protected', { token })).status, 200)
  }
})

await t.test('a connection on its way to a worker that dies is answered by another one, and the port does not outlive the workers', { skip: withoutWorkers }, async (t) => {
  const server = await startWorkers(t, { LOG_LEVEL: 'debug' })
  const { accessToken: token } = await register(await server.connectionTo(1))
  const [victim, asked] = [server.pidOf(2), await askWhileStopped(server, token)]
  process.kill(victim, 'SIGKILL')
  t.strictSame(await Promise.all(asked), [200, 200, 200, 200])

  await until(() => server.pidOf(2) !== victim, 'another one listens')
  const rests = await standHalfway(t, server)
  server.child.kill('SIGTERM')
  await portCloses(server)
  t.strictSame(await Promise.all(rests.map((send) => send())), [201, 201, 201, 201])
  t.equal((await server.ended).code, 0)
})

for (const [what, signal, toAll] of [['its primary', 'SIGTERM', false], ['the whole group, as a terminal does', 'SIGINT', true]] as const) {
  await t.test(`${signal} to ${what}: what is in flight at any worker is answered, nothing new is accepted, and the exit code is 0`, { skip: withoutWorkers }, async (t) => {
    const server = await startWorkers(t, { LOG_LEVEL: 'debug' })
    const rests = await standHalfway(t, server)
    const begin = performance.now()
    for (const pid of [server.child.pid as number, ...(toAll ? [server.pidOf(1), server.pidOf(2)] : [])]) process.kill(pid, signal)
    await portCloses(server)
    t.strictSame(await Promise.all(rests.map((send) => send())), [201, 201, 201, 201])
    t.strictSame(await server.ended, { code: 0, signal: null }, server.printed().slice(-600))
    t.ok(performance.now() - begin < 10_000)
    t.equal(server.logs().filter(({ msg }) => String(msg).startsWith(signal)).length, 1, 'it is said once')
    t.notMatch(server.printed(), /"level":[456]0/)
  })
}

await t.test('asked to end, the port is closed at once, and what is on its way to a worker that is slow to take it is answered', { skip: withoutWorkers }, async (t) => {
  const server = await startWorkers(t)
  const { accessToken: token } = await register(await server.connectionTo(1))
  const [slow, asked] = [server.pidOf(2), await askWhileStopped(server, token)]
  server.child.kill('SIGTERM')
  await portCloses(server)
  process.kill(slow, 'SIGCONT')
  t.strictSame(await Promise.all(asked), [200, 200, 200, 200])
  t.strictSame(await server.ended, { code: 0, signal: null })
})

await t.test('a second signal ends all of them at once', { skip: withoutWorkers }, async (t) => {
  const server = await startWorkers(t, { LOG_LEVEL: 'debug' })
  await standHalfway(t, server)
  const begin = performance.now()
  let isOver = false
  const closed = once(server.child, 'close').then(() => { isOver = true }) // no worker holds its output any more
  await until(() => {
    server.child.kill('SIGTERM')
    return isOver
  }, 'it has ended', 5000)
  await closed
  t.ok(performance.now() - begin > 900, 'the same signal soon after is the same signal')
  t.strictSame(await server.ended, { code: 1, signal: null })
})

await t.test('workers end with a primary that is killed, and the port is free', { skip: withoutWorkers }, async (t) => {
  const server = await startWorkers(t)
  const origin = new URL(await server.origin)
  const closed = once(server.child, 'close', { signal: AbortSignal.timeout(5000) }) // no worker holds its output any more
  server.child.kill('SIGKILL')
  await closed
  const next = createServer().listen(Number(origin.port), origin.hostname)
  await once(next, 'listening')
  next.close()
})

await t.test('what keeps workers from starting is said once and ends the command', { skip: withoutWorkers }, async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => { taken.close() })
  const { env } = createDeployment(t)
  for (const [broken, said] of [[{ PORT: String((taken.address() as AddressInfo).port) }, /Set PORT/g], [{ PORT: 'http' }, /PORT: /g]] as const) {
    const server = startProcess(t, { ...env, WORKERS: '3', ...broken })
    t.strictSame(await server.ended, { code: 1, signal: null })
    t.equal(server.printed().match(said)?.length, 1, server.printed())
    t.notMatch(server.printed(), /\n\s+at |died/)
  }
})
