// What happens to the processes themselves (REQUIREMENTS 3.3): killed, frozen, asked to end, out of descriptors, short of
// memory. The other instance goes on, and a client that comes again is never punished for it.
import { execFile } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { promisify } from 'node:util'
import autocannon from 'autocannon'
import type { SessionRecord } from '../../src/session/session-rules.ts'
import type { Call } from '../helper/http.ts'
import { login, newPerson, register, type Login } from '../helper/people.ts'
import { until } from '../helper/service.ts'
import { callerAt } from './cast.ts'
import type { Cell, Stage } from './cell.ts'
import { verdictSeconds, wait, type Instance } from './field.ts'

const run = promisify(execFile)
const verdictMs = verdictSeconds * 1000
const protectedPath = '/api/protected'

/** @param nofile most descriptors of the process from now on */
const limitDescriptors = (instance: Instance, nofile: number) => run('prlimit', ['--pid', String(instance.process().child.pid), `--nofile=${nofile}:`])

/** Sends requests and kills the instance while they are in flight. @returns their statuses, undefined where the answer was lost */
async function killDuring (instance: Instance, calls: [string, Call][]): Promise<(number | undefined)[]> {
  const answers = calls.map(([path, call]) => instance.call(path, call).then(({ status }) => status, () => undefined))
  await wait(Math.random() * 40)
  await instance.kill()
  return await Promise.all(answers)
}

/** One client for each kind of request is interrupted; each comes again at the other instance and is not punished. */
async function interruptAndRetry ({ field: { instances: [a, b] }, fail }: Stage): Promise<void> {
  const newcomer = newPerson()
  const [refreshing, leaving, writing] = await Promise.all([register(callerAt(b)), register(callerAt(b)), register(callerAt(b))])
  const calls: [string, Call, number[]][] = [
    ['/api/auth/refresh', { method: 'POST', body: { refreshToken: refreshing.refreshToken } }, [200]],
    ['/api/auth/logout', { method: 'POST', token: leaving.accessToken }, [200]],
    ['/api/session/page', { method: 'POST', token: writing.accessToken, body: { pageId: '/kept' } }, [201]],
    ['/api/preferences', { method: 'POST', token: writing.accessToken, body: { theme: 'dark' } }, [200]],
    ['/api/auth/register', { method: 'POST', body: newcomer }, [201, 409]]
  ]
  const first = await killDuring(a, calls.map(([path, call]) => [path, call]))
  for (const [n, [path, call, good]] of calls.entries()) {
    if (path === '/api/session/page' && first[n] === 201) continue // it is there: a second one would be another page
    const { status } = await callAgain(b, path, call)
    if (!good.includes(status)) fail(`${path} again: ${status}`)
  }
  const { json } = await b.call('/api/session/page', { token: writing.accessToken })
  if (!json.items.some(({ pageId }: { pageId: string }) => pageId === '/kept')) fail('an acknowledged page is gone')
  await login(callerAt(b), newcomer)
  await a.start()
}

/** As an honest client asks: a 503 is asked again. */
async function callAgain (instance: Instance, path: string, call: Call): ReturnType<Instance['call']> {
  for (let tries = 1; ; tries++) {
    const answer = await instance.call(path, call)
    if (answer.status !== 503 || tries === 10) return answer
    await wait(250)
  }
}

/** Revocations that die with their instance: what the truth has is dead everywhere within T_fault. */
async function killWhileRevoking ({ field: { instances: [a, b], db }, fail, measured }: Stage, rounds: number): Promise<void> {
  const struck: { one: Login, status: number | undefined, at: number }[] = []
  const people = await Promise.all(Array.from({ length: 2 }, () => register(callerAt(b))))
  for (let round = 0; round < rounds; round++) {
    const opened = await Promise.all(Array.from({ length: 8 }, (_, n) => login(callerAt(b), (people[n % 2] as typeof people[0]).person)))
    for (const { accessToken: token } of opened) await b.call(protectedPath, { token })
    const statuses = await killDuring(a, opened.map(({ accessToken: token }) => ['/api/auth/logout', { method: 'POST', token }]))
    struck.push(...opened.map((one, n) => ({ one, status: statuses[n], at: performance.now() })))
    await a.start()
  }
  let [done, late] = [0, 0]
  await Promise.all(struck.map(async ({ one: { sid, accessToken: token }, status, at }) => {
    const record = await db.collection<SessionRecord>('usersession').findOne({ _id: sid })
    const isOver = record?.revokedAt !== null
    if (status === 200 && !isOver) fail('an acknowledged logout is gone')
    if (!isOver) return
    done++
    if (status === undefined) late++
    const isDead = async () => (await b.call(protectedPath, { token })).status === 401
    await until(isDead, 'it is dead on the other instance', Math.max(100, at + verdictMs + 1000 - performance.now())).catch((error: unknown) => { fail(String(error)) })
  }))
  measured(`${rounds} kills during ${struck.length} logouts: ${done} of them were done, ${late} of these without an answer`)
}

/** Connections that say nothing. */
async function crowd (instance: Instance, count: number): Promise<Socket[]> {
  const { port } = new URL(instance.origin)
  return await Promise.all(Array.from({ length: count }, () => new Promise<Socket>((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => { resolve(socket) })
    socket.on('error', () => { resolve(socket) })
  })))
}

let crowded: Socket[] = []
let remembered: Login[] = []

