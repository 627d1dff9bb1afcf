// Settings made ready for use: stores, lifetimes, proxies, origins; whatever contradicts itself stops the start.
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import t from 'tap'
import { createConfig, seconds, type Config } from '../../../src/config/config.ts'
import { readEnvironment, readOptions } from '../../../src/config/environment.ts'
import { testSecret } from '../../helper/service.ts'
import { problemsOf } from './problems.ts'

const secrets = { ACCESS_TOKEN_SECRET: testSecret(), REFRESH_TOKEN_SECRET: testSecret(), SESSION_SECRET: testSecret() }
const configOf = (environment: Record<string, string>): Config => createConfig(readEnvironment({ ...secrets, ...environment }), { randomBytes })
const refusalOf = (environment: Record<string, string>): readonly string[] => problemsOf(() => configOf(environment))

await t.test('lifetimes are seconds, or a number with a unit', async (t) => {
  t.strictSame(['90', '90s', '15m', '2h', '30d', '1'].map(seconds), [90, 90, 900, 7200, 2_592_000, 1])
  t.match(configOf({ JWT_EXPIRES_IN: '5m', REFRESH_TOKEN_EXPIRY: '1d', SESSION_ABSOLUTE_EXPIRY: '172800' }), {
    accessTokenSeconds: 300, refreshTokenSeconds: 86_400, sessionAbsoluteSeconds: 172_800
  })
  t.match(configOf({}), { accessTokenSeconds: 900, refreshTokenSeconds: 604_800, sessionAbsoluteSeconds: 2_592_000 })
  for (const text of ['0', '0s', '-1s', '15 m', '15min', '1w', '1.5h', 'm', '01h', '1M', '9999999999s']) {
    t.match(refusalOf({ ACCESS_TOKEN_EXPIRY: text }), [/^ACCESS_TOKEN_EXPIRY: /], text)
  }
})

await t.test('a shorter-lived thing may not outlive a longer-lived one', async (t) => {
  t.strictSame(refusalOf({ ACCESS_TOKEN_EXPIRY: '8d' }), ['ACCESS_TOKEN_EXPIRY must not be longer than REFRESH_TOKEN_EXPIRY'])
  t.strictSame(refusalOf({ REFRESH_TOKEN_EXPIRY: '31d' }), ['REFRESH_TOKEN_EXPIRY must not be longer than SESSION_ABSOLUTE_EXPIRY'])
  t.strictSame(refusalOf({ ACCESS_TOKEN_EXPIRY: '7d', SESSION_ABSOLUTE_EXPIRY: '7d' }), [], 'as long is lawful')
})

await t.test('a lifetime that a date cannot hold is refused', async (t) => {
  // 8.64e15 ms is the last instant of a Date: beyond it every login would fail
  t.match(refusalOf({ SESSION_ABSOLUTE_EXPIRY: '999999999d' }), [/^SESSION_ABSOLUTE_EXPIRY/])
})

await t.test('the store is MongoDB where one is named, else the embedded one', async (t) => {
  const embedded = { kind: 'embedded', dir: '/data' }
  t.strictSame(configOf({ DATA_DIR: '/data' }).store, embedded)
  t.strictSame(configOf({ DATA_DIR: '/data', DB_URI: 'embedded' }).store, embedded)
  const databaseOf = (uri: string): unknown => {
    const { store } = configOf({ MONGODB_URI: uri })
    t.match(store, { kind: 'mongodb', uri })
    return store.kind === 'mongodb' && store.database
  }
  t.equal(databaseOf('mongodb://h'), 'latchkey')
  t.equal(databaseOf('mongodb://h/'), 'latchkey')
  t.equal(databaseOf('mongodb://u:p@a:1,b:2/shop?replicaSet=r'), 'shop')
  t.equal(databaseOf('mongodb+srv://h/my%20shop'), 'my shop')
  t.equal(databaseOf('mongodb://h/?w=1'), 'latchkey')
  t.match(refusalOf({ MONGODB_URI: 'postgres://h' }), [/^MONGODB_URI: /])
})

