// Key rings: what is a secret, what is a key's name, and the secrets that a development folder keeps.
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createConfig } from '../../../src/config/config.ts'
import { readEnvironment } from '../../../src/config/environment.ts'
import { developmentSecrets, readRings, type Ring, type Rings } from '../../../src/config/secrets.ts'
import { environmentName } from '../../../src/config/settings-schema.ts'
import { testSecret } from '../../helper/service.ts'
import { problemsOf } from './problems.ts'

const others = { refreshTokenSecret: testSecret(), sessionSecret: testSecret() }
const ringsOf = (accessTokenSecret: string, more: object = {}) => readRings({ accessTokenSecret, ...others, ...more }, environmentName) as Rings & { access: Ring }
const refusalOf = (accessTokenSecret: string, more: object = {}): readonly string[] => problemsOf(() => ringsOf(accessTokenSecret, more))

await t.test('one secret is a ring of one key, named by its fingerprint', async (t) => {
  const secret = testSecret()
  const [key, ...rest] = ringsOf(secret).access
  t.strictSame(rest, [])
  t.equal(key.secret, secret)
  t.equal(key.kid, key.fingerprint)
  t.match(key.fingerprint, /^[A-Za-z0-9_-]{10}$/)
  t.not(key.fingerprint, createHash('sha256').update(secret).digest('base64url').slice(0, 10), 'not a plain hash of the secret')
  t.equal(ringsOf(secret).access[0].kid, key.kid, 'the same at each start')
  t.ok(Object.isFrozen(key))
})

await t.test('named keys keep their order and names: the first signs, all verify', async (t) => {
  const [first, second] = [testSecret(), testSecret()]
  const ring = ringsOf(`k2:${first}, k1:${second}`).access
  t.match(ring, [{ kid: 'k2', secret: first }, { kid: 'k1', secret: second }])
  t.equal(ring.length, 2)
  t.equal(ring[0].fingerprint, ringsOf(first).access[0].fingerprint, 'a name does not change the fingerprint')
  t.match(ringsOf(`k1:${second},${first}`).access, [{ kid: 'k1' }, { kid: ring[0].fingerprint }], 'named and unnamed side by side')
})

await t.test('a secret has at least 32 bytes', async (t) => {
  const secret = 'aB3$dE6&gH9(kL2)nO5+qR8-tU1.wX4/'
  t.equal(Buffer.byteLength(secret), 32)
  t.strictSame(refusalOf(secret), [])
  t.match(refusalOf(secret.slice(1)), [/^ACCESS_TOKEN_SECRET: .*at least 32 bytes/])
  t.match(refusalOf(`k1:${secret.slice(1)}`), [/at least 32 bytes/], 'its name does not count')
  t.strictSame(refusalOf('äöüßñçéèêàâîôûœæøåžš'), [], 'bytes, not characters')
  for (const name of ['refreshTokenSecret', 'sessionSecret']) t.match(refusalOf(secret, { [name]: 'short' }), [new RegExp(`^${environmentName(name)}: `)])
})

await t.test('samples and patterns are refused', async (t) => {
  const tail = testSecret()
  for (const sample of [
    'change-me', 'CHANGEME', 'change_me', 'replace_me', 'your_jwt_secret', 'your-super-secret', 'yourAccess', 'your_refresh', 'example', 'sample', 'keyboard cat', 'keyboard-cat', 'supersecret', 'super-secret'
  ]) t.match(refusalOf(sample + tail), [/^ACCESS_TOKEN_SECRET: this is a sample/], sample)
  for (const pattern of [
    'a'.repeat(64), 'abab'.repeat(16), '0123456'.repeat(8), ' '.repeat(3) + '12'.repeat(30), '1234567890'.repeat(4), 'correct-battery-'.repeat(2), 'abcdefghijklmnopqrstuvwxyz0123456789', 'ZYXWVUTSRQPONMLKJIHGFEDCBA9876543210', 'latchkey:'.slice(0, 8).repeat(5)
  ]) t.match(refusalOf(pattern), [/^ACCESS_TOKEN_SECRET: this is a sample/], pattern)
  for (let i = 0; i < 200; i++) for (const form of ['hex', 'base64', 'base64url'] as const) t.strictSame(refusalOf(randomBytes(32).toString(form)), [], 'what chance makes is none')
})

await t.test('no two keys are equal, in one ring or in two', async (t) => {
  const secret = testSecret()
  t.match(refusalOf(`a:${secret},b:${secret}`), [/no two keys may be equal/])
  t.strictSame(refusalOf(others.sessionSecret), ['ACCESS_TOKEN_SECRET, REFRESH_TOKEN_SECRET, SESSION_SECRET: no two keys may be equal'])
  t.match(refusalOf(secret, { sessionSecret: `k9:${secret}` }), [/no two keys may be equal/], 'under another name it is the same key')
})

await t.test('a kid stands for one key and is of a form that a header can carry', async (t) => {
  const [first, second] = [testSecret(), testSecret()]
  t.match(refusalOf(`k1:${first},k1:${second}`), ['ACCESS_TOKEN_SECRET: two keys have the same kid'])
  t.strictSame(refusalOf(`k1:${first}`, { sessionSecret: `k1:${second}` }), [], 'each ring has names of its own')
  t.strictSame(refusalOf(`${'k'.repeat(64)}:${first}`), [])
  for (const kid of ['', ' ', 'a b', '../x', 'k'.repeat(65), 'ключ']) t.match(refusalOf(`${kid}:${first}`), [/^ACCESS_TOKEN_SECRET: a kid has 1 to 64/], kid)
})

