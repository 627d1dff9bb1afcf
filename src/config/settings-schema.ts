// Room `config`: one schema that is the environment's schema, its TypeScript type and its documentation.
// A key in camelCase is an option of the mounted plugin; the same key in CONSTANT_CASE is the environment variable.
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { oneOf } from '../schemas/one-of.ts'

const onOff = (byDefault: boolean, description: string) => Type.Boolean({ default: byDefault, description })
const count = (byDefault: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: byDefault, minimum, maximum, description })
const lifetime = (byDefault: string, description: string) =>
  Type.String({ pattern: '^[1-9][0-9]{0,8}[smhd]?$', default: byDefault, description: `${description} A number of seconds, or with a unit: s, m, h, d.` })
// So that no part of a password is taken for a host or a path: neither may hold an at sign.
const authority = '([^/?#]*@)?[^/?#@]+'
const optional = <T extends TSchema>(schema: T) => Type.Optional(schema)
const secret = (purpose: string, aliases: string[] = []) => optional(Type.String({
  aliases,
  description: `${purpose} One secret, or \`kid:secret,kid:secret\`: the first signs, all verify. At least 32 bytes each. ` +
    'Required with MongoDB, with Redis and in production; otherwise made once and kept in DATA_DIR.'
}))

export const settingsSchema = Type.Object({
  host: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Listen address.' }),
  port: count(3000, 0, 65535, 'Listen port; 0 takes a free one.'),
  workers: count(1, 1, 256, 'Processes that serve the port together; above 1 they need MONGODB_URI and REDIS_URL, because they share no memory. See docs/operations.md.'),
  nodeEnv: Type.String({ default: 'development', description: '`development` and `test` relax cookies, secrets and docs; anything else counts as production, and so does the mounted plugin unless it is told otherwise.' }),
  logLevel: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info', description: 'Least severe level that is logged; `debug` adds a line for each request.' }),

  mongodbUri: optional(Type.String({ aliases: ['DB_URI'], pattern: `^(embedded|mongodb(\\+srv)?://${authority}(/[^?@]*)?(\\?[^@]*)?)$`, description: 'MongoDB, the truth of accounts and sessions. Its path names the database, else `latchkey`; user and password in percent-encoding. `embedded` asks for the embedded store by name (needed for it in production).' })),
  redisUrl: optional(Type.String({ aliases: ['UPSTASH_URL'], pattern: `^rediss?://${authority}(/[^?@]*)?(\\?[^@]*)?$`, description: 'Redis, the shared copy and the channel of revocations; user and password in percent-encoding. Without it all copies are in process.' })),
  redisHost: optional(Type.String({ description: 'Host of Redis, for those who have no URL.' })),
  redisPort: optional(Type.Integer({ minimum: 1, maximum: 65535, description: 'Port of Redis beside REDIS_HOST; 6379 without it.' })),
  redisPassword: optional(Type.String({ description: 'Password of Redis beside REDIS_HOST.' })),
  redisClusterNodes: optional(Type.String({ pattern: '^[^\\s,:]+:\\d+(,[^\\s,:]+:\\d+)*$', description: '`host:port,host:port` of a Redis Cluster; user, password and TLS are taken from REDIS_URL.' })),
  redisKeyPrefix: Type.String({ default: 'lk:', pattern: '^[A-Za-z0-9:._-]{1,32}$', description: 'Begins every key and channel in Redis, for several services on one Redis.' }),
  dataDir: Type.String({ default: '.latchkey', minLength: 1, description: 'Folder of the embedded store and of development secrets.' }),

  accessTokenSecret: secret('Signs access tokens (HS256).', ['JWT_SECRET']),
  accessTokenAlgorithm: oneOf(['HS256', 'EdDSA'], { default: 'HS256', description: 'What signs access tokens: ACCESS_TOKEN_SECRET, or a key pair of ACCESS_TOKEN_KEYS, whose public half other services find at `/.well-known/jwks.json`. Keys of the other kind that are set go on verifying, each with its own algorithm only.' }),
  accessTokenKeys: optional(Type.String({ minLength: 1, description: 'Path of a PEM file with one or several Ed25519 keys, or its text: the first private key signs, all verify and are published. Make one with `openssl genpkey -algorithm ed25519`. See docs/operations.md.' })),
  refreshTokenSecret: secret('Signs refresh tokens.'),
  sessionSecret: secret('Signs cookies and hides e-mail addresses in limiter keys.'),
  accessTokenExpiry: Type.String({ ...lifetime('15m', 'Lifetime of an access token.'), aliases: ['JWT_EXPIRES_IN'] }),
  refreshTokenExpiry: lifetime('7d', 'A session ends when it was not refreshed for this long.'),
  sessionAbsoluteExpiry: lifetime('30d', 'A session ends this long after the login, refreshed or not.'),
  refreshGraceSeconds: count(10, 0, 60, 'A refresh token used again within these seconds gets the same successor; later it ends the session.'),
  sessionsPerUser: count(20, 1, 1000, 'Live sessions a user may have; at one more the oldest ends.'),
  tokenIssuer: Type.String({ default: 'latchkey', minLength: 1, maxLength: 200, description: 'Claim `iss` of access tokens.' }),
  tokenAudience: Type.String({ default: 'latchkey', minLength: 1, maxLength: 200, description: 'Claim `aud` of access tokens.' }),
  tokenClaims: optional(Type.String({ pattern: '^(email|username|fullName)(,(email|username|fullName))*$', description: 'Account fields to put into access tokens: `email`, `username`, `fullName`, separated by commas. They are readable by anybody who sees a token.' })),

  legacyTokens: onOff(false, 'Admit access tokens of the service that was before, whose sessions `latchkey import` brought in, until their end. See docs/migration.md.'),
  legacyTokenSecret: optional(Type.String({ description: 'What signs those tokens: one secret, or several separated by commas (a comma inside a secret is written `\\,`). Of any length, because it cannot be changed any more. Without it the keys of ACCESS_TOKEN_SECRET are tried.' })),

  verdictTtlSeconds: count(60, 1, 3600, 'Longest time that a copy of a session may answer before MongoDB is asked again.'),
  memoryTierEntries: count(100_000, 0, 10_000_000, 'Sessions kept in each process; 0 switches the memory tier off.'),
  tokenMemoEntries: count(100_000, 0, 10_000_000, 'Verified token texts kept in each process, to spare their signature check; 0 switches it off.'),

  profileTtlSeconds: count(1800, 0, 86_400, 'Longest time that a copy of a profile in Redis may answer; a change removes it at once. 0 keeps no copies.'),
  visitIdleSeconds: count(1800, 1, 86_400, 'A visit ends this long after its last page or action.'),
  visitEntries: count(1000, 1, 1000, 'Most pages of one visit, and most actions (the longest of them fit into one document of MongoDB); further ones are refused (`visit_full`) until it is ended.'),
  visitArchiveIntervalSeconds: count(60, 1, 3600, 'How often visits that are over are looked for and archived.'),
  cleanupIntervalSeconds: count(3600, 10, 86_400, 'How often sessions that are over, ended counters and pictures that nobody uses are taken out.'),
  healthcheckIntervalSeconds: count(300, 5, 86_400, 'How often each instance looks at its stores; a change of state is logged once.'),

  passwordMinLength: count(8, 8, 64, 'Least number of characters of a new password.'),
  bcryptCost: count(12, 10, 16, 'Cost of new password hashes; older ones are upgraded at login.'),
  bcryptConcurrency: optional(Type.Integer({ minimum: 1, maximum: 64, description: 'Threads that hash passwords, of all workers together (each has one at least); the number of cores less one without it.' })),
  bcryptQueue: count(64, 0, 10_000, 'Hashes that may wait for a thread, of all workers together; above it 503.'),

  loginLimitPerAccount: count(10, 0, 1_000_000, 'Failed logins per account and address in 5 minutes, and ten times that per account in all; 0 switches both off.'),
  loginLimitPerAddress: count(100, 0, 1_000_000, 'Failed logins per address in 5 minutes, and in an hour a fifth of that in registrations and thirty times that in visits that guests begin; 0 switches all of them off.'),
  requestLimitPerMinute: count(0, 0, 10_000_000, 'Requests per address in a minute, counted in each process; 0 switches it off.'),
  trustProxy: Type.String({ default: 'off', description: 'Whom to believe X-Forwarded-For: `off`, or the addresses of the proxies in front (`loopback`, `uniquelocal`, `10.0.0.0/8`), separated by commas. A number of hops is not taken: whoever reaches the port directly could forge it.' }),
  corsOrigins: optional(Type.String({ description: 'Origins that may call from a browser with cookies, separated by commas.' })),
  cookieDomain: optional(Type.String({ pattern: '^\\.?[A-Za-z0-9.-]+$', description: 'Domain of the cookies; without it they belong to the host alone and carry the `__Host-` prefix when secure.' })),
  cookieSecure: optional(Type.Boolean({ description: 'Send cookies over TLS only; on in production.' })),

  serverTiming: onOff(true, 'Name the tier that answered in the Server-Timing header.'),
  docs: optional(Type.Boolean({ description: 'Serve /docs and /openapi.json; on outside production.' })),
  console: optional(Type.Boolean({ description: 'Serve /console, a page where people sign in, see their devices and end them; on outside production. A mounted plugin that names its `parts` names it there instead.' })),
  metrics: onOff(true, 'Count and time, and serve /metrics to those who may see it.'),
  metricsToken: optional(Type.String({ pattern: '^[A-Za-z0-9._~+/=-]{16,256}$', description: 'Sent as `Authorization: Bearer`, it opens /metrics and the detail of health; 16 to 256 characters of A-Z a-z 0-9 . _ ~ + / = -. An access token of an admin opens them too. Without it nobody else does in production, and anybody elsewhere.' }))
}, { additionalProperties: false })

/** Every setting after validation, defaults filled in. */
export type Settings = Static<typeof settingsSchema>

/** Settings of the process that listens: the mounted plugin has none of them, its host's app has. */
export const processSettings = ['host', 'port', 'workers', 'logLevel', 'trustProxy'] as const satisfies (keyof Settings)[]

/** What a host passes to the plugin: any of the other settings, in camelCase. */
export type SettingsInput = Partial<Omit<Settings, typeof processSettings[number]>>

export type SettingName = keyof Settings

export const settingNames = Object.keys(settingsSchema.properties) as SettingName[]

/** `accessTokenSecret` -> `ACCESS_TOKEN_SECRET`. */
export const environmentName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()

/** The names that the original documents used for a setting. */
export const aliasesOf = (name: SettingName): string[] => {
  const { aliases } = settingsSchema.properties[name] as { aliases?: string[] }
  return aliases ?? []
}
