// The list of settings is documentation too: each one says what it is for and has one name in an environment.
import t from 'tap'
import { readEnvironment, readOptions } from '../../../src/config/environment.ts'
import { aliasesOf, environmentName, settingNames, settingsSchema } from '../../../src/config/settings-schema.ts'
import { problemsOf } from './problems.ts'

interface Described { description?: string, type?: string, default?: unknown, minimum?: number, maximum?: number }

const described = (name: string): Described => settingsSchema.properties[name as keyof typeof settingsSchema.properties]

await t.test('every setting has a description in sentences', async (t) => {
  for (const name of settingNames) {
    t.match(described(name).description, /^[\p{Lu}`].*\.$/u, name)
  }
})

await t.test('the names in an environment are a bijection, aliases included', async (t) => {
  const names = settingNames.map(environmentName)
  for (const name of names) t.match(name, /^[A-Z]+(_[A-Z]+)*$/)
  const all = [...names, ...settingNames.flatMap(aliasesOf)]
  t.equal(new Set(all).size, all.length, 'no name stands for two settings')
  const back = (name: string) => name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  for (const name of settingNames) t.equal(back(environmentName(name)), name)
  t.equal(environmentName('accessTokenSecret'), 'ACCESS_TOKEN_SECRET')
})

await t.test('the aliases are the names of the documents that came before', async (t) => {
  const aliases = Object.fromEntries(settingNames.map((name) => [environmentName(name), aliasesOf(name)]).filter(([, list]) => list?.length !== 0))
  t.strictSame(aliases, {
    MONGODB_URI: ['DB_URI'],
    REDIS_URL: ['UPSTASH_URL'],
    ACCESS_TOKEN_SECRET: ['JWT_SECRET'],
    ACCESS_TOKEN_EXPIRY: ['JWT_EXPIRES_IN']
  })
})

await t.test('an empty environment gives the documented defaults', async (t) => {
  t.strictSame(readEnvironment({}), {
    host: '127.0.0.1',
    port: 3000,
    workers: 1,
    nodeEnv: 'development',
    logLevel: 'info',
    redisKeyPrefix: 'lk:',
    dataDir: '.latchkey',
    accessTokenAlgorithm: 'HS256',
    accessTokenExpiry: '15m',
    refreshTokenExpiry: '7d',
    sessionAbsoluteExpiry: '30d',
    refreshGraceSeconds: 10,
    sessionsPerUser: 20,
    tokenIssuer: 'latchkey',
    tokenAudience: 'latchkey',
    legacyTokens: false,
    verdictTtlSeconds: 60,
    memoryTierEntries: 100_000,
    tokenMemoEntries: 100_000,
    profileTtlSeconds: 1800,
    visitIdleSeconds: 1800,
    visitEntries: 1000,
    visitArchiveIntervalSeconds: 60,
    cleanupIntervalSeconds: 3600,
    healthcheckIntervalSeconds: 300,
    passwordMinLength: 8,
    bcryptCost: 12,
    bcryptQueue: 64,
    loginLimitPerAccount: 10,
    loginLimitPerAddress: 100,
    requestLimitPerMinute: 0,
    trustProxy: 'off',
    serverTiming: true,
    metrics: true
  })
  t.strictSame(readOptions({}), { ...readEnvironment({}), nodeEnv: 'production' }, 'options have the same, but that a host is in production unless it says otherwise')
})

await t.test('every default passes its own rule', async (t) => {
  for (const name of settingNames) {
    const { default: byDefault } = described(name)
    if (byDefault === undefined) continue
    t.equal(readOptions({ [name]: byDefault })[name], byDefault, name)
  }
})

await t.test('every number takes its least and its greatest, and nothing beyond', async (t) => {
  for (const name of settingNames) {
    const { type, minimum, maximum } = described(name)
    if (type !== 'integer') continue
    const variable = environmentName(name)
    t.ok(Number.isInteger(minimum) && Number.isInteger(maximum), `${name} has both bounds`)
    for (const lawful of [minimum, maximum] as number[]) t.equal(readEnvironment({ [variable]: String(lawful) })[name], lawful, `${variable}=${lawful}`)
    for (const beyond of [minimum as number - 1, maximum as number + 1]) t.match(problemsOf(() => readEnvironment({ [variable]: String(beyond) })), [new RegExp(`^${variable}: `)], `${variable}=${beyond}`)
  }
})
