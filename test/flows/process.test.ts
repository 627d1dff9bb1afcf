// Stories: the service as a process. It starts with nothing installed, says where it is, refuses what it must not do,
// answers what it has accepted and loses nothing that it has acknowledged.
import autocannon from 'autocannon'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { callHttp } from '../helper/http.ts'
import { freePort } from '../helper/own-engines.ts'
import { newPerson, type Person } from '../helper/people.ts'
import { startProcess, type ServerProcess } from '../helper/process.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { testSecret, until } from '../helper/service.ts'

const quick = { BCRYPT_COST: '10', LOGIN_LIMIT_PER_ADDRESS: '100000' }
const post = (server: ServerProcess, path: string, body?: unknown, token?: string) =>
  server.call(path, { method: 'POST', ...(body !== undefined && { body }), ...(token !== undefined && { token }) })

await t.test('with nothing installed: register, sign in, 10,000 guarded calls, refresh, sign out, and the tokens die', async (t) => {
  const server = startProcess(t, { DATA_DIR: scratchFolder(t), ...quick })
  const origin = await server.origin
  for (const part of ['Latchkey', `${origin}/docs`, 'embedded', 'MONGODB_URI']) t.match(server.printed(), part, `the start says ${part}`)

  const person = newPerson()
  t.equal((await post(server, '/api/auth/register', person)).status, 201)
  const { json: first } = await post(server, '/api/auth/login', { email: person.email, password: person.password })
  const load = await autocannon({ url: `${origin}/api/protected`, amount: 10_000, connections: 20, headers: { authorization: `Bearer ${first.accessToken}` } })
  t.equal(load['2xx'], 10_000)
  t.equal(load.non2xx + load.errors + load.timeouts, 0)
  const { json: second } = await post(server, '/api/auth/refresh', { refreshToken: first.refreshToken })
  t.equal((await post(server, '/api/auth/logout', undefined, second.accessToken)).status, 200)
  for (const token of [first.accessToken, second.accessToken]) t.equal((await server.call('/api/protected', { token })).status, 401)
  for (const { refreshToken } of [first, second]) t.equal((await post(server, '/api/auth/refresh', { refreshToken })).status, 401)
})

await t.test('a process killed while people register loses nobody whom it has acknowledged', async (t) => {
  const dir = scratchFolder(t)
  const acknowledged: Person[] = []
  for (let round = 0; round < 3; round++) {
    const server = startProcess(t, { DATA_DIR: dir, ...quick })
    await server.origin
    const enough = new AbortController()
    const work = Array.from({ length: 4 }, async () => {
      while (!enough.signal.aborted) {
        const person = newPerson()
        const answer = await post(server, '/api/auth/register', person).catch(() => undefined)
        if (answer?.status === 201) acknowledged.push(person)
        if (answer === undefined) return
      }
    })
    const before = acknowledged.length
    while (acknowledged.length < before + 5) await new Promise((resolve) => { setTimeout(resolve, 10) })
    server.child.kill('SIGKILL')
    enough.abort()
    await Promise.all([...work, server.ended])
  }
  const server = startProcess(t, { DATA_DIR: dir, ...quick })
  await server.origin
  t.ok(acknowledged.length >= 15)
  for (const { username, password } of acknowledged) { // one after the other: a busy machine may put some of many off
    const { status, text } = await post(server, '/api/auth/login', { username, password })
    t.equal(status, 200, `one of ${acknowledged.length} can sign in: ${status === 200 ? '' : text}`)
  }
})

await t.test('a second process on the same folder is refused with a clear message', async (t) => {
  const dir = scratchFolder(t)
  const first = startProcess(t, { DATA_DIR: dir, ...quick })
  await first.origin
  const second = startProcess(t, { DATA_DIR: dir, ...quick })
  t.strictSame(await second.ended, { code: 1, signal: null })
  t.match(second.printed(), `pid ${String(first.child.pid)}`)
  t.match(second.printed(), 'DATA_DIR')
  t.notMatch(second.printed(), /\n\s+at /, 'no stack where a sentence will do')
  t.equal((await first.call('/livez')).status, 200, 'the first is not disturbed')
})

await t.test('a start that cannot be used says why, names the variable and prints no value', async (t) => {
  const secret = 'do-not-print-this-value'
  const server = startProcess(t, { DATA_DIR: scratchFolder(t), PORT: 'http', ACCESS_TOKEN_SECRET: secret, MONGODB_URI: `postgres://${secret}` })
  t.equal((await server.ended).code, 1)
  for (const name of ['PORT', 'MONGODB_URI']) t.match(server.printed(), name)
  t.notMatch(server.printed(), secret)
  t.notMatch(server.printed(), /\n\s+at /)
})

