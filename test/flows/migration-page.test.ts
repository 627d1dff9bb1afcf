// Story: docs/migration.md, followed to the letter: each of its commands is pasted, in its order, beside a running service.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import t from 'tap'
import { buildIfNewer } from '../../scripts/build.mjs'
import { realEngines, redisUrl } from '../helper/engines.ts'
import { noteEvidence } from '../helper/evidence.ts'
import { openOldDatabase } from '../helper/old-database.ts'
import { exported, oldAccount, oldSecret, oldSession } from '../helper/old-service.ts'
import { createDeployment, startService } from '../helper/service.ts'
import { scratchFolder } from '../helper/scratch.ts'

const run = promisify(execFile)
const pathOf = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url))
const page = readFileSync(pathOf('docs/migration.md'), 'utf8')
const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block as string)

// where .ci/real-engines unpacks it, for machines that have none
const unpacked = join(process.env['REAL_ENGINES_HOME'] ?? join(homedir(), '.cache/real-engines'), 'redis/usr')
const path = [process.env['PATH'], join(unpacked, 'bin')].join(delimiter)
const libraries = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((triple) => join(unpacked, 'lib', triple)).join(delimiter)
const hasRedisCli = path.split(delimiter).some((folder) => existsSync(join(folder, 'redis-cli')))

await t.test('every command of the page works as it stands there', { skip: !realEngines && 'needs a MongoDB to move in from and one to move into: set REDIS_URL and MONGODB_URI' }, async (t) => {
  buildIfNewer()
  const old = await openOldDatabase(t)
  const account = oldAccount()
  const [session, late] = [oldSession(account), oldSession(account)]
  await old.db.collection('users').insertOne(account.document)
  await old.db.collection('usersession').insertOne(session.document)
  const deployment = createDeployment(t)
  const service = await startService(t, { deployment, env: { LEGACY_TOKENS: 'on', LEGACY_TOKEN_SECRET: oldSecret } })
  const folder = scratchFolder(t)
  writeFileSync(join(folder, 'users.json'), exported([account.document]))

  const redis = new Redis(redisUrl as string, { db: 15 })
  t.teardown(async () => {
    await redis.flushdb()
    redis.disconnect()
  })
  const [kept, gone] = [oldSession(account), oldSession(account)]
  await redis.sadd(`user:tokens:${account.id}`, kept.token, gone.token)
  await redis.set(`blacklist:${gone.token}`, '1', 'EX', 60)

  async function paste (block: string): Promise<string> {
    const { hostname, port } = new URL(redisUrl as string)
    const script = [`npx () { shift; "${process.execPath}" "${pathOf('dist/src/cli.js')}" "$@"; }`, `redis-cli () { command redis-cli -h ${hostname} -p ${port} -n 15 "$@"; }`, block.replaceAll('http://127.0.0.1:3000', service.origin)].join('\n')
    const { stdout, stderr } = await run('bash', ['-uo', 'pipefail', '-c', script], {
      cwd: folder,
      env: { ...deployment.env, PATH: path, LD_LIBRARY_PATH: libraries, OLD_URI: old.uri, OLD_TOKEN: session.token, EMAIL: account.email, PASSWORD: account.password }
    })
    noteEvidence('log', stderr)
    return stdout
  }
  const [dry, first, again, seen, role, files, fromRedis] = blocks as [string, string, string, string, string, string, string]
  t.equal(blocks.length, 7)

  t.match(await paste(dry), /users +1 +1 +0 +0 +0\nusersession +1 +1[^]*A dry run/)
  t.match(await paste(first), /users +1 +1 +0 +0 +0\nusersession +1 +1 +0/)
  await old.db.collection('usersession').insertOne(late.document)
  t.match(await paste(again), /users +1 +0 +1 +0 +0\nusersession +2 +1 +1/)
  t.match(await paste(seen), /"message":"Hello, old-[^]*"message":"Login successful"/)
  t.match(await paste(role), `The account ${account.id} has the role admin now`)
  t.equal((await service.get('/api/auth/profile', { token: session.token })).json.role, 'admin')

  if (hasRedisCli) await paste(fromRedis)
  else writeFileSync(join(folder, 'sessions.json'), `${JSON.stringify({ userId: account.id, token: kept.token })}\n`)
  t.strictSame(readFileSync(join(folder, 'sessions.json'), 'utf8'), `${JSON.stringify({ userId: account.id, token: kept.token })}\n`)
  t.match(await paste(files), /users +1 +0 +1 +0 +0\nusersession +1 +1 +0/)
  t.equal((await service.get('/api/protected', { token: kept.token })).status, 200)
  t.equal((await service.get('/api/protected', { token: gone.token })).json.code, 'session_revoked')
})

await t.test('the page names the options that there are', async (t) => {
  const source = readFileSync(pathOf('src/cli/help.ts'), 'utf8')
  for (const [option] of page.matchAll(/--[a-z-]+(?=[ `])/g)) if (!['--jsonArray', '--scan', '--pattern'].includes(option)) t.ok(source.includes(option), option)
})
