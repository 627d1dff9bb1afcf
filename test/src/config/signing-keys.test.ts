// Key pairs out of a PEM file: which are taken, in which order, under which name, and that no refusal shows a key.
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createConfig } from '../../../src/config/config.ts'
import { readEnvironment } from '../../../src/config/environment.ts'
import { readSigningKeys } from '../../../src/config/signing-keys.ts'
import { scratchFolder } from '../../helper/scratch.ts'
import { createDeployment, testSecret } from '../../helper/service.ts'
import { problemsOf } from './problems.ts'

const privatePem = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }) as string
const publicPem = (key: KeyObject): string => key.export({ format: 'pem', type: 'spki' }) as string
const [one, two] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
const read = (text: string) => readSigningKeys(text, 'ACCESS_TOKEN_KEYS')

await t.test('a key is named by its thumbprint, as RFC 8037 computes it', async (t) => {
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } })
  t.match(read(publicPem(key)), [{ kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', jwk: { alg: 'EdDSA', use: 'sig' } }])
})

await t.test('a file and its text are the same, and keys that can sign come first', async (t) => {
  const text = `a comment\n${publicPem(two.publicKey)}${privatePem(one.privateKey)}`
  const file = join(scratchFolder(t), 'keys.pem')
  writeFileSync(file, text)
  t.strictSame(read(file), read(text))
  t.match(read(text), [{ jwk: { x: one.publicKey.export({ format: 'jwk' }).x } }, { jwk: { x: two.publicKey.export({ format: 'jwk' }).x } }])
  t.equal(read(text)[1]?.privatePem, undefined)
})

await t.test('what is no such key is refused by name, and no key is shown', async (t) => {
  const locked = one.privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }) as string
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  for (const [what, text, reason] of [
    ['no file', '/nowhere/keys.pem', /cannot be read \(ENOENT\).*openssl genpkey/],
    ['an empty file', ((file) => { writeFileSync(file, '\n'); return file })(join(scratchFolder(t), 'empty.pem')), /no PEM key/],
    ['a pass phrase', locked, /ENCRYPTED PRIVATE KEY/],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /CERTIFICATE/],
    ['RSA', privatePem(rsa.privateKey), /of kind rsa, only Ed25519/],
    ['Ed448', privatePem(generateKeyPairSync('ed448').privateKey), /of kind ed448/],
    ['damage', privatePem(one.privateKey).replace(/\n.{9}/, '\n!'), /damaged/],
    ['a key twice', privatePem(one.privateKey) + publicPem(one.publicKey), /twice/]
  ] as const) {
    const [problem = ''] = problemsOf(() => read(text))
    t.match(problem, reason, what)
    t.match(problem, /^ACCESS_TOKEN_KEYS/, what)
    t.notMatch(problem, /MC4CAQ|MCowBQ/, 'no key is shown')
  }
})

await t.test('the start needs a key that can sign, and with one it needs no secret for access tokens', async (t) => {
  const { ACCESS_TOKEN_SECRET: _, ...env } = createDeployment(t).env
  const start = (more: Record<string, string>) => createConfig(readEnvironment({ ...env, ACCESS_TOKEN_ALGORITHM: 'EdDSA', ...more }), { randomBytes: (size) => Buffer.alloc(size) })
  t.match(problemsOf(() => start({})), [/^ACCESS_TOKEN_KEYS needs a private key/])
  t.match(problemsOf(() => start({ ACCESS_TOKEN_KEYS: publicPem(one.publicKey) })), [/^ACCESS_TOKEN_KEYS needs a private key/])
  t.match(start({ ACCESS_TOKEN_KEYS: privatePem(one.privateKey) }), { rings: { access: [] }, signingKeys: [{ kid: /^.{43}$/ }] })
  t.match(problemsOf(() => start({ ACCESS_TOKEN_KEYS: privatePem(one.privateKey), ACCESS_TOKEN_ALGORITHM: 'HS256' })), [/^ACCESS_TOKEN_SECRET is required/])
  const { kid } = read(privatePem(one.privateKey))[0] as { kid: string }
  t.match(problemsOf(() => start({ ACCESS_TOKEN_KEYS: privatePem(one.privateKey), ACCESS_TOKEN_SECRET: `${kid}:${testSecret()}` })), [/has the kid of a key/])
})
