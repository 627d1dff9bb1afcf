// Room `config`: settings made ready for use, once, and frozen. Whatever contradicts itself or would be unsafe
// stops the start here (fail closed), with the name of the setting and never its value.
import { availableParallelism } from 'node:os'
import { redisOf, storeOf, trustOf, type RedisAddress, type StoreAddress } from './addresses.ts'
import { ConfigError } from './environment.ts'
import { readLegacySecrets, warningsOfLegacy } from './legacy-secrets.ts'
import { everyPart, type Parts } from './parts.ts'
import { developmentSecrets, isSample, readRings, type Rings, type SecretTexts } from './secrets.ts'
import { environmentName, type Settings } from './settings-schema.ts'
import { readSigningKeys, type SigningKey } from './signing-keys.ts'

// Settings that Config holds in another form, or not at all.
const raw = [
  'mongodbUri', 'redisUrl', 'redisHost', 'redisPort', 'redisPassword', 'redisClusterNodes',
  'accessTokenSecret', 'accessTokenKeys', 'refreshTokenSecret', 'sessionSecret', 'legacyTokens', 'legacyTokenSecret', 'accessTokenExpiry', 'refreshTokenExpiry', 'sessionAbsoluteExpiry',
  'bcryptConcurrency', 'cookieSecure', 'docs', 'console', 'corsOrigins', 'tokenClaims', 'trustProxy'
] as const satisfies (keyof Settings)[]

type Raw = typeof raw[number]

export type ClaimField = 'email' | 'username' | 'fullName'

export interface Config extends Readonly<Omit<Settings, Raw>> {
  readonly production: boolean
  readonly store: StoreAddress
  readonly redis: RedisAddress | undefined
  readonly rings: Rings
  /** Key pairs of access tokens, those that can sign first. */
  readonly signingKeys: readonly SigningKey[]
  /** What may have signed the tokens of an older service; none if none of them is admitted. */
  readonly legacySecrets: readonly string[]
  readonly accessTokenSeconds: number
  readonly refreshTokenSeconds: number
  readonly sessionAbsoluteSeconds: number
  readonly bcryptConcurrency: number
  readonly cookieSecure: boolean
  readonly docs: boolean
  readonly console: boolean
  readonly corsOrigins: readonly string[]
  readonly tokenClaims: readonly ClaimField[]
  /** As Fastify takes it: nobody, or the proxies at these addresses. */
  readonly trustProxy: false | readonly string[]
  /** Lines that the start prints: lawful, but worth knowing. */
  readonly warnings: readonly string[]
}

export interface ConfigSources {
  randomBytes: (size: number) => Buffer
  /** How the reader calls a setting; environment variables by default. */
  nameOf?: (name: string) => string
  /** What is mounted: keys that only other parts sign with need not be there. */
  parts?: Parts
}

/**
 * @param settings from `readEnvironment` or `readOptions`
 * @throws ConfigError with every reason to refuse the start
 */
export function createConfig (settings: Settings, { randomBytes, nameOf = environmentName, parts = everyPart }: ConfigSources): Config {
  const problems: string[] = []
  const production = settings.nodeEnv !== 'development' && settings.nodeEnv !== 'test'
  const store = storeOf(settings, nameOf, problems)
  const redis = redisOf(settings, nameOf, problems)
  const [accessTokenSeconds, refreshTokenSeconds, sessionAbsoluteSeconds] =
    [seconds(settings.accessTokenExpiry), seconds(settings.refreshTokenExpiry), seconds(settings.sessionAbsoluteExpiry)]
  for (const name of ['accessTokenExpiry', 'refreshTokenExpiry', 'sessionAbsoluteExpiry'] as const) {
    if (seconds(settings[name]) > mostSeconds) problems.push(`${nameOf(name)} must not be longer than 3650d`)
  }
  if (accessTokenSeconds > refreshTokenSeconds) problems.push(`${nameOf('accessTokenExpiry')} must not be longer than ${nameOf('refreshTokenExpiry')}`)
  if (refreshTokenSeconds > sessionAbsoluteSeconds) problems.push(`${nameOf('refreshTokenExpiry')} must not be longer than ${nameOf('sessionAbsoluteExpiry')}`)
  if (store.kind === 'embedded' && production && settings.mongodbUri === undefined) {
    problems.push(`${nameOf('mongodbUri')} is required in production (\`embedded\` asks for the embedded store by name: one process, no second instance)`)
  }
  if (settings.workers > 1 && (store.kind === 'embedded' || redis === undefined)) {
    problems.push(`${nameOf('workers')} above 1 needs ${nameOf('mongodbUri')} and ${nameOf('redisUrl')}: several processes share neither the embedded store nor copies and counters in memory`)
  }
  const corsOrigins = originsOf(settings, nameOf, problems)
  const trustProxy = trustOf(settings, nameOf, problems)
  const isRequired = production || store.kind === 'mongodb' || redis !== undefined
  const secrets = secretsOf(settings, { isRequired, parts, randomBytes }, nameOf, problems)
  checkMetricsToken(settings, nameOf, problems)
  if (problems.length > 0 || secrets === undefined) throw new ConfigError(problems)
  const rings = readRings(secrets === 'kept' ? developmentSecrets(settings.dataDir, randomBytes) : secrets, nameOf)
  const signingKeys = signingKeysOf(settings, rings, parts, nameOf)
  const legacySecrets = readLegacySecrets(settings, rings, nameOf)

  return deepFrozen({
    ...withoutRaw(settings),
    production,
    store,
    redis,
    rings,
    signingKeys,
    legacySecrets,
    accessTokenSeconds,
    refreshTokenSeconds,
    sessionAbsoluteSeconds,
    bcryptConcurrency: settings.bcryptConcurrency ?? Math.max(1, availableParallelism() - 1),
    cookieSecure: settings.cookieSecure ?? production,
    docs: settings.docs ?? !production,
    console: settings.console ?? !production,
    corsOrigins,
    tokenClaims: (settings.tokenClaims?.split(',') ?? []) as ClaimField[],
    trustProxy,
    warnings: [...warningsFor(settings, production, store, redis, nameOf), ...warningsOfLegacy(legacySecrets, nameOf)]
  })
}

