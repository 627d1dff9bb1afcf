// Story: an import that is killed half-way is run again, and everything is there once.
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ObjectId } from 'mongodb'
import t, { type Test } from 'tap'
import { openClient } from '../helper/client-of.ts'
import { rowOf, runCommand } from '../helper/command.ts'
import { spawnCommand } from '../helper/command-process.ts'
import { exportFile, jwtSign, oldAccount, seconds } from '../helper/old-service.ts'
import { createDeployment, until, type Deployment } from '../helper/service.ts'

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

const many = 3000

await t.test('killed half-way and run again: everything is there, nothing twice', async (t) => {
  const { document } = oldAccount()
  const accounts = Array.from({ length: many }, (_, at) => ({ ...document, _id: new ObjectId(), email: `${at}-${String(document['email'])}`, username: `old-${at}` }))
  const sessions = accounts.map(({ _id }) => ({ _id: new ObjectId(), userId: _id, token: jwtSign({ _id: _id.toHexString(), exp: seconds() + 86_400 }) }))
  const files = ['import', '--users', exportFile(t, accounts), '--sessions', exportFile(t, sessions)]
  const deployment = createDeployment(t)
  const arrived = await arrivals(t, deployment)

  const first = spawnCommand(t, files, deployment.env)
  await until(async () => await arrived() > 600 || first.child.exitCode !== null, 'some have arrived', 30_000)
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
