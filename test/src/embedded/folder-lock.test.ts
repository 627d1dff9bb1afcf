// One process to a folder: who is refused, who takes over, and that of several starters exactly one gets it.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { kill, nextMessage, openStore, start } from './helper.ts'

const lockOf = (dir: string) => join(dir, 'latchkey.lock')
const recordIn = (dir: string) => JSON.parse(readFileSync(lockOf(dir), 'utf8')) as Record<string, unknown>
const claimOf = (dir: string, text: string) => `${lockOf(dir)}.heir-of-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
const socketName = (digit: string) => `latchkey.holder-${digit.repeat(16)}.lock`

// As a container does; a user namespace lets those do it too who are not root.
const unshare = [[], ['--user', '--map-root-user']]
  .map((user) => [...user, '--pid', '--fork', '--kill-child', '--mount-proc'])
  .find((options) => spawnSync('unshare', [...options, 'true']).status === 0)

/** As `start`, but as pid 1 of a pid namespace of its own. What unshare itself has to say of a killed child is left out. */
function startApart (options: string[], file: string, dir: string): ChildProcess {
  const command = ['sh', '-c', 'exec "$@" 2>&4', 'sh', process.execPath, ...process.execArgv, join(import.meta.dirname, file), dir]
  return spawn('unshare', [...options, ...command], { stdio: ['ignore', 'ignore', 'ignore', 'ipc', 2], env: { ...process.env, TAP: '0' } })
}

async function starter (t: Test, dir: string, file = 'lock-child.ts', apart?: string[]): Promise<ChildProcess> {
  const child = apart ? startApart(apart, file, dir) : start(file, dir)
  t.teardown(async () => { if (child.exitCode === null && child.signalCode === null) await kill(child) })
  await nextMessage(child)
  return child
}

async function tell (child: ChildProcess, command: 'open' | 'close'): Promise<string> {
  const answer = nextMessage<string>(child)
  child.send(command)
  return await answer
}

await t.test('a second process is refused and told who, where and what to do', async (t) => {
  const dir = t.testdir()
  const child = await starter(t, dir)
  t.equal(await tell(child, 'open'), 'open')
  await t.rejects(openStore(dir), { code: 'ELOCKED', message: `${dir} is in use by another latchkey process (pid ${child.pid}). Give each process its own DATA_DIR, or set MONGODB_URI so that they share one database.` })
  t.equal(await tell(child, 'close'), 'close')
  const { client } = await openStore(dir)
  t.match(await tell(child, 'open'), `in use by another latchkey process (pid ${process.pid})`)
  await client.close()
  t.strictSame(readdirSync(dir), [], 'the lock is gone')
})

await t.test('a folder is not opened twice in one process', async (t) => {
  const dir = t.testdir()
  const { client } = await openStore(dir)
  await t.rejects(openStore(join(dir, '.')), { code: 'ELOCKED', message: `${dir} is already open in this process (pid ${process.pid}). Open each folder once and share the client.` })
  await client.close()
  await (await openStore(dir)).client.close()
})

await t.test('a lock left by kill -9 is taken over at once', async (t) => {
  const dir = t.testdir()
  const child = await starter(t, dir)
  await tell(child, 'open')
  await kill(child)
  const { client } = await openStore(dir)
  t.equal(JSON.parse(readFileSync(lockOf(dir), 'utf8')).pid, process.pid)
  await client.close()
  t.strictSame(readdirSync(dir), [])
})

await t.test('a process that was killed and not yet reaped holds nothing', { skip: process.platform !== 'linux' }, async (t) => {
  const dir = t.testdir()
  const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] }) // sleep reaps nobody
  t.teardown(() => parent.kill())
  const pid = Number(String((await once(parent.stdout, 'data'))[0]))
  const stat = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  while (stat()[0] !== 'Z') await new Promise((resolve) => setImmediate(resolve))
  const { client } = await openStore(dir)
  const mine = JSON.parse(readFileSync(lockOf(dir), 'utf8')) as Record<string, unknown>
  await client.close()
  writeFileSync(lockOf(dir), JSON.stringify({ ...mine, pid, start: stat()[19] }))
  await (await openStore(dir)).client.close()
})

await t.test('a pid that another process has now holds nothing', { skip: process.platform !== 'linux' }, async (t) => {
  const dir = t.testdir()
  const { client } = await openStore(dir)
  const mine = JSON.parse(readFileSync(lockOf(dir), 'utf8')) as Record<string, unknown>
  await client.close()
  for (const [what, lock] of Object.entries({
    'this very pid, as in a restarted container': { ...mine, start: '1' },
    'the pid of a living process that started at another time': { ...mine, pid: process.ppid, start: '1' },
    'this process in another life of the machine': { ...mine, boot: 'another' },
    'nobody: a lock without content, as after a loss of power': '',
    nonsense: null
  })) {
    writeFileSync(lockOf(dir), lock === '' ? '' : JSON.stringify(lock))
    const { client } = await openStore(dir)
    t.strictSame({ ...recordIn(dir), socket: mine['socket'] }, mine, what)
    await client.close()
  }
  t.strictSame(readdirSync(dir), [])
})

await t.test('of several starters exactly one wins, also over a stale lock', async (t) => {
  const dir = t.testdir()
  const starters = await Promise.all([undefined, undefined, unshare, unshare].map((apart) => starter(t, dir, 'lock-race-child.ts', apart)))
  const tallies = await Promise.all(starters.map((child) => {
    const answer = nextMessage<{ won: number, refused: number, shared: number, errors: string[] }>(child)
    child.send(3000)
    return answer
  }))
  for (const { won, shared, errors } of tallies) t.ok(won > 0 && shared === 0 && errors.length === 0, JSON.stringify(tallies))
})

await t.test('starters that died while taking over a stale lock are succeeded in turn', { skip: process.platform !== 'linux' }, async (t) => {
  const dir = t.testdir()
  const dead = (n: number) => JSON.stringify({ pid: process.pid, start: String(n), boot: 'another' })
  writeFileSync(lockOf(dir), dead(1))
  writeFileSync(claimOf(dir, dead(1)), dead(2))
  writeFileSync(claimOf(dir, dead(2)), dead(3))
  await (await openStore(dir)).client.close()
  t.strictSame(readdirSync(dir), [])
})

await t.test('while one starter takes over a stale lock another one is refused', async (t) => {
  const dir = t.testdir()
  const child = await starter(t, dir)
  await tell(child, 'open')
  const taker = readFileSync(lockOf(dir), 'utf8')
  const stale = JSON.stringify({ pid: process.pid, start: '1', boot: 'another' })
  writeFileSync(lockOf(dir), stale)
  writeFileSync(claimOf(dir, stale), taker)
  await t.rejects(openStore(dir), { message: `in use by another latchkey process (pid ${child.pid})` })
  t.equal(readFileSync(lockOf(dir), 'utf8'), stale)
})

await t.test('of two containers on one volume the second is refused while the first lives, and succeeds it when it was killed', {
  skip: !unshare && 'this user may not make a pid namespace (unshare --pid)'
}, async (t) => {
  const dir = t.testdir()
  const [first, second] = await Promise.all([starter(t, dir, 'lock-child.ts', unshare), starter(t, dir, 'lock-child.ts', unshare)])
  t.equal(await tell(first, 'open'), 'open')
  const held = recordIn(dir)
  t.equal(held['pid'], 1)
  t.match(await tell(second, 'open'), `${dir} is in use by another latchkey process (pid 1 of another container).`)
  await t.rejects(openStore(dir), { code: 'ELOCKED' }, 'nor does one outside get it')
  t.strictSame(readdirSync(dir).sort(), [held['socket'], 'latchkey.lock'], 'who was refused left nothing')

  const gone = once(first, 'exit') // unshare, which waits for its child
  process.kill(Number(readFileSync(`/proc/${first.pid}/task/${first.pid}/children`, 'utf8')), 'SIGKILL')
  await gone
  t.equal(await tell(second, 'open'), 'open')
  t.not(recordIn(dir)['socket'], held['socket'])
  t.strictSame(readdirSync(dir).sort(), [recordIn(dir)['socket'], 'latchkey.lock'], 'the socket of the dead is gone')
  await tell(second, 'close')
  t.strictSame(readdirSync(dir), [])
})

for (const [what, name] of [['a folder', ''], ['a folder whose path no socket could have', `${'deep'.repeat(50)}/${'er'.repeat(50)}`]] as const) {
  await t.test(`in ${what}, the holder of another pid namespace lives exactly as long as its socket accepts`, { skip: process.platform !== 'linux' }, async (t) => {
    const dir = join(t.testdir(), name)
    mkdirSync(dir, { recursive: true })
    const child = await starter(t, dir)
    await tell(child, 'open')
    const elsewhere = { ...recordIn(dir), pid: process.pid, start: '1', pidNamespace: 'pid:[1]' }
    const socket = join(dir, String(recordIn(dir)['socket']))
    writeFileSync(lockOf(dir), JSON.stringify(elsewhere))
    await t.rejects(openStore(dir), { code: 'ELOCKED', message: `in use by another latchkey process (pid ${process.pid} of another container)` })
    await t.rejects(openStore(dir), { code: 'ELOCKED' }, 'being asked, it goes on to answer')
    writeFileSync(lockOf(dir), JSON.stringify({ ...elsewhere, boot: 'another' }))
    await (await openStore(dir)).client.close()
    t.notOk(existsSync(socket), 'of another boot nobody is asked')
    await kill(child)

    const next = await starter(t, dir)
    await tell(next, 'open')
    const left = { ...recordIn(dir), pidNamespace: 'pid:[1]' }
    writeFileSync(lockOf(dir), JSON.stringify(left))
    await kill(next)
    t.equal(readdirSync(dir).length, 2, 'the dead leaves a socket')
    await (await openStore(dir)).client.close()
    t.strictSame(readdirSync(dir), [], 'nobody listens: inherited, and its socket removed')
    writeFileSync(lockOf(dir), JSON.stringify(left))
    await (await openStore(dir)).client.close()
    t.strictSame(readdirSync(dir), [], 'no socket: inherited')
  })
}

await t.test('a lock of an older version, without namespace or socket, is judged by pid and start', { skip: process.platform !== 'linux' }, async (t) => {
  const dir = t.testdir()
  const { client } = await openStore(dir)
  const { pid, start, boot } = recordIn(dir)
  await client.close()
  writeFileSync(lockOf(dir), JSON.stringify({ pid, start, boot }))
  await t.rejects(openStore(dir), { code: 'ELOCKED', message: 'is already open in this process' })
  writeFileSync(lockOf(dir), JSON.stringify({ pid, start: '1', boot }))
  await (await openStore(dir)).client.close()
  t.strictSame(readdirSync(dir), [])
})

await t.test('an heir removes the sockets of all whom it succeeds, and no other file that a lock may name', async (t) => {
  const volume = t.testdir({ precious: '', folder: { [socketName('1')]: '', [socketName('2')]: '' } })
  const dir = join(volume, 'folder')
  const dead = (socket: string) => JSON.stringify({ pid: process.pid, start: '1', boot: 'another', pidNamespace: 'pid:[1]', socket })
  writeFileSync(lockOf(dir), dead(socketName('1')))
  writeFileSync(claimOf(dir, dead(socketName('1'))), dead(socketName('2')))
  writeFileSync(claimOf(dir, dead(socketName('2'))), dead('../precious'))
  await (await openStore(dir)).client.close()
  t.strictSame(readdirSync(dir), [])
  t.ok(existsSync(join(volume, 'precious')))
})

await t.test('the socket keeps no process alive, and goes with the lock', { skip: process.platform !== 'linux' }, async (t) => {
  const dir = t.testdir()
  const waitedFor = () => process.getActiveResourcesInfo().filter((kind) => kind === 'PipeWrap').length
  const before = waitedFor()
  const { client } = await openStore(dir)
  const socket = String(recordIn(dir)['socket'])
  const isOpen = () => readFileSync('/proc/net/unix', 'utf8').includes(socket)
  t.strictSame(readdirSync(dir).sort(), [socket, 'latchkey.lock'])
  t.ok(isOpen())
  t.equal(waitedFor(), before)
  await client.close()
  t.strictSame(readdirSync(dir), [])
  t.notOk(isOpen())
})