export const processCells: Cell[] = [
  {
    id: 'F-P1',
    fault: 'instance A is killed in the middle of a refresh, logout, registration, page and preference, again and again',
    required: 'the same request on B succeeds; nothing that was acknowledged is lost; nobody is punished for coming again',
    recoverWithinMs: 2000,
    standsMs: 0,
    short: true,
    async strike (stage) {
      const rounds = stage.isShort ? 2 : 5
      for (let round = 0; round < rounds; round++) await interruptAndRetry(stage)
      stage.measured(`${rounds} kills`)
    },
    heal () { /* it runs again */ }
  },
  {
    id: 'F-P2',
    fault: 'instance A is killed between the truth and the message of a revocation, again and again',
    required: 'what the truth has ended is dead on B within T_fault',
    recoverWithinMs: 2000,
    standsMs: 0,
    revocationWithin: 'verdict',
    strike: (stage) => killWhileRevoking(stage, 6),
    heal () { /* it runs again */ }
  },
  {
    id: 'F-P3',
    fault: 'instance A stops for 20 s and goes on (SIGSTOP, SIGCONT)',
    required: 'its first answers know what was revoked meanwhile',
    recoverWithinMs: 3000,
    standsMs: 20_000,
    async strike ({ field: { instances: [a, b] } }) {
      const { person } = await register(callerAt(b))
      remembered = await Promise.all(Array.from({ length: 5 }, () => login(callerAt(b), person)))
      for (const { accessToken: token } of remembered) for (let n = 0; n < 2; n++) await a.call(protectedPath, { token })
      a.markDown(true)
      a.process().child.kill('SIGSTOP')
      for (const { accessToken: token } of remembered) await b.call('/api/auth/logout', { method: 'POST', token })
    },
    async heal ({ field: { instances: [a] }, fail }) {
      a.process().child.kill('SIGCONT')
      const answers = await Promise.all(remembered.map(({ accessToken: token }) => a.call(protectedPath, { token })))
      for (const { status } of answers) if (![401, 503].includes(status)) fail(`a session that was revoked during the stop: ${status}`)
      a.markDown(false)
    }
  },
  {
    id: 'F-P4',
    fault: 'instance A is asked to end under load (SIGTERM)',
    required: 'what it has accepted is answered, exit 0 within 10 s, no acknowledged write lost',
    recoverWithinMs: 2000,
    standsMs: 0,
    async strike ({ field: { instances: [a] }, fail, measured }) {
      const { child, ended } = a.process()
      const calls = Array.from({ length: 10 }, () => a.call('/api/auth/register', { method: 'POST', body: newPerson() }).then(({ status }) => status, (error: Error & { code?: string }) => error.code))
      await wait(30)
      a.markDown(true)
      const begin = performance.now()
      child.kill('SIGTERM')
      const { code } = await ended
      measured(`ended after ${((performance.now() - begin) / 1000).toFixed(1)} s`)
      if (code !== 0) fail(`exit code ${code}`)
      if (performance.now() - begin > 10_000) fail('it took too long')
      for (const answer of await Promise.all(calls)) if (answer !== 201 && answer !== 503) fail(`accepted and not answered: ${answer}`)
    },
    heal: ({ field: { instances: [a] } }) => a.start()
  },
  {
    id: 'F-P5',
    fault: 'instance A is out of descriptors (prlimit --nofile)',
    required: 'no crash; open connections are served; new ones as soon as there are descriptors again',
    recoverWithinMs: 5000,
    standsMs: 3000,
    async strike ({ field: { instances: [a] } }) {
      a.markDown(true) // new connections may be refused meanwhile
      await limitDescriptors(a, a.descriptors() + 4)
      crowded = await crowd(a, 100)
    },
    async heal ({ field: { instances: [a] } }) {
      for (const socket of crowded) socket.destroy()
      await limitDescriptors(a, 4096)
      a.markDown(false)
    }
  },
  {
    id: 'F-P6',
    fault: 'instance A has a heap of 128 MB, and 300 connections ask and write without a pause',
    required: 'it does not run out of memory; what it cannot take is 503',
    recoverWithinMs: 5000,
    standsMs: 0,
    async strike ({ field: { instances: [a] }, cast, measured, fail }) {
      await a.kill()
      await a.start({ NODE_OPTIONS: '--max-old-space-size=128' })
      a.markDown(true) // it answers late, and that is the fault's
      const [one] = cast.live
      const headers = { authorization: `Bearer ${one?.accessToken}`, 'content-type': 'application/json' }
      const load = await autocannon({
        url: a.origin,
        connections: 300,
        duration: 8,
        requests: [
          { method: 'GET', path: '/api/auth/profile', headers },
          { method: 'POST', path: '/api/session/page', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ pageId: `/${'x'.repeat(200)}` }) },
          { method: 'POST', path: '/api/auth/login', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email: 'nobody@leak-mark.example', password: 'x'.repeat(60) }) },
          { method: 'GET', path: '/api/auth/sessions', headers }
        ]
      })
      measured(`${load.requests.total} requests, ${load['5xx']} put off, ${load.errors} broken`)
      if (load.errors > 0) fail(`${load.errors} connections broke`)
    },
    heal ({ field: { instances: [a] } }) { a.markDown(false) },
    async afterwards ({ field: { instances: [a] } }) {
      await a.kill()
      await a.start()
    }
  }
]
