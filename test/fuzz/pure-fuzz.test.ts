// Properties of what reads texts of others without asking anybody: what it wrote it reads back, what it accepts it accepts
// again, and whatever else comes it answers or refuses by the closed list of failures, and throws nothing else.
import Fastify from 'fastify'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { readCopy, writeCopy } from '../../src/cache/copy-text.ts'
import { createConfig, seconds } from '../../src/config/config.ts'
import { ConfigError, readEnvironment } from '../../src/config/environment.ts'
import { aliasesOf, environmentName, settingNames } from '../../src/config/settings-schema.ts'
import { LatchkeyError } from '../../src/errors.ts'
import { addressKey } from '../../src/limit/address.ts'
import { canonical, chosenIn, cookieText, languageTag, lawfulPart } from '../../src/preference/preference-rules.ts'
import { parseTimeCursor, timeCursor } from '../../src/schemas/time-cursor.ts'
import { deviceOf } from '../../src/session/device.ts'
import { headerIn, parseSegment } from '../../src/token/access-token.ts'
import { bearerText } from '../../src/token/bearer.ts'
import { createKeyring } from '../../src/token/keyring.ts'
import { legacyClaims, unverifiedClaims } from '../../src/token/legacy-token.ts'
import { createRefreshTokens } from '../../src/token/refresh-token.ts'
import { decodeSessionCopy } from '../../src/token/session-copy.ts'
import { createSignedCookie } from '../../src/token/signed-cookie.ts'
import { emailKeyOf, usernameKeyOf } from '../../src/user/user-record.ts'
import { checkNewPassword } from '../../src/user/password-rules.ts'
import { newVisitorId, parseVisitor, sliceOf, visitorText } from '../../src/visit/visit-rules.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { testSecret } from '../helper/service.ts'
import { expectNone, holds } from './fuzz-kit.ts'
import { brokenText, hostileJson, hostileText } from './hostile.ts'

const ring = () => createKeyring([{ kid: 'k1', fingerprint: 'f', secret: testSecret() }])
const id = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((made) => Buffer.from(made).toString('base64url'))
const inBase64 = fc.oneof(hostileText, hostileJson, fc.integer().map((at) => `at:${at}`), fc.tuple(fc.nat(), hostileText).map(([time, text]) => `${time}:${text}`)).map((text) => Buffer.from(text).toString('base64url'))
const anyText = fc.oneof(hostileText, inBase64, fc.string())

/** @returns what a call gives, or undefined if it is refused by the list. @throws whatever else is thrown */
function answerOf <V> (work: () => V, refusal: typeof LatchkeyError | typeof ConfigError = LatchkeyError): V | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof refusal) return undefined
    throw error
  }
}

const same = (one: unknown, other: unknown): void => expectNone(JSON.stringify(one) === JSON.stringify(other) ? [] : [`${JSON.stringify(one)} is not ${JSON.stringify(other)}`])

await t.test('whatever a parser is given it answers, or refuses by the list', async (t) => {
  const refreshTokens = createRefreshTokens(ring())
  const cookie = createSignedCookie(ring(), 'visit', 'visit')
  const parsers: Record<string, (text: string) => unknown> = {
    bearerText,
    parseTimeCursor,
    languageTag,
    chosenIn,
    addressKey,
    headerIn,
    parseSegment,
    unverifiedClaims,
    emailKeyOf,
    usernameKeyOf,
    parseVisitor,
    deviceOf,
    decodeSessionCopy,
    sliceOf: (cursor) => sliceOf({ kind: 'page', limit: 50, cursor }),
    canonical: (language) => canonical({ language }),
    checkNewPassword: (password) => { checkNewPassword(password, [password, ''], 8) },
    refreshToken: refreshTokens.parse,
    signedCookie: cookie.read,
    readCopy: (text) => readCopy(text, { encode: String, decode: (value) => decodeSessionCopy(value) }),
    legacyClaims: (text) => legacyClaims(parseSegment(text)),
    lawfulPart: (text) => lawfulPart(parseSegment(text))
  }
  for (const [name, parse] of Object.entries(parsers)) {
    await t.test(name, async (t) => { await holds(t, 300, anyText, (text) => { answerOf(() => parse(text)) }) })
  }
})

await t.test('a place in a list is read back as it was written', async (t) => {
  await holds(t, 200, fc.tuple(fc.date({ min: new Date(0), max: new Date(253_402_300_799_999), noInvalidDate: true }), fc.constantFrom(16, 32).chain(id)), ([time, text]) => {
    same(parseTimeCursor(timeCursor({ time, id: text })), { time, id: text })
  })
})