await t.test('an address that its client could not read is refused by the name of its setting, and not repeated', async (t) => {
  const mark = 'hidden-in-a-url'
  for (const uri of [`mongodb://u:${mark}@h/%zz`, `mongodb://u:${mark}@h/%e0%a4%a`]) {
    t.strictSame(refusalOf({ MONGODB_URI: uri }), ['MONGODB_URI: the name of the database is not in percent-encoding'], uri)
  }
  for (const url of [`redis://:${mark}@h:99999`, `redis://:${mark}@[`, `redis://:${mark}%zz@h`, `rediss://%zz:${mark}@h:1`, `redis://:${mark}@h:port`]) {
    t.strictSame(refusalOf({ REDIS_URL: url }), ['REDIS_URL: the host, the port or the percent-encoding cannot be read'], url)
  }
  t.strictSame(refusalOf({ REDIS_HOST: 'a b', REDIS_PASSWORD: mark }), ['REDIS_HOST is no host'])
  t.strictSame(refusalOf({ REDIS_URL: 'rediss://user:p%40%25ss@h:6380/2' }), [])
})

await t.test('in production the embedded store must be asked for by name', async (t) => {
  for (const nodeEnv of ['production', 'prod', 'staging']) {
    t.match(refusalOf({ NODE_ENV: nodeEnv }), [/^MONGODB_URI is required in production/], nodeEnv)
    t.match(configOf({ NODE_ENV: nodeEnv, MONGODB_URI: 'embedded' }), { production: true, store: { kind: 'embedded' } }, nodeEnv)
  }
  for (const nodeEnv of ['development', 'test']) t.match(configOf({ NODE_ENV: nodeEnv }), { production: false, store: { kind: 'embedded' } })
})

await t.test('Redis is one URL, or host, port and password, or a cluster', async (t) => {
  t.equal(configOf({}).redis, undefined)
  const redisOf = (environment: Record<string, string>): unknown => configOf(environment).redis
  t.strictSame(redisOf({ UPSTASH_URL: 'rediss://u:p@h:1/2' }), { url: 'rediss://u:p@h:1/2', nodes: [] })
  t.strictSame(redisOf({ REDIS_HOST: 'h' }), { url: 'redis://h:6379', nodes: [] })
  t.strictSame(redisOf({ REDIS_HOST: 'h', REDIS_PORT: '7000', REDIS_PASSWORD: 'p@ss:/?' }), { url: 'redis://:p%40ss%3A%2F%3F@h:7000', nodes: [] })
  t.strictSame(redisOf({ REDIS_CLUSTER_NODES: 'a:1,b:2' }), { url: undefined, nodes: [{ host: 'a', port: 1 }, { host: 'b', port: 2 }] })
  t.strictSame(redisOf({ REDIS_CLUSTER_NODES: 'a:1', REDIS_URL: 'rediss://:p@a:1' }), { url: 'rediss://:p@a:1', nodes: [{ host: 'a', port: 1 }] })
  t.strictSame(redisOf({ REDIS_HOST: 'h', REDIS_URL: 'redis://h:6379/' }), { url: 'redis://h:6379/', nodes: [] }, 'both, and the same')
})

await t.test('a Redis that is half described or described twice is refused', async (t) => {
  const half = ['REDIS_HOST is missing beside REDIS_PORT or REDIS_PASSWORD']
  t.strictSame(refusalOf({ REDIS_PORT: '6379' }), half)
  t.strictSame(refusalOf({ REDIS_PASSWORD: 'Val5mark' }), half)
  t.strictSame(refusalOf({ REDIS_URL: 'redis://Val5mark:1', REDIS_HOST: 'h' }), ['REDIS_URL and REDIS_HOST name different servers: set one of them'])
  for (const nodes of ['a', 'a:x', 'a:1,,b:2', 'a:1, b:2']) t.match(refusalOf({ REDIS_CLUSTER_NODES: nodes }), [/^REDIS_CLUSTER_NODES: /], nodes)
})

await t.test('a password that no address would use is refused, not dropped', async (t) => {
  t.match(refusalOf({ REDIS_URL: 'redis://h:6379', REDIS_PASSWORD: 'Val5mark' }), [/REDIS_PASSWORD/])
})

await t.test('a port of the cluster is a port', async (t) => {
  for (const nodes of ['a:0', 'a:65536', 'a:1,b:700000']) t.match(refusalOf({ REDIS_CLUSTER_NODES: nodes }), [/^REDIS_CLUSTER_NODES/], nodes)
})