await t.test('a colon and an empty entry are no part of a secret', async (t) => {
  t.match(refusalOf(`k1:${testSecret()}:more`), ['ACCESS_TOKEN_SECRET: a secret has no colon'])
  t.match(refusalOf(`${testSecret()},`), [/at least 32 bytes/])
})

await t.test('no refusal repeats a secret', async (t) => {
  const refused = [
    'Key9mark', 'Key9mark'.repeat(10).slice(0, 31), 'k1:Key9mark:Key9mark', 'Key9mark Key9mark:x', `example ${testSecret()}`, `a:${testSecret()}:b`, others.sessionSecret, `k:${others.sessionSecret},k:${testSecret()}`
  ].flatMap((text) => {
    const problems = refusalOf(text)
    t.ok(problems.length > 0)
    return problems
  })
  t.notMatch(refused.join('\n'), /Key9mark/)
})

const embedded = (dir: string, more: Record<string, string> = {}) => createConfig(readEnvironment({ DATA_DIR: dir, ...more }), { randomBytes })

await t.test('development secrets are made once, whole, for the owner alone', async (t) => {
  const dir = join(t.testdir(), 'deep', 'folder')
  const made = developmentSecrets(dir, randomBytes)
  t.equal(new Set(Object.values(made)).size, 3)
  for (const secret of Object.values(made)) t.equal(Buffer.from(secret, 'base64url').length, 48)
  t.strictSame(readdirSync(dir), ['secrets.json'], 'no draft is left')
  t.equal(statSync(join(dir, 'secrets.json')).mode & 0o777, 0o600)
  t.equal(statSync(dir).mode & 0o777, 0o700)
  t.strictSame(developmentSecrets(dir, () => { throw new Error('no chance is needed') }), made, 'the second start finds them')
  t.not(developmentSecrets(join(dir, 'other'), randomBytes).sessionSecret, made.sessionSecret, 'another folder has others')
})

await t.test('of two first starts at the same time one makes the secrets, both use them', async (t) => {
  const dir = t.testdir()
  let winner: unknown
  const late = developmentSecrets(dir, (size) => {
    winner ??= developmentSecrets(dir, randomBytes) // another process, between the look and the write
    return randomBytes(size)
  })
  t.strictSame(late, winner)
  t.strictSame(readdirSync(dir), ['secrets.json'])
})

await t.test('a damaged file of secrets is named, and never overwritten', async (t) => {
  for (const text of ['', '{', 'null', '[]', '{"accessTokenSecret":"Key9mark"}', '{"accessTokenSecret":1,"refreshTokenSecret":2,"sessionSecret":3}']) {
    const file = join(t.testdir(), 'secrets.json')
    writeFileSync(file, text)
    const problems = problemsOf(() => embedded(join(file, '..')))
    t.match(problems, [/secrets\.json is damaged; remove it/], text)
    t.ok(problems[0]?.startsWith(file))
    t.notMatch(problems[0], /Key9mark/)
    t.equal(readFileSync(file, 'utf8'), text)
  }
  const folder = join(t.testdir(), 'secrets.json')
  mkdirSync(folder)
  t.match(problemsOf(() => embedded(join(folder, '..'))), [/is damaged/], 'a folder is no file')
})

await t.test('kept secrets obey the same rules', async (t) => {
  const dir = t.testdir({ 'secrets.json': JSON.stringify({ accessTokenSecret: 'short', ...others }) })
  chmodSync(join(dir, 'secrets.json'), 0o600)
  t.match(problemsOf(() => embedded(dir)), [/^ACCESS_TOKEN_SECRET: /])
})

await t.test('embedded development needs no secrets; MongoDB, Redis and production do', async (t) => {
  const dir = t.testdir()
  t.equal(embedded(dir).rings.access[0]?.secret, developmentSecrets(dir, randomBytes).accessTokenSecret)
  const names = ['ACCESS_TOKEN_SECRET', 'REFRESH_TOKEN_SECRET', 'SESSION_SECRET']
  for (const more of [{ MONGODB_URI: 'mongodb://h' }, { REDIS_URL: 'redis://h' }, { REDIS_CLUSTER_NODES: 'h:1' }, { NODE_ENV: 'production', MONGODB_URI: 'embedded' }]) {
    const problems = problemsOf(() => embedded(dir, more))
    t.equal(problems.length, 3, JSON.stringify(more))
    for (const name of names) t.ok(problems.some((problem) => problem.startsWith(`${name} is required with MongoDB, with Redis and in production`)), name)
  }
  t.match(problemsOf(() => embedded(dir, { SESSION_SECRET: testSecret() })), [/^ACCESS_TOKEN_SECRET is required when one/, /^REFRESH_TOKEN_SECRET is required/])
})

await t.test('a refused start makes no secrets', async (t) => {
  const dir = t.testdir()
  t.ok(problemsOf(() => embedded(dir, { CORS_ORIGINS: '*' })).length > 0)
  t.strictSame(readdirSync(dir), [])
})
