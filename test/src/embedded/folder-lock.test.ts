// One process to a folder: who is refused, who takes over, and that of several starters exactly one gets it.
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { kill, nextMessage, openStore, start } from './helper.ts'

const lockOf = (dir: string) => join(dir, 'latchkey.lock')

async function starter (t: Test, dir: string, file = 'lock-child.ts'): Promise<ChildProcess> {
  const child = start(file, dir)
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
    t.strictSame(JSON.parse(readFileSync(lockOf(dir), 'utf8')), mine, what)
    await client.close()
  }
  t.strictSame(readdirSync(dir), [])
})

await t.test('of several starters exactly one wins, also over a stale lock', async (t) => {
  const dir = t.testdir()
  const starters = await Promise.all(Array.from({ length: 4 }, () => starter(t, dir, 'lock-race-child.ts')))
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
  const claimOf = (text: string) => `${lockOf(dir)}.heir-of-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  writeFileSync(lockOf(dir), dead(1))
  writeFileSync(claimOf(dead(1)), dead(2))
  writeFileSync(claimOf(dead(2)), dead(3))
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
  writeFileSync(`${lockOf(dir)}.heir-of-${createHash('sha256').update(stale).digest('hex').slice(0, 16)}`, taker)
  await t.rejects(openStore(dir), { message: `in use by another latchkey process (pid ${child.pid})` })
  t.equal(readFileSync(lockOf(dir), 'utf8'), stale)
})
