// Story: key pairs sign access tokens, and other services verify them with what `/.well-known/jwks.json` says (MISSION row
// 28). Keys and even the algorithm change by a restart, and nobody is logged out.
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { register, loginOf } from '../helper/people.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { createDeployment, startService, type Service } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const pem = (key: KeyObject): string => key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' }) as string
const pair = () => generateKeyPairSync('ed25519')
const keySetOf = async (service: Service) => (await service.get('/.well-known/jwks.json')).json.keys as { kid: string, x: string }[]
const headerOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] as string, 'base64url').toString()) as { kid: string, alg: string, typ: string }
const text = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Starts with these keys in a file; null takes ACCESS_TOKEN_SECRET away. */
function starter (t: Test): (keys: KeyObject[], more?: Record<string, string>) => Promise<Service> {
  const deployment = createDeployment(t)
  const file = join(scratchFolder(t), 'access-keys.pem')
  return async (keys, more = {}) => {
    writeFileSync(file, keys.map(pem).join('\n'))
    return await startService(t, { deployment, env: { ACCESS_TOKEN_ALGORITHM: 'EdDSA', ACCESS_TOKEN_KEYS: file, ...more } })
  }
}

await t.test('another service verifies a token with the published key alone', async (t) => {
  const { privateKey, publicKey } = pair()
  const service = await (starter(t))([privateKey], { ACCESS_TOKEN_SECRET: '' })
  const { accessToken, userId, sid } = await register(service)

  const answer = await service.get('/.well-known/jwks.json')
  t.equal(answer.status, 200)
  t.equal(answer.headers['cache-control'], 'public, max-age=300')
  const { x } = publicKey.export({ format: 'jwk' })
  t.match(answer.json, { keys: [{ kty: 'OKP', crv: 'Ed25519', x, alg: 'EdDSA', use: 'sig', kid: headerOf(accessToken).kid }] })
  t.notMatch(answer.text, /"d"/, 'no private half')

  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', service.origin))
  const { payload } = await jwtVerify(accessToken, keys, { issuer: 'latchkey', audience: 'latchkey', typ: 'at+jwt', algorithms: ['EdDSA'], currentDate: new Date(service.clock.wall()) })
  t.match(payload, { sub: userId, sid })
  t.equal((await service.get('/api/protected', { token: accessToken })).status, 200)
})

await t.test('where secrets sign, no key is published', async (t) => {
  t.strictSame((await (await startService(t)).get('/.well-known/jwks.json')).json, { keys: [] })
})

await t.test('a new key is announced, then signs, then stands alone, and nobody is logged out', async (t) => {
  const start = starter(t)
  const [k1, k2] = [pair(), pair()]
  const one = await start([k1.privateKey, k2.publicKey])
  const first = await register(one)
  const [kid1, kid2] = (await keySetOf(one)).map(({ kid }) => kid)
  t.equal(headerOf(first.accessToken).kid, kid1)
  await one.close()

  const two = await start([k2.privateKey, k1.publicKey])
  t.equal((await two.get('/api/protected', { token: first.accessToken })).status, 200, 'a token of the old key is let in')
  const second = loginOf(await two.post('/api/auth/refresh', { refreshToken: first.refreshToken }))
  t.equal(headerOf(second.accessToken).kid, kid2, 'the new key signs, under the name that was announced')
  await two.close()

  const three = await start([k2.privateKey])
  expectProblem(t, await three.get('/api/protected', { token: first.accessToken }), 401, 'token_invalid')
  t.equal((await three.get('/api/protected', { token: second.accessToken })).status, 200)
  t.equal((await three.post('/api/auth/refresh', { refreshToken: second.refreshToken })).status, 200, 'and nobody had to sign in again')
})

await t.test('from a secret to a key pair and back, and nobody is logged out', async (t) => {
  const start = starter(t)
  const { privateKey } = pair()
  const before = await start([privateKey], { ACCESS_TOKEN_ALGORITHM: 'HS256' })
  const first = await register(before)
  t.equal(headerOf(first.accessToken).alg, 'HS256')
  t.equal((await keySetOf(before)).length, 1, 'the key is announced before it signs')
  await before.close()

  const during = await start([privateKey])
  t.equal((await during.get('/api/protected', { token: first.accessToken })).status, 200)
  const second = loginOf(await during.post('/api/auth/refresh', { refreshToken: first.refreshToken }))
  t.match(headerOf(second.accessToken), { alg: 'EdDSA', typ: 'at+jwt' })
  await during.close()

  const after = await start([privateKey], { ACCESS_TOKEN_ALGORITHM: 'HS256' })
  t.equal((await after.get('/api/protected', { token: second.accessToken })).status, 200)
})

await t.test('a key is used with its own algorithm only', async (t) => {
  const [ours, theirs] = [pair(), pair()]
  const service = await (starter(t))([ours.privateKey])
  const { accessToken } = await register(service)
  const [header, body, signature] = accessToken.split('.') as [string, string, string]
  const kid = headerOf(accessToken).kid
  const secretKid = service.config.rings.access[0]?.kid
  const hmac = (head: object, key: string | Buffer) => {
    const signed = `${text(head)}.${body}`
    return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
  }
  const eddsa = (head: object, key: KeyObject) => {
    const signed = `${text(head)}.${body}`
    return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
  }
  const whole = { typ: 'at+jwt', kid }
  t.equal((await service.get('/api/protected', { token: eddsa({ ...whole, alg: 'EdDSA' }, ours.privateKey) })).status, 200, 'control: the forger can sign')
  for (const [what, token] of Object.entries({
    'HS256 with the public key as secret': hmac({ ...whole, alg: 'HS256' }, pem(ours.publicKey)),
    'HS256 with the raw public key': hmac({ ...whole, alg: 'HS256' }, Buffer.from(String(ours.publicKey.export({ format: 'jwk' }).x), 'base64url')),
    'HS256 that is called EdDSA': hmac({ ...whole, alg: 'EdDSA' }, pem(ours.publicKey)),
    'a secret\'s kid with EdDSA': eddsa({ ...whole, kid: secretKid, alg: 'EdDSA' }, ours.privateKey),
    'a key of their own': eddsa({ ...whole, alg: 'EdDSA' }, theirs.privateKey),
    'a key of their own, brought along': eddsa({ ...whole, alg: 'EdDSA', jwk: theirs.publicKey.export({ format: 'jwk' }) }, theirs.privateKey),
    'the right signature called HS256': `${text({ ...whole, alg: 'HS256' })}.${body}.${signature}`,
    'the right signature called Ed25519': eddsa({ ...whole, alg: 'Ed25519' }, ours.privateKey),
    'no signature': `${header}.${body}.`
  })) expectProblem(t, await service.get('/api/protected', { token }), 401, 'token_invalid', { what })
})
