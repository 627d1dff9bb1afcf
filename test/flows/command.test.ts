// Story: the command as people run it: it starts the service, finds a store in use, and says by its exit code how it went.
import t from 'tap'
import { spawnCommand } from '../helper/command-process.ts'
import { exportFile, oldAccount, oldSession } from '../helper/old-service.ts'
import { startProcess } from '../helper/process.ts'
import { until } from '../helper/service.ts'
import { scratchFolder } from '../helper/scratch.ts'

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