await t.test('forwarded addresses are believed of named proxies only', async (t) => {
  t.equal(configOf({}).trustProxy, false)
  t.equal(configOf({ TRUST_PROXY: 'off' }).trustProxy, false)
  t.strictSame(configOf({ TRUST_PROXY: 'loopback, 10.0.0.0/8,::1,fc00::/7' }).trustProxy, ['loopback', '10.0.0.0/8', '::1', 'fc00::/7'])
  for (const text of ['on', 'true', '1', '2', '*', 'all', 'proxy.example', '10.0.0', 'loopback,', '10.0.0.0/8 172.16.0.0/12', '0x7f.1']) {
    t.match(refusalOf({ TRUST_PROXY: text }), [/^TRUST_PROXY: expected/], text)
  }
})

await t.test('a network of proxies has a mask that fits its addresses', async (t) => {
  for (const text of ['10.0.0.0/33', '10.0.0.0/999', 'fc00::/129', '10.0.0.0/', '10.0.0.0/8/8', '/8']) t.match(refusalOf({ TRUST_PROXY: text }), [/^TRUST_PROXY: expected/], text)
})

await t.test('a network of proxies is written whole, and is not everybody', async (t) => {
  for (const text of ['0.0.0.0/0', '::/0', '10.1.2.3/0', '10/8', '10.0/16', '010.0.0.0/8', '0x0a.0.0.0/8']) t.match(refusalOf({ TRUST_PROXY: text }), [/^TRUST_PROXY: expected/], text)
})

await t.test('an origin is scheme, host and port, and nothing else', async (t) => {
  t.strictSame(configOf({}).corsOrigins, [])
  t.strictSame(configOf({ CORS_ORIGINS: 'https://a.example, http://localhost:5173,' }).corsOrigins, ['https://a.example', 'http://localhost:5173'])
  for (const text of ['https://a.example/', 'a.example', '*', 'null', 'https://A.example', 'https://a.example:443', 'https://u@a.example', 'https://a.example/x']) {
    t.match(refusalOf({ CORS_ORIGINS: `https://ok.example,${text}` }), [/^CORS_ORIGINS: /], text)
  }
})

await t.test('an origin with a wildcard, which no browser would ever send, is refused', async (t) => {
  t.match(refusalOf({ CORS_ORIGINS: 'https://*.example' }), [/^CORS_ORIGINS: /])
})

await t.test('cookies are secure and docs are closed in production, and each can be said', async (t) => {
  t.match(configOf({}), { cookieSecure: false, docs: true })
  const production = { NODE_ENV: 'production', MONGODB_URI: 'mongodb://h' }
  t.match(configOf(production), { cookieSecure: true, docs: false })
  t.match(configOf({ ...production, COOKIE_SECURE: 'off', DOCS: 'on' }), { cookieSecure: false, docs: true })
  t.match(configOf({ COOKIE_SECURE: 'on', DOCS: 'off' }), { cookieSecure: true, docs: false })
})

await t.test('hashing leaves a core to the rest unless told otherwise', async (t) => {
  t.equal(configOf({}).bcryptConcurrency, Math.max(1, availableParallelism() - 1))
  t.equal(configOf({ BCRYPT_CONCURRENCY: '3' }).bcryptConcurrency, 3)
})

await t.test('claims are a list of account fields', async (t) => {
  t.strictSame(configOf({}).tokenClaims, [])
  t.strictSame(configOf({ TOKEN_CLAIMS: 'email,fullName' }).tokenClaims, ['email', 'fullName'])
  for (const text of ['password', 'email,', 'email, username', 'role']) t.match(refusalOf({ TOKEN_CLAIMS: text }), [/^TOKEN_CLAIMS: /], text)
})

await t.test('the token of the metrics is long enough, of a form that a header carries, no sample and no key of anything else', async (t) => {
  const token = testSecret()
  t.match(configOf({ METRICS_TOKEN: token }), { metrics: true, metricsToken: token })
  t.match(configOf({ METRICS: 'off' }), { metrics: false, metricsToken: undefined })
  for (const text of [token.slice(0, 15), `${token},x`, `${token} x`, 'ü'.repeat(20)]) t.match(refusalOf({ METRICS_TOKEN: text }), [/^METRICS_TOKEN: has not the expected form/], text.slice(-3))
  for (const text of ['change-me-change-me', 'aaaaaaaaaaaaaaaa']) t.match(refusalOf({ METRICS_TOKEN: text }), [/^METRICS_TOKEN: this is a sample/], text)
  t.strictSame(refusalOf({ METRICS_TOKEN: secrets.SESSION_SECRET }), ['METRICS_TOKEN must not be equal to a key of SESSION_SECRET'])
  t.strictSame(refusalOf({ METRICS_TOKEN: token, ACCESS_TOKEN_SECRET: `k1:${secrets.ACCESS_TOKEN_SECRET},k2:${token}` }), ['METRICS_TOKEN must not be equal to a key of ACCESS_TOKEN_SECRET'])
  for (const ring of [` ${token}`, `${token} , k2:${testSecret()}`, `k1:${testSecret()}, ${token}`, `k1:${token} ,${testSecret()}`]) t.strictSame(refusalOf({ METRICS_TOKEN: token, SESSION_SECRET: ring }), ['METRICS_TOKEN must not be equal to a key of SESSION_SECRET'], 'whatever stands around it')
})