await t.test('a refresh token, a signed cookie and a visitor are read back as they were written, by their own key alone', async (t) => {
  const [own, foreign] = [ring(), ring()]
  await holds(t, 200, fc.tuple(id(16), fc.nat(999_999_999), fc.stringMatching(/^[\w.-]{0,80}$/)), ([sid, generation, value]) => {
    const text = createRefreshTokens(own).derive({ sid, generation })
    same(createRefreshTokens(own).parse(text), { sid, generation })
    same(createRefreshTokens(foreign).parse(text) ?? null, null)
    const signed = createSignedCookie(own, 'visit', 'visit').sign(value)
    same(createSignedCookie(own, 'visit', 'visit').read(signed), { value, isOld: false })
    for (const other of [createSignedCookie(own, 'preferences', 'visit'), createSignedCookie(own, 'visit', '__Host-visit'), createSignedCookie(foreign, 'visit', 'visit')]) same(other.read(signed) ?? null, null)
    const visitor = newVisitorId(randomBytes)
    same(parseVisitor(visitorText(visitor)), visitor)
  })
})

await t.test('a language tag that is accepted is its own canonical form, and a guest\'s choice is read back from its cookie', async (t) => {
  const tags = fc.oneof(hostileText, fc.stringMatching(/^[a-z]{2,3}(-[A-Za-z]{4})?(-[a-zA-Z]{2})?(-u-ca-[a-z]{3,8})?$/))
  await holds(t, 300, fc.tuple(tags, fc.constantFrom('light', 'dark', 'system'), fc.boolean()), ([language, theme, notifications]) => {
    const tag = languageTag(language)
    if (tag === undefined) return
    same(languageTag(tag), tag)
    const chosen = canonical({ theme: theme as 'light', notifications, language })
    same(chosenIn(cookieText(chosen)), chosen)
    same(lawfulPart(chosen), chosen)
  })
})

await t.test('an address is one address however it is written', async (t) => {
  await holds(t, 300, fc.tuple(fc.ipV4(), fc.nat(65_535)), ([address, port]) => {
    for (const written of [`::ffff:${address}`, `${address}:${port}`, `[::ffff:${address}]:${port}`, `::FFFF:${address}`]) same(addressKey(written), addressKey(address))
  })
  await holds(t, 300, fc.tuple(fc.ipV6(), fc.nat(65_535)), ([address, port]) => {
    for (const written of [address.toUpperCase(), `[${address}]`, `[${address}]:${port}`, `${address}%eth0`]) same(addressKey(written), addressKey(address))
  })
  const group = fc.integer({ min: 0, max: 0xffff }).map((part) => part.toString(16))
  await holds(t, 300, fc.tuple(fc.tuple(group, group, group), group, group), ([prefix, one, other]) => { // the same /64; 2001: is none that means an IPv4 address
    same(addressKey(`2001:${prefix.join(':')}::${one}`), addressKey(`2001:${prefix.join(':')}:0:0:${other}:${one}`))
  })
  await holds(t, 300, anyText, (text) => { expectNone(addressKey(text).length <= 64 ? [] : [`${addressKey(text).length} characters`]) })
})

await t.test('an e-mail address that is accepted is compared by one key, whatever its case and composition', async (t) => {
  const local = fc.oneof(fc.stringMatching(/^[A-Za-z0-9.+_-]{1,20}$/), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }))
  await holds(t, 300, fc.tuple(local, fc.domain()), ([name, domain]) => {
    const key = emailKeyOf(`${name}@${domain}`)
    if (key === undefined) return
    same(emailKeyOf(key), key)
    for (const form of ['NFC', 'NFD', 'NFKC'] as const) same(emailKeyOf(`${name}@${domain}`.normalize(form)), key)
    same(emailKeyOf(`${name.toLowerCase()}@${domain.toUpperCase()}`), key)
    same(emailKeyOf(` ${name}@${domain}\t`), key)
  })
})

await t.test('a copy is read back as it was written', async (t) => {
  await holds(t, 200, fc.tuple(fc.nat(), fc.nat(), fc.nat(), hostileText), ([readAt, endsAt, expiresAt, value]) => {
    const copy = { readAt, endsAt, expiresAt, value }
    same(readCopy(writeCopy(copy, { encode: String, decode: String }), { encode: String, decode: String }), copy)
  })
})

await t.test('a lifetime is as many seconds as it says', async (t) => {
  const units = { s: 1, m: 60, h: 3600, d: 86_400, '': 1 }
  await holds(t, 200, fc.tuple(fc.integer({ min: 1, max: 999_999_999 }), fc.constantFrom('s', 'm', 'h', 'd', '')), ([count, unit]) => { same(seconds(`${count}${unit}`), count * units[unit]) })
})

