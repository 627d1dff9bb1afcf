// What surrounds the processes (REQUIREMENTS 3.3): clocks that differ or jump, networks that are cut on one side, clients that
// do not read, disks that are full.
import { execFile, execFileSync, spawn } from 'node:child_process'
import { openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { enginesScript } from '../helper/engines.ts'
import { callHttp } from '../helper/http.ts'
import { freePort } from '../helper/own-engines.ts'
import { register } from '../helper/people.ts'
import { pictureOf, upload } from '../helper/pictures.ts'
import { startProcess } from '../helper/process.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { until } from '../helper/service.ts'
import { callerAt } from './cast.ts'
import type { Cell, Stage } from './cell.ts'
import { verdictSeconds, wait, type Instance } from './field.ts'

const run = promisify(execFile)
const verdictMs = verdictSeconds * 1000

/** libfaketime, which the engines' script finds or fetches. */
function findFaketime (): string | undefined {
  try {
    return process.env['FAKETIME_LIBRARY'] ?? execFileSync(enginesScript as string, ['faketime'], { encoding: 'utf8' }).trim()
  } catch { /* its own error has said why */ }
}

const faketime = findFaketime()
const withoutFaketime = faketime === undefined && 'needs libfaketime (or FAKETIME_LIBRARY, its path)'
const faked = (env: Record<string, string>): Record<string, string> => ({ LD_PRELOAD: faketime as string, FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_NO_CACHE: '1', ...env })

async function restartB ({ field: { instances: [, b] } }: Stage, env: Record<string, string> = {}): Promise<void> {
  await b.kill()
  await b.start(env)
}

const skewed = (id: string, offset: string, fault: string): Cell => ({
  id,
  fault,
  required: 'tokens of A are good on B and the other way round; grace and revocations are not touched by it',
  recoverWithinMs: 2000,
  standsMs: 8000,
  skip: withoutFaketime,
  strike: (stage) => restartB(stage, faked({ FAKETIME: offset })),
  heal: (stage) => restartB(stage)
})

/** The clock of B is where this file says. */
let clockFile = ''

const memoryOf = (instance: Instance): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${instance.process().child.pid}/status`, 'utf8'))?.[1]) / 1024

/** Clients that ask for a picture many times and never read. */
let slow: Socket[] = []
let memoryBefore = 0

async function askAndNeverRead ({ field: { instances: [a] } }: Stage): Promise<void> {
  const { accessToken } = await register(callerAt(a))
  const { json } = await upload(callerAt(a), accessToken, await pictureOf('png', 700, 700))
  memoryBefore = memoryOf(a)
  const { port } = new URL(a.origin)
  slow = await Promise.all(Array.from({ length: 40 }, () => new Promise<Socket>((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => { resolve(socket) }).pause()
    socket.on('error', () => { /* it was cut */ })
    socket.write(`GET ${json.avatarUrl} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(20))
  })))
}

/**
 * How many of an instance's connections from these clients still stand, by its own sockets. A client's port alone does not
 * name a connection: Linux gives the same one to connections to different servers.
 */
function stillOpen ({ origin }: Instance, sockets: readonly Socket[]): number {
  const portIn = (address = ''): number => parseInt(address.split(':')[1] ?? '', 16)
  const served = Number(new URL(origin).port)
  const clients = new Set(sockets.map(({ localPort }) => localPort))
  const established = '01'
  const table = readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/ +/))
  return table.filter(([, local, remote, state]) => state === established && portIn(local) === served && clients.has(portIn(remote))).length
}

/** One process on the embedded store, whose files may not grow any more. */
async function fillEmbeddedStore ({ field: { scope }, fail, measured }: Stage): Promise<void> {
  const folder = scratchFolder(scope)
  const server = startProcess(scope, { NODE_ENV: 'test', DATA_DIR: folder, BCRYPT_COST: '10' })
  const origin = await server.origin
  const caller = { call: server.call, get: server.call, post: (path: string, body?: unknown) => server.call(path, { method: 'POST', body }) }
  const { accessToken: token } = await register(caller)
  const first = await upload(caller, token, await pictureOf('png', 400, 400))
  const largest = Math.max(...readdirSync(folder).map((file) => statSync(join(folder, file)).size))
  await run('prlimit', ['--pid', String(server.child.pid), `--fsize=${largest + 50_000}:`])
  const refused = await upload(caller, token, await pictureOf('png', 400, 400))
  measured(`embedded store at its limit: ${refused.status}`)
  if (![503, 507].includes(refused.status)) fail(`an upload with a full disk: ${refused.status} ${refused.text.slice(0, 120)}`)
  const { json: profile } = await server.call('/api/auth/profile', { token })
  if (profile?.avatarUrl !== first.json.avatarUrl) fail('the profile points at another picture')
  if ((await callHttp(origin, first.json.avatarUrl)).status !== 200) fail('the old picture is gone')
  await run('prlimit', ['--pid', String(server.child.pid), '--fsize=unlimited:'])
  const again = await upload(caller, token, await pictureOf('png', 400, 400))
  if (again.status !== 201) fail(`an upload once there is space again: ${again.status} ${again.text.slice(0, 120)}`)
  server.child.kill('SIGTERM')
  const { code } = await server.ended
  if (code !== 0) fail(`the process with the full disk ended with ${code}`)
}