const mostSeconds = 3650 * 86_400 // ten years: beyond any use, and far within what a date can hold

/** `15m` -> 900. The form was checked by the schema. */
export function seconds (text: string): number {
  const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[text.slice(-1)]
  return unit === undefined ? Number(text) : Number(text.slice(0, -1)) * unit
}

function originsOf ({ corsOrigins }: Settings, nameOf: (name: string) => string, problems: string[]): string[] {
  const origins = (corsOrigins ?? '').split(',').map((origin) => origin.trim()).filter((origin) => origin !== '')
  if (origins.some((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin || origin.includes('*'))) {
    problems.push(`${nameOf('corsOrigins')}: an origin is scheme, host and port only, without a wildcard, such as https://app.example.com`)
  }
  return origins
}

interface SecretNeeds extends Pick<ConfigSources, 'randomBytes'> {
  /** Whether none may be made up. */
  readonly isRequired: boolean
  readonly parts: Parts
}

/** 'kept' = those of the data folder; undefined = refused, and the problems say why. */
function secretsOf ({ accessTokenAlgorithm, accessTokenSecret, refreshTokenSecret, sessionSecret }: Settings, { isRequired, parts, randomBytes }: SecretNeeds, nameOf: (name: string) => string, problems: string[]): SecretTexts | 'kept' | undefined {
  const texts = { accessTokenSecret, refreshTokenSecret, sessionSecret }
  if (Object.values(texts).every((text) => text === undefined) && !isRequired) return 'kept'
  const needs = { accessTokenSecret: accessTokenAlgorithm === 'HS256', refreshTokenSecret: parts.has('auth'), sessionSecret: parts.size > 0 }
  const missing = Object.entries(needs).filter(([name, isNeeded]) => isNeeded && texts[name as keyof SecretTexts] === undefined).map(([name]) => nameOf(name))
  const reason = isRequired ? 'with MongoDB, with Redis and in production' : 'when one of the three secrets is set'
  for (const name of missing) problems.push(`${name} is required ${reason}; make one with: openssl rand -base64 48`)
  // a key that nobody has signs and reads nothing: no part that is mounted uses it
  const nobodys = (): string => randomBytes(48).toString('base64url')
  return missing.length > 0 ? undefined : { accessTokenSecret, refreshTokenSecret: refreshTokenSecret ?? nobodys(), sessionSecret: sessionSecret ?? nobodys() }
}

function signingKeysOf ({ accessTokenAlgorithm, accessTokenKeys }: Settings, { access }: Rings, parts: Parts, nameOf: (name: string) => string): readonly SigningKey[] {
  const name = nameOf('accessTokenKeys')
  const keys = accessTokenKeys === undefined ? [] : readSigningKeys(accessTokenKeys, name)
  const isEnough = parts.has('auth') ? keys[0]?.privatePem !== undefined : keys.length > 0 // who issues none verifies with public halves
  if (accessTokenAlgorithm === 'EdDSA' && !isEnough) {
    throw new ConfigError([`${name} needs a ${parts.has('auth') ? 'private ' : ''}key with ${nameOf('accessTokenAlgorithm')} EdDSA; make one with: openssl genpkey -algorithm ed25519 -out access-keys.pem`])
  }
  if (keys.some(({ kid }) => access.some((key) => key.kid === kid))) throw new ConfigError([`${nameOf('accessTokenSecret')}: a secret has the kid of a key of ${name}`])
  return keys
}

function checkMetricsToken ({ metricsToken, ...settings }: Settings, nameOf: (name: string) => string, problems: string[]): void {
  if (metricsToken === undefined) return
  if (isSample(metricsToken)) problems.push(`${nameOf('metricsToken')}: this is a sample or a pattern, not a secret; make one with: openssl rand -base64 24`)
  const others = ['accessTokenSecret', 'refreshTokenSecret', 'sessionSecret'] as const
  // who reads metrics could otherwise sign tokens
  for (const name of others) if (settings[name]?.split(',').some((entry) => entry.slice(entry.indexOf(':') + 1).trim() === metricsToken)) problems.push(`${nameOf('metricsToken')} must not be equal to a key of ${nameOf(name)}`)
}

function warningsFor (settings: Settings, production: boolean, store: StoreAddress, redis: RedisAddress | undefined, nameOf: (name: string) => string): string[] {
  const warnings: string[] = []
  if (store.kind === 'embedded') warnings.push(`The embedded store serves one process. Set ${nameOf('mongodbUri')} for several instances.`)
  if (store.kind === 'mongodb' && redis === undefined) warnings.push(`Without ${nameOf('redisUrl')} an instance asks MongoDB for each session once a second, because nobody tells it of revocations.`)
  if (production && settings.loginLimitPerAccount === 0) warnings.push(`${nameOf('loginLimitPerAccount')} is 0: passwords can be guessed without limit.`)
  if (production && settings.loginLimitPerAddress === 0) warnings.push(`${nameOf('loginLimitPerAddress')} is 0: one address may guess passwords, register and begin visits without limit.`)
  return warnings
}

function deepFrozen<T extends object> (value: T): T {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) deepFrozen(member)
  return Object.freeze(value)
}

function withoutRaw (settings: Settings): Omit<Settings, Raw> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !(raw as readonly string[]).includes(name))) as Omit<Settings, Raw>
}