/** Values that are right for a setting, or almost. */
const almost: Record<string, readonly string[]> = {
  MONGODB_URI: ['mongodb://h/db', 'mongodb://h/%zz', 'mongodb://h/a%2fb?x=1', 'mongodb+srv://h', 'mongodb://u:p%40@a:1,b:2/db', 'mongodb://h//', 'mongodb://h/?x=1', 'mongodb://[::1]:1/db', 'embedded'],
  REDIS_URL: ['redis://h', 'rediss://u:p%40@h:1', 'redis://[', 'redis://h:99999', 'redis://:%zz@h/0', 'redis://h/x'],
  REDIS_HOST: ['h', '::1', '[::1]', 'a b', 'h/x', 'u@h', ''],
  REDIS_PASSWORD: ['p@:/?#%', '%zz'],
  REDIS_CLUSTER_NODES: ['a:1,b:2', 'a:99999', 'a:0', '[::1]:1'],
  TRUST_PROXY: ['loopback', 'off', '10.0.0.0/8', '10/8', '1', '::/0', '1.2.3.4/255.0.0.0', '::ffff:1.2.3.4/96', 'fe80::1%lo', '0x7f.1/8', '1.2.3.4/33', 'uniquelocal, linklocal', '2001:db8::/129', '1.2.3.4/08', '::ffff:10.0.0.0/104'],
  CORS_ORIGINS: ['https://shop.example.net', 'https://shop.example.net/', 'null', 'https://*.example.com', 'http://[::1]:3000', 'HTTPS://A.example', 'https://u@a.example', 'file://'],
  COOKIE_DOMAIN: ['.example.com', 'example.com', '-', '.'],
  ACCESS_TOKEN_SECRET: ['a:b:c', 'k1:'.padEnd(60, 'xY9zQ'), `${'k1:'.padEnd(60, 'abcdefgh1')},${'k1:'.padEnd(60, 'ijklmnop2')}`, ',', ':'.padEnd(60, 'abcdefgh1'), 'x'.repeat(40)],
  ACCESS_TOKEN_EXPIRY: ['15m', '3650d', '3651d', '999999999d', '1', '0m'],
  TOKEN_CLAIMS: ['email,fullName', 'email,', 'email,email'],
  METRICS_TOKEN: ['changeme-changeme-changeme', 'a'.repeat(16), 'abcdefgh12345678'],
  LEGACY_TOKEN_SECRET: ['a\\,b', '\\', ',', 'secret'],
  LEGACY_TOKENS: ['on', 'off'],
  WORKERS: ['1', '2', '257'],
  NODE_ENV: ['production', 'development', 'staging']
}

await t.test('an environment is a configuration or is refused by the names of its settings; no value is told, and what is accepted can be started', async (t) => {
  const dir = scratchFolder(t)
  const secretsOf = () => ({ ACCESS_TOKEN_SECRET: testSecret(), REFRESH_TOKEN_SECRET: testSecret(), SESSION_SECRET: testSecret() })
  const names = settingNames.flatMap((name) => [environmentName(name), ...aliasesOf(name)]).filter((name) => name !== 'DATA_DIR')
  const general = fc.oneof(hostileText.map((text) => text.slice(0, 300)), fc.integer().map(String), fc.constantFrom('on', 'off', '15m', '3650d', '999999999d', '0', '1', 'embedded', 'production', 'null', '*'))
  const given = fc.constantFrom(...names, ...Object.keys(almost)).chain((name) => {
    const known = almost[name]
    return (known === undefined ? general : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: general }, { weight: 1, arbitrary: brokenText(fc.constantFrom(...known)) })).map((value) => [name, Buffer.from(value).toString()] as const) // text that UTF-8 can hold, like that of an environment
  })
  await holds(t, 400, fc.tuple(fc.array(given, { maxLength: 4 }), fc.boolean()), ([variables, hasSecrets]) => {
    const environment = { ...(hasSecrets && secretsOf()), ...Object.fromEntries(variables), DATA_DIR: dir }
    try {
      const { trustProxy, store, redis } = createConfig(readEnvironment(environment), { randomBytes })
      Fastify({ trustProxy: trustProxy === false ? false : [...trustProxy] })
      if (redis?.url !== undefined) new Redis(redis.url, { lazyConnect: true }).disconnect()
      expectNone(store.kind === 'mongodb' && store.database === '' ? ['a database without a name'] : [])
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      expectNone(variables.filter(([, value]) => value.length > 12 && error.message.includes(value)).map(([name]) => `it tells the value of ${name}`))
    }
  })
})