await t.test('K1 in production a start without good secrets is refused, by the name of the variable and never by its value', async (t) => {
  const names = ['ACCESS_TOKEN_SECRET', 'REFRESH_TOKEN_SECRET', 'SESSION_SECRET'] as const
  const good = () => Object.fromEntries(names.map((name) => [name, testSecret()])) as Record<typeof names[number], string>
  const [short, sample, equal] = ['Xq7-only-31-bytes-of-a-secret-k', 'your-super-secret-jwt-key-that-is-long-enough', testSecret()]
  const starts: Record<string, Record<string, string>> = {
    none: {},
    empty: { ...good(), ACCESS_TOKEN_SECRET: '' },
    short: { ...good(), ACCESS_TOKEN_SECRET: short },
    'a documented sample': { ...good(), ACCESS_TOKEN_SECRET: sample },
    'one pattern': { ...good(), SESSION_SECRET: 'ab'.repeat(32) },
    'the same for tokens and cookies': { ...good(), ACCESS_TOKEN_SECRET: equal, SESSION_SECRET: equal },
    'the same for both tokens, by its old name': { REFRESH_TOKEN_SECRET: equal, SESSION_SECRET: testSecret(), JWT_SECRET: equal },
    'a short one behind a good one': { ...good(), REFRESH_TOKEN_SECRET: `new:${testSecret()},old:${short}` }
  }
  await Promise.all(Object.entries(starts).map(async ([what, secrets]) => {
    const server = startProcess(t, { NODE_ENV: 'production', MONGODB_URI: 'embedded', DATA_DIR: scratchFolder(t), ...secrets })
    const { code } = await server.ended
    t.equal(code, 1, what)
    t.match(server.printed(), what === 'one pattern' ? /SESSION_SECRET/ : what.startsWith('a short one behind') ? /REFRESH_TOKEN_SECRET/ : /ACCESS_TOKEN_SECRET/, what)
    for (const value of Object.values(secrets).flatMap((text) => text.split(/[,:]/))) if (value.length > 8) t.notOk(server.printed().includes(value), `${what}: no value`)
    t.notMatch(server.printed(), /\n\s+at /, what)
  }))
  const server = startProcess(t, { NODE_ENV: 'production', MONGODB_URI: 'embedded', DATA_DIR: scratchFolder(t), ...good() })
  await until(() => server.printed().includes('listening'), 'with good ones it starts', 30_000)
})

await t.test('a taken port is said in a sentence', async (t) => {
  const first = startProcess(t, { DATA_DIR: scratchFolder(t), ...quick })
  const port = new URL(await first.origin).port
  const second = startProcess(t, { DATA_DIR: scratchFolder(t), ...quick, PORT: port })
  t.equal((await second.ended).code, 1)
  t.match(second.printed(), 'Set PORT')
})

await t.test('K3 asked to end under load it answers what it accepted and ends with 0; the same signal twice is one', async (t) => {
  const dir = scratchFolder(t)
  const server = startProcess(t, { DATA_DIR: dir, ...quick })
  const origin = await server.origin
  const { json } = await post(server, '/api/auth/register', newPerson())
  const enough = new AbortController()
  const wrong: string[] = []
  const seen = { answered: 0 }
  const work = Array.from({ length: 16 }, async () => {
    while (!enough.signal.aborted) {
      try {
        const answer = await server.call('/api/protected', { token: json.accessToken })
        if (answer.status === 200) seen.answered++
        else wrong.push(`${answer.status}`)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'ECONNREFUSED') return // it has stopped accepting: nothing was lost
        // an idle connection may be closed just as a request is put on it (RFC 9112 section 9.3.1): a client sends it again
        if (code !== 'ECONNRESET' || !(error as { reusedSocket?: boolean }).reusedSocket) wrong.push(String(code))
        return
      }
    }
  })
  const last = newPerson()
  const slow = post(server, '/api/auth/register', last) // a hash is in flight when the signal comes
  while (seen.answered < 200) await new Promise((resolve) => { setTimeout(resolve, 5) })
  const begin = performance.now()
  server.child.kill('SIGTERM')
  server.child.kill('SIGTERM')
  t.equal((await slow).status, 201, 'what was in flight is answered')
  t.strictSame(await server.ended, { code: 0, signal: null }, server.printed().slice(-600))
  t.ok(performance.now() - begin < 10_000)
  enough.abort()
  await Promise.all(work)
  t.strictSame(wrong, [], `${seen.answered} answers from ${origin}`)
  const again = startProcess(t, { DATA_DIR: dir, ...quick })
  await again.origin
  t.equal((await post(again, '/api/auth/login', { email: last.email, password: last.password })).status, 200, 'and what was acknowledged last is there')
})

await t.test('asked to end, npm takes the service with it, which ends in order', { skip: process.platform === 'win32' && 'has no such signals' }, async (t) => {
  const env = { PATH: process.env['PATH'], HOME: scratchFolder(t), npm_config_update_notifier: 'false', PORT: String(await freePort()), DATA_DIR: scratchFolder(t), ...quick }
  const npm = spawn('npm', ['start'], { cwd: fileURLToPath(new URL('../..', import.meta.url)), env, stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  npm.stdout.on('data', (chunk: Buffer) => { printed += chunk.toString() })
  const origin = `http://127.0.0.1:${env.PORT}`
  await until(async () => (await callHttp(origin, '/livez').catch(() => undefined))?.status === 200, 'it listens', 30_000)
  const pid = Number(/"pid":(\d+)/.exec(printed)?.[1])
  t.teardown(() => { try { process.kill(pid, 'SIGKILL') } catch { /* it has ended */ } })
  t.equal((await callHttp(origin, '/api/auth/register', { method: 'POST', body: newPerson() })).status, 201)
  npm.kill('SIGTERM')
  await until(() => { try { return !process.kill(pid, 0) } catch { return true } }, 'the service has ended', 10_000)
  t.match(printed, /SIGTERM: what is in flight is answered/)
})

await t.test('a log that goes to a full disk costs its lines and nothing else', async (t) => {
  const port = await freePort()
  const log = openSync('/dev/full', 'w')
  const env = { PATH: process.env['PATH'], PORT: String(port), DATA_DIR: scratchFolder(t), ...quick }
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url))], { cwd: env.DATA_DIR, env, stdio: ['ignore', log, log] })
  const ended = once(child, 'exit')
  t.teardown(() => { child.kill('SIGKILL') })
  const origin = `http://127.0.0.1:${port}`
  await until(async () => (await callHttp(origin, '/livez').catch(() => undefined))?.status === 200, 'it listens', 30_000)
  t.equal((await callHttp(origin, '/api/auth/register', { method: 'POST', body: newPerson() })).status, 201, 'also what is logged is answered')
  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
})
