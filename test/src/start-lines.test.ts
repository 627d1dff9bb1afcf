// What the start prints: where things are, and no part of a password.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createConfig, type Config } from '../../src/config/config.ts'
import { readEnvironment } from '../../src/config/environment.ts'
import { sayStart, startLines } from '../../src/start-lines.ts'
import { testSecret } from '../helper/service.ts'
import { problemsOf } from './config/problems.ts'

const secrets = { ACCESS_TOKEN_SECRET: testSecret(), REFRESH_TOKEN_SECRET: testSecret(), SESSION_SECRET: testSecret() }
const configOf = (environment: Record<string, string>): Config => createConfig(readEnvironment({ ...secrets, ...environment }), { randomBytes })
const linesOf = (environment: Record<string, string>): string => startLines(configOf(environment), 'http://127.0.0.1:3000').join('\n')

await t.test('it says where the service listens, its docs, its store and its Redis', async (t) => {
  t.match(linesOf({ DATA_DIR: '/data' }), /API +http:\/\/127\.0\.0\.1:3000\n.*\/docs .*\/openapi\.json\)\n +Console +http:\/\/127\.0\.0\.1:3000\/console\n.*embedded, in \/data\n.*Redis +none/)
  t.match(linesOf({ MONGODB_URI: 'mongodb://a:1,b:2/shop', REDIS_URL: 'redis://h:6379' }), /MongoDB at a:1,b:2, database shop\n +Redis +h:6379/)
  t.match(linesOf({ REDIS_CLUSTER_NODES: 'a:1,b:2' }), /cluster of a:1, b:2/)
  t.notMatch(linesOf({ DOCS: 'off' }), /\/docs/)
  for (const environment of [{ CONSOLE: 'off' }, { NODE_ENV: 'production', MONGODB_URI: 'mongodb://h', REDIS_URL: 'redis://h' }]) t.notMatch(linesOf(environment), /\/console/)
  t.match(linesOf({ MONGODB_URI: 'mongodb://h', REDIS_URL: 'redis://h', WORKERS: '4' }), /Workers +4 processes/)
  t.notMatch(linesOf({}), 'Workers')
  t.match(linesOf({}), /Note +The embedded store serves one process/)
})

await t.test('in production it is said in lines of the log', async (t) => {
  const logged: string[] = []
  const config = configOf({ NODE_ENV: 'production', MONGODB_URI: 'mongodb://h', REDIS_URL: 'redis://h' })
  sayStart(config, 'http://127.0.0.1:3000', { info: (line) => { logged.push(line) } })
  t.strictSame(logged, startLines(config, 'http://127.0.0.1:3000'))
})

await t.test('no part of an address that is a secret is printed', async (t) => {
  const printed = [
    linesOf({ MONGODB_URI: 'mongodb://ada:Pw7mark-x@h:1/shop', REDIS_URL: 'redis://:Pw7mark-x@h:6379/0?x=Pw7mark' }),
    linesOf({ MONGODB_URI: 'mongodb+srv://ada:Pw7mark%40%2F@h/?authSource=Pw7mark', REDIS_URL: 'rediss://ada:Pw7mark@x@h' }),
    linesOf({ REDIS_CLUSTER_NODES: 'a:1', REDIS_URL: 'redis://:Pw7mark@a:1' }),
    linesOf({ REDIS_HOST: 'h', REDIS_PASSWORD: 'Pw7mark/?#@' })
  ].join('\n')
  t.notMatch(printed, /Pw7mark|Key9mark/)
})

await t.test('a password that was not written as an address needs it is refused, because part of it would be taken for a host', async (t) => {
  for (const text of ['://ada:Pw7mark/x@h:6379', '://ada:7/x@h', '://ada:Pw7mark?x@h', '://ada:Pw7mark#x@h', '://ada#Pw7mark']) {
    t.match(problemsOf(() => linesOf({ REDIS_URL: `redis${text}` })), [/^REDIS_URL: .*percent-encoding/], text)
    t.match(problemsOf(() => linesOf({ MONGODB_URI: `mongodb${text}` })), [/^MONGODB_URI: .*percent-encoding/], text)
  }
})
