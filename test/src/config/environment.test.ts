// From text to settings: what each form means, and a refusal that names the variable and never its value.
import t from 'tap'
import { readEnvironment, readOptions } from '../../../src/config/environment.ts'
import { aliasesOf, environmentName, settingNames, settingsSchema } from '../../../src/config/settings-schema.ts'
import { problemsOf } from './problems.ts'

const typeOf = (name: string): string => (settingsSchema.properties as unknown as Record<string, { type: string }>)[name]?.type ?? ''

await t.test('every setting is read under its own name, text as it stands', async (t) => {
  const lawful: Record<string, string> = {
    logLevel: 'debug',
    accessTokenAlgorithm: 'EdDSA',
    mongodbUri: 'mongodb://a,b/db?replicaSet=r',
    redisUrl: 'rediss://u:p@h:1',
    redisClusterNodes: 'a:1,b:2',
    redisKeyPrefix: 'app:',
    accessTokenExpiry: '1h',
    refreshTokenExpiry: '2d',
    sessionAbsoluteExpiry: '3d',
    tokenClaims: 'email,fullName',
    cookieDomain: '.example.com',
    metricsToken: 'a-token-of-16-or-more'
  }
  for (const name of settingNames) {
    if (typeOf(name) !== 'string') continue
    const text = lawful[name] ?? 'plain text'
    t.equal(readEnvironment({ [environmentName(name)]: text })[name], text, name)
  }
})

await t.test('a switch takes on, true, 1, yes and their opposites, in any case', async (t) => {
  for (const name of settingNames.filter((name) => typeOf(name) === 'boolean')) {
    const variable = environmentName(name)
    for (const text of ['on', 'true', '1', 'yes', 'ON', 'True', ' yes ']) t.equal(readEnvironment({ [variable]: text })[name], true, `${variable}=${text}`)
    for (const text of ['off', 'false', '0', 'no', 'OFF', 'False', ' no ']) t.equal(readEnvironment({ [variable]: text })[name], false, `${variable}=${text}`)
    for (const text of ['2', 'enabled', 'o', 'truee', '-1']) t.match(problemsOf(() => readEnvironment({ [variable]: text })), [new RegExp(`^${variable}: `)], `${variable}=${text}`)
  }
})

await t.test('a number is digits, and nothing that a language would also call one', async (t) => {
  t.equal(readEnvironment({ PORT: ' 8080 ' }).port, 8080)
  for (const text of ['1e3', '0x10', '10.5', '1_000', '10 000', 'NaN', 'Infinity', '--1', '9'.repeat(16), '٣']) {
    t.match(problemsOf(() => readEnvironment({ PORT: text })), [/^PORT: /], text)
  }
})

await t.test('an empty value is unset', async (t) => {
  const empty = Object.fromEntries(settingNames.flatMap((name) => [environmentName(name), ...aliasesOf(name)]).map((variable) => [variable, '']))
  t.strictSame(readEnvironment(empty), readEnvironment({}))
  t.equal(readEnvironment({ ACCESS_TOKEN_SECRET: '', JWT_SECRET: 'x' }).accessTokenSecret, 'x', 'an empty name leaves its alias alone')
})

await t.test('an environment may hold anything else', async (t) => {
  t.strictSame(readEnvironment({ PATH: '/bin', LATCHKEY: 'x', port: '1', __proto__: 'x' } as Record<string, string>), readEnvironment({}))
})

await t.test('the names of older documents keep working', async (t) => {
  t.match(readEnvironment({
    DB_URI: 'mongodb://h/db', UPSTASH_URL: 'rediss://h:1', JWT_SECRET: 's', JWT_EXPIRES_IN: '1h', REDIS_HOST: 'h', REDIS_PORT: '7', REDIS_PASSWORD: 'p'
  }), {
    mongodbUri: 'mongodb://h/db', redisUrl: 'rediss://h:1', accessTokenSecret: 's', accessTokenExpiry: '1h', redisHost: 'h', redisPort: 7, redisPassword: 'p'
  })
})

