// Story: the command as people run it, from dist/: it is killed half-way and run again, it finds a store in use, and it
// starts the service.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { buildIfNewer } from '../../scripts/build.mjs'
import { openClient } from '../helper/client-of.ts'
import { rowOf, runCommand } from '../helper/command.ts'
import { noteEvidence } from '../helper/evidence.ts'
import { exportFile, jwtSign, oldAccount, oldSession, seconds } from '../helper/old-service.ts'
import { startProcess } from '../helper/process.ts'
import { createDeployment, until, type Deployment } from '../helper/service.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { ObjectId } from 'mongodb'

buildIfNewer()
const script = fileURLToPath(new URL('../../dist/src/cli.js', import.meta.url))

interface Command { child: ChildProcess, printed: () => string, ended: Promise<number | null> }

/** Runs `latchkey` in a folder of its own, where no .env lies. */
function spawnCommand (t: Test, args: string[], env: Record<string, string>): Command {
  const child = spawn(process.execPath, [script, ...args], { cwd: scratchFolder(t), env: { PATH: process.env['PATH'], ...env } })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      noteEvidence('log', chunk.toString())
    })
  }
  const ended = new Promise<number | null>((resolve) => { child.once('close', resolve) })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, printed: () => printed, ended }
}

/** How much of the accounts has arrived: documents of a MongoDB, bytes of the embedded store, which is locked. */
async function arrivals (t: Test, deployment: Deployment): Promise<() => Promise<number>> {
  const { DATA_DIR } = deployment.env
  if (DATA_DIR !== undefined) {
    const file = join(DATA_DIR, 'latchkey.users.jsonl')
    return async () => existsSync(file) ? Math.floor(statSync(file).size / 400) : 0
  }
  const client = await openClient(t, deployment)
  return () => client.db(deployment.database).collection('users').countDocuments()
}

const many = 4000

await t.test('killed half-way and run again: everything is there, nothing twice', async (t) => {
  const { document } = oldAccount()
  const accounts = Array.from({ length: many }, (_, at) => ({ ...document, _id: new ObjectId(), email: `${at}-${String(document['email'])}`, username: `old-${at}` }))
  const sessions = accounts.map(({ _id }) => ({ _id: new ObjectId(), userId: _id, token: jwtSign({ _id: _id.toHexString(), exp: seconds() + 86_400 }) }))
  const files = ['import', '--users', exportFile(t, accounts), '--sessions', exportFile(t, sessions)]
  const deployment = createDeployment(t)
  const arrived = await arrivals(t, deployment)

  const first = spawnCommand(t, files, deployment.env)
  await until(async () => await arrived() > 800 || first.child.exitCode !== null, 'some have arrived', 30_000)
  first.child.kill('SIGKILL')
  t.equal(await first.ended, null, 'it did not end by itself')

  const again = await runCommand(files, deployment.env)
  const [read, imported, there] = rowOf(again, 'users') as [number, number, number]
  t.equal(again.code, 0)
  t.strictSame([read, imported + there], [many, many])
  t.ok(imported > 0 && there > 0, `${there} were there, ${imported} were not`)
  const third = await runCommand(files, deployment.env)
  t.strictSame([rowOf(third, 'users'), rowOf(third, 'usersession')], [[many, 0, many, 0, 0], [many, 0, many, 0, 0]])
  const client = await openClient(t, deployment)
  const db = client.db(deployment.env['DATA_DIR'] === undefined ? deployment.database : 'latchkey')
  for (const name of ['users', 'usersession']) t.equal(await db.collection(name).countDocuments(), many, name)
  if (deployment.env['DATA_DIR'] === undefined) await db.dropDatabase()
})

await t.test('an embedded store that the service has open is left alone, with a word on what to do', async (t) => {
  const dir = scratchFolder(t)
  const server = startProcess(t, { DATA_DIR: dir, BCRYPT_COST: '10' })
  await server.origin
  const account = oldAccount()
  for (const args of [['import', '--users', exportFile(t, [account.document])], ['role', account.email, 'admin']]) {
    const command = spawnCommand(t, args, { DATA_DIR: dir })
    t.equal(await command.ended, 1)
    t.match(command.printed(), new RegExp(`pid ${server.child.pid}.*\\nStop that process`))
    t.notMatch(command.printed(), /\n\s+at /)
  }
  t.equal((await server.call('/livez')).status, 200)
})

await t.test('`latchkey` starts the service and ends it cleanly', async (t) => {
  for (const args of [[], ['start']]) {
    const command = spawnCommand(t, args, { DATA_DIR: scratchFolder(t), PORT: '0' })
    await until(() => command.printed().includes('API'), 'it listens', 30_000)
    command.child.kill('SIGTERM')
    t.equal(await command.ended, 0, command.printed())
  }
})

await t.test('a command that is not one, and one that fails, are told by the exit code', async (t) => {
  t.equal(await spawnCommand(t, ['exprot'], {}).ended, 2)
  t.equal(await spawnCommand(t, ['--version'], {}).ended, 0)
  t.equal(await spawnCommand(t, ['import', '--users', 'nowhere.json'], { DATA_DIR: scratchFolder(t) }).ended, 1)
  t.equal(await spawnCommand(t, ['import', '--sessions', exportFile(t, [oldSession(oldAccount()).document])], { DATA_DIR: scratchFolder(t) }).ended, 3)
})
