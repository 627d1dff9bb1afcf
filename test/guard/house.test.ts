// Guard: the house stands as it was promised: its top level, its packages, and real engines where the run says so.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { enginesScript, mongodbUri, redisUrl } from '../helper/engines.ts'
import { register } from '../helper/people.ts'
import { createDeployment, startService } from '../helper/service.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

await t.test('the top level is that of the card', async (t) => {
  for (const name of ['src', 'plugins', 'routes', 'test', 'package.json', 'tsconfig.json', 'docker-compose.yml', '.taprc', 'README.md', 'LICENSE', 'CHANGELOG.md', 'Dockerfile', '.env.example', 'docs/decisions', '.ci/run']) {
    t.ok(existsSync(root + name), name)
  }
})

await t.test('every runtime package beyond the card has its reason in docs/decisions', async (t) => {
  const card = ['fastify', '@fastify/jwt', '@fastify/cookie', '@fastify/session', '@fastify/redis', '@fastify/mongodb', '@fastify/swagger', '@sinclair/typebox', 'bcrypt']
  const { dependencies, scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { dependencies: Record<string, string>, scripts: Record<string, string> }
  const reasons = readFileSync(`${root}docs/decisions/0002-runtime-packages.md`, 'utf8')
  for (const name of Object.keys(dependencies)) if (!card.includes(name)) t.ok(reasons.includes(`\`${name}\``), name)
  for (const name of ['start', 'dev', 'build', 'lint', 'typecheck', 'test', 'bench']) t.ok(scripts[name], `npm run ${name}`)
})

await t.test('what judges times runs alone', async (t) => {
  const judges = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && readFileSync(`${root}test/${file}`, 'utf8').includes('/helper/timing.ts\''))
  const [apart, runner] = [readFileSync(`${root}.taprc`, 'utf8'), readFileSync(`${root}test/run.mjs`, 'utf8')]
  t.ok(judges.length > 0)
  for (const file of judges) t.ok(apart.includes(`  - test/${file}\n`) && runner.includes(`'test/${file}'`), file)
})

await t.test('a run that must use real engines uses them', { skip: process.env['LATCHKEY_REQUIRE_REAL_ENGINES'] !== '1' && 'only where LATCHKEY_REQUIRE_REAL_ENGINES is 1' }, async (t) => {
  t.ok(mongodbUri, 'MONGODB_URI is set')
  t.ok(redisUrl, 'REDIS_URL is set')
  t.ok(enginesScript, 'REAL_ENGINES is set')
  const deployment = createDeployment(t)
  const service = await startService(t, { deployment })
  const { userId, sid } = await register(service)

  const mongo = new MongoClient(mongodbUri as string)
  t.teardown(() => mongo.close())
  t.ok(await mongo.db(deployment.database).collection('users').findOne({ _id: userId as never }), 'the account is a document of MongoDB')
  const { version } = await mongo.db('admin').command({ buildInfo: 1 }) as { version: string }
  const redis = new Redis(redisUrl as string)
  t.teardown(() => { redis.disconnect() })
  t.ok(await redis.get(`${deployment.prefix}session:${sid}`), 'the session is a key of Redis')
  const redisVersion = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1]
  t.ok(redisVersion)
  t.comment(`measured: engines really used: MongoDB ${version}, Redis ${redisVersion}`)
})