await t.test('two names of one setting are refused if they disagree', async (t) => {
  for (const name of settingNames) {
    for (const alias of aliasesOf(name)) {
      const variable = environmentName(name)
      const lawful = { DB_URI: ['mongodb://a', 'mongodb://b'], UPSTASH_URL: ['redis://a', 'redis://b'], JWT_SECRET: ['a', 'b'], JWT_EXPIRES_IN: ['1h', '2h'] }[alias] as [string, string]
      const problems = problemsOf(() => readEnvironment({ [variable]: lawful[0], [alias]: lawful[1] }))
      t.equal(problems.length, 1)
      t.match(problems[0], new RegExp(`^${variable} and ${alias} `))
      t.equal(readEnvironment({ [variable]: lawful[0], [alias]: lawful[0] })[name], lawful[0], 'agreement is no conflict')
    }
  }
})

await t.test('a refusal names the variable and repeats no part of the value', async (t) => {
  const mark = 'Val5mark'
  const free = ['nodeEnv', 'host', 'dataDir', 'redisHost', 'redisPassword', 'accessTokenSecret', 'accessTokenKeys', 'refreshTokenSecret', 'sessionSecret', 'legacyTokenSecret', 'trustProxy', 'corsOrigins', 'tokenIssuer', 'tokenAudience']
  for (const name of settingNames) {
    for (const variable of [environmentName(name), ...aliasesOf(name)]) {
      const problems = problemsOf(() => readEnvironment({ [variable]: ` ${mark} //` }))
      if (free.includes(name)) t.strictSame(problems, [], `${variable} takes any text here`)
      else {
        t.ok(problems.length > 0, `${variable} is refused`)
        for (const problem of problems) t.match(problem, new RegExp(`^${environmentName(name)}: .`))
      }
      t.notMatch(problems.join('\n'), new RegExp(mark), variable)
    }
  }
  t.notMatch(problemsOf(() => readEnvironment({ TOKEN_ISSUER: mark.repeat(100) })).join('\n'), new RegExp(mark), 'nor a value that is too long')
})

await t.test('a conflict of names repeats neither value', async (t) => {
  const problems = problemsOf(() => readEnvironment({ JWT_SECRET: 'Val5mark-a', ACCESS_TOKEN_SECRET: 'Val5mark-b', DB_URI: 'mongodb://Val5mark', MONGODB_URI: 'mongodb://Val5mark-2' }))
  t.equal(problems.length, 2)
  t.notMatch(problems.join('\n'), /Val5mark/)
})

await t.test('several problems are told at once, one line each', async (t) => {
  const read = (): unknown => readEnvironment({ PORT: 'x', BCRYPT_COST: '9', LOG_LEVEL: 'loud', ACCESS_TOKEN_EXPIRY: 'soon', REDIS_URL: 'http://h', DOCS: 'maybe' })
  const problems = problemsOf(read)
  for (const variable of ['PORT', 'BCRYPT_COST', 'LOG_LEVEL', 'ACCESS_TOKEN_EXPIRY', 'REDIS_URL', 'DOCS']) {
    t.equal(problems.filter((problem) => problem.startsWith(`${variable}: `)).length, 1, variable)
  }
  t.throws(read, { name: 'ConfigError', message: /^The configuration cannot be used:\n( {2}- .+\n?){6}$/ })
})

await t.test('a refused choice names the choices, a refused form the description', async (t) => {
  t.match(problemsOf(() => readEnvironment({ LOG_LEVEL: 'loud' })), ['LOG_LEVEL: expected one of fatal, error, warn, info, debug, trace, silent'])
  t.match(problemsOf(() => readEnvironment({ ACCESS_TOKEN_EXPIRY: 'soon' })), [/with a unit: s, m, h, d\.$/])
})

await t.test('options are called by their own names, unknown ones and wrong types are refused', async (t) => {
  t.match(readOptions({ bcryptCost: 10, docs: false, accessTokenSecret: 'x' }), { bcryptCost: 10, docs: false, nodeEnv: 'production' })
  t.equal(readOptions({ nodeEnv: 'test' }).nodeEnv, 'test')
  t.strictSame(readOptions({ host: undefined } as object), readOptions({}), 'undefined is unset')
  for (const [name, value] of Object.entries({ bcryptQueue: '64', docs: 'on', bcryptCost: 10.5, accessTokenSecret: 5, host: '', accessTokenExpiry: 900, unknown: 1, PORT: 1 })) {
    t.match(problemsOf(() => readOptions({ [name]: value })), [new RegExp(`^${name}: `)], name)
  }
})

await t.test('reading changes nothing of what was passed', async (t) => {
  const options = Object.freeze({ bcryptCost: 11 })
  readOptions(options)
  t.strictSame(options, { bcryptCost: 11 })
})