/** One process whose log goes to a device that is always full. */
async function logToFullDisk ({ field: { settings, scope }, fail, measured }: Stage): Promise<void> {
  const port = await freePort()
  const log = openSync('/dev/full', 'w')
  const server = fileURLToPath(new URL('../../dist/src/server.js', import.meta.url))
  const child = spawn(process.execPath, [server], { env: { PATH: process.env['PATH'], ...settings, NODE_ENV: 'production', PORT: String(port) }, stdio: ['ignore', log, log] })
  scope.teardown(() => { child.kill('SIGKILL') })
  const origin = `http://127.0.0.1:${port}`
  const isUp = async () => (await callHttp(origin, '/livez').catch(() => undefined))?.status === 200
  await until(isUp, 'it answers', 15_000).catch((error: unknown) => { fail(`${String(error)}; exit ${child.exitCode}`) })
  let slowestMs = 0
  for (let n = 0; n < 50 && child.exitCode === null; n++) {
    const { status, ms } = await callHttp(origin, '/api/auth/login', { method: 'POST', body: { email: `nobody-${n % 5}@leak-mark.example`, password: 'not this one' } })
    if (status !== 401) fail(`login: ${status}`)
    slowestMs = Math.max(slowestMs, ms)
  }
  measured(`log on a full device: 50 logins, slowest ${Math.round(slowestMs)} ms`)
  if (child.exitCode !== null || !await isUp()) fail(`the process with the full log has ended: ${child.exitCode}`)
  child.kill('SIGTERM')
}

const nothing = (): void => { /* the fault was another process's */ }

export const edgeCells: Cell[] = [
  skewed('F-C1/ahead', '+30s', 'the clock of B is 30 s ahead'),
  skewed('F-C1/behind', '-30s', 'the clock of B is 30 s behind'),
  {
    id: 'F-C2',
    fault: 'the clock of B jumps 10 min ahead and back while it runs',
    required: 'nobody is logged out by it; what is revoked is dead on both; jobs do not run wild',
    recoverWithinMs: 60_000,
    standsMs: 4000,
    skip: withoutFaketime,
    revocationWithin: 'verdict',
    async strike (stage) {
      clockFile = join(scratchFolder(stage.field.scope), 'clock')
      writeFileSync(clockFile, '+0')
      await restartB(stage, faked({ FAKETIME_TIMESTAMP_FILE: clockFile }))
      await wait(2000)
      writeFileSync(clockFile, '+600')
      await wait(6000)
      writeFileSync(clockFile, '+0')
    },
    heal: nothing,
    afterwards: (stage) => restartB(stage)
  },
  {
    id: 'F-N1',
    fault: 'A is cut from Redis, B is not',
    required: 'what A revokes is dead on B within T_fault; A goes on with MongoDB',
    recoverWithinMs: 5000,
    standsMs: verdictMs + 3000,
    revocationWithin: 'verdict',
    checksPutOffAtMost: 0.01,
    strike ({ field: { instances: [a] } }) {
      a.redis.set('blackhole')
      a.redis.drop()
    },
    heal ({ field: { instances: [a] } }) { a.redis.set('pass') }
  },
  {
    id: 'F-N2',
    fault: 'only the channel of revocations is cut (the subscribers\' connections)',
    required: 'memory answers a second at most: revocations are felt within T',
    recoverWithinMs: 5000,
    standsMs: 6000,
    checksPutOffAtMost: 0.01,
    short: true,
    async strike ({ field: { admin } }) {
      await admin.call('ACL', 'SETUSER', 'default', '-subscribe')
      await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    },
    heal: ({ field: { admin } }) => admin.call('ACL', 'SETUSER', 'default', '+subscribe').then(() => { /* done */ })
  },
  {
    id: 'F-N3',
    fault: '40 clients ask for a picture of 1.4 MB twenty times each and never read',
    required: 'memory does not grow with what they do not read; they are cut after a time-out',
    recoverWithinMs: 2000,
    standsMs: 3000,
    strike: askAndNeverRead,
    async meanwhile ({ field: { instances: [a] }, fail, measured }) {
      const grown = memoryOf(a) - memoryBefore
      measured(`${grown.toFixed(0)} MB more memory`)
      if (grown > 150) fail(`${grown.toFixed(0)} MB more memory`)
      const begin = performance.now()
      await until(() => stillOpen(a, slow) === 0, 'they are cut', 60_000).catch((error: unknown) => { fail(`${String(error)}; ${stillOpen(a, slow)} of ${slow.length} are not`) })
      measured(`cut after ${((performance.now() - begin) / 1000 + 3).toFixed(0)} s`)
    },
    heal () { for (const socket of slow) socket.destroy() }
  },
  {
    id: 'F-D1',
    fault: 'the file of the embedded store may not grow any more (prlimit --fsize), while a picture is uploaded',
    required: '503 or 507; the old picture stays, the new one comes as soon as there is space',
    recoverWithinMs: 2000,
    standsMs: 0,
    strike: fillEmbeddedStore,
    heal: nothing
  },
  {
    id: 'F-D2',
    fault: 'the log goes to a device that is full',
    required: 'the service goes on answering',
    recoverWithinMs: 2000,
    standsMs: 0,
    strike: logToFullDisk,
    heal: nothing
  }
]