await t.test('what is lawful but worth knowing is said', async (t) => {
  const warningsOf = (environment: Record<string, string>): readonly string[] => configOf(environment).warnings
  t.match(warningsOf({}), [/embedded store serves one process.*MONGODB_URI/])
  t.match(warningsOf({ MONGODB_URI: 'mongodb://h' }), [/^Without REDIS_URL/])
  t.strictSame(warningsOf({ MONGODB_URI: 'mongodb://h', REDIS_URL: 'redis://h' }), [])
  const open = { MONGODB_URI: 'mongodb://h', REDIS_URL: 'redis://h', LOGIN_LIMIT_PER_ACCOUNT: '0', LOGIN_LIMIT_PER_ADDRESS: '0' }
  t.match(warningsOf({ ...open, NODE_ENV: 'production' }), [/^LOGIN_LIMIT_PER_ACCOUNT is 0/, /^LOGIN_LIMIT_PER_ADDRESS is 0/])
  t.strictSame(warningsOf(open), [], 'outside production nobody guesses')
})

await t.test('reasons of every kind are told at once', async (t) => {
  const problems = refusalOf({ NODE_ENV: 'production', ACCESS_TOKEN_EXPIRY: '8d', REDIS_PORT: '1', CORS_ORIGINS: 'x', TRUST_PROXY: 'x', SESSION_SECRET: '' })
  t.equal(problems.length, 6)
  t.match(problemsOf(() => createConfig(readOptions({ redisPort: 1, accessTokenExpiry: '8d' }), { randomBytes, nameOf: (name) => name })), [/^redisHost is missing beside redisPort/, /^accessTokenExpiry must not/], 'a host reads its own names')
})

await t.test('a configuration cannot be changed, and holds no second form of a setting', async (t) => {
  const config = configOf({ REDIS_URL: 'redis://h', CORS_ORIGINS: 'https://a.example', TRUST_PROXY: 'loopback' })
  t.ok(Object.isFrozen(config))
  for (const name of ['mongodbUri', 'redisUrl', 'accessTokenSecret', 'refreshTokenSecret', 'sessionSecret', 'accessTokenExpiry']) t.notOk(name in config, name)
})

await t.test('a configuration cannot be changed in its depths', async (t) => {
  const config = configOf({ REDIS_CLUSTER_NODES: 'h:1', CORS_ORIGINS: 'https://a.example', TRUST_PROXY: 'loopback', TOKEN_CLAIMS: 'email' })
  const loose: string[] = []
  const look = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    if (!Object.isFrozen(value)) loose.push(path)
    for (const [name, member] of Object.entries(value)) look(member, `${path}.${name}`)
  }
  look(config, 'config')
  t.strictSame(loose, [])
})

await t.test('several workers need a MongoDB and a Redis; one needs nothing', async (t) => {
  const refused = [/^WORKERS above 1 needs MONGODB_URI and REDIS_URL: /]
  t.match(refusalOf({ WORKERS: '2' }), refused)
  t.match(refusalOf({ WORKERS: '2', MONGODB_URI: 'mongodb://h' }), refused)
  t.match(refusalOf({ WORKERS: '2', REDIS_URL: 'redis://h' }), refused)
  t.match(configOf({ WORKERS: '2', MONGODB_URI: 'mongodb://h', REDIS_CLUSTER_NODES: 'h:1' }), { workers: 2 })
  t.match([configOf({}), configOf({ WORKERS: '1' })], [{ workers: 1 }, { workers: 1 }])
  for (const text of ['0', '-1', '1.5', 'auto', '257']) t.match(refusalOf({ WORKERS: text }), [/^WORKERS: /], text)
})
