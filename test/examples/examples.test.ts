// The examples do what they say: each is started as its reader would start it, and driven.
import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { startService } from '../helper/service.ts'
import { register } from '../helper/people.ts'
import { startExample } from './example-process.ts'

const fileOf = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))

await t.test('minimal host: a route of its own is for signed-in people', async (t) => {
  const host = await startExample(t, 'minimal-host.mjs')
  const { accessToken } = await host.register('/auth', 'ada')
  t.equal((await host.call('/orders')).status, 401)
  t.strictSame((await host.call('/orders', { token: accessToken })).json, { for: 'ada', orders: [] })
  t.equal((await host.call('/auth/docs/')).status, 200)
})

await t.test('existing API: what was there is as it was, and a part of it is guarded', async (t) => {
  const api = await startExample(t, 'existing-api.mjs')
  t.match(await api.call('/books'), { status: 200, headers: { 'x-api': 'books' }, json: [{ id: '1' }] })
  t.match(await api.call('/nowhere'), { status: 404, json: { statusCode: 404 } })
  const refused = await api.call('/books/mine')
  t.match(refused, { status: 401, headers: { 'www-authenticate': /^Bearer/, 'x-api': 'books' }, json: { code: 'token_missing', oops: String } }, 'in the API\'s own shape')
  const { accessToken, userId } = await api.register('/auth', 'grace')
  t.match((await api.call('/books/mine', { token: accessToken })).json, [{ id: userId, title: 'grace\'s first book' }], 'and the hook had run')
  t.match(await api.call('/books/1', { method: 'DELETE', token: accessToken }), { status: 403, json: { code: 'forbidden' } })
})

await t.test('another service verifies with the published keys, and says what the client is to do', async (t) => {
  const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
  const service = await startService(t, { env: { ACCESS_TOKEN_ALGORITHM: 'EdDSA', ACCESS_TOKEN_KEYS: key, ACCESS_TOKEN_EXPIRY: '2s' } })
  const orders = await startExample(t, 'orders-service.mjs', { ISSUER: service.origin })
  const { accessToken, userId } = await register(service)
  const answer = await orders.call('/', { token: accessToken })
  t.match(answer, { status: 200, json: { for: userId, role: 'user' } })
  t.match(await orders.call('/'), { status: 401, json: { code: 'token_missing' } })
  t.match(await orders.call('/', { token: `${accessToken.slice(0, -8)}AAAAAAAA` }), { status: 401, json: { code: 'token_invalid' } })
  service.clock.advance(-60_000) // issued a minute ago: it has run out by the other service's clock
  const old = await register(service)
  t.match(await orders.call('/', { token: old.accessToken }), { status: 401, json: { code: 'token_expired' } })
})

await t.test('another service says 503 while the keys cannot be had, so that no client signs out, and goes on when they can', async (t) => {
  const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
  const service = await startService(t, { env: { ACCESS_TOKEN_ALGORITHM: 'EdDSA', ACCESS_TOKEN_KEYS: key } })
  const keys = (await service.get('/.well-known/jwks.json')).text
  const answers: ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(502).end('bad gateway'),
    (response) => response.end('<h1>not JSON</h1>'),
    (response) => response.end('{"keys":5}'),
    (response) => response.destroy(),
    (response) => response.end(keys)
  ]
  const front = createServer((_request, response) => { answers.shift()?.(response) }).listen(0, '127.0.0.1')
  await once(front, 'listening')
  t.teardown(() => front.close())
  const orders = await startExample(t, 'orders-service.mjs', { ISSUER: `http://127.0.0.1:${(front.address() as AddressInfo).port}` })
  const { accessToken: token } = await register(service)
  for (let i = 0; i < 4; i++) t.match(await orders.call('/', { token }), { status: 503, headers: { 'retry-after': '1' }, json: { code: 'unavailable' } })
  t.equal((await orders.call('/', { token })).status, 200)
  t.match(await orders.call('/', { token: 'garbage' }), { status: 401, json: { code: 'token_invalid' } })
})

await t.test('browser app: the page and everything that it loads is there', async (t) => {
  const app = await startExample(t, 'browser-app/server.mjs')
  const page = (await app.call('/')).text
  const { imports } = JSON.parse(/<script type="importmap">([^<]+)/.exec(page)?.[1] ?? '{}') as { imports: Record<string, string> }
  const seen = new Set<string>()
  const load = async (path: string): Promise<void> => {
    if (seen.has(path)) return
    seen.add(path)
    const { status, headers, text } = await app.call(path)
    t.equal(status, 200, path)
    t.match(headers['content-type'], /^text\/javascript/, path)
    for (const [, target = ''] of text.matchAll(/from ['"]([^'"]+)['"]/g)) await load(imports[target] ?? new URL(target, `http://x${path}`).pathname)
  }
  await load('/app.js')
  t.ok(seen.size >= 5, [...seen].join())
})

await t.test('requests.http: every request of it is one that the service knows', async (t) => {
  const service = await startService(t)
  const answers = new Map<string, { json: Record<string, string> }>()
  let dead = false
  for (const block of readFileSync(fileOf('requests.http'), 'utf8').split(/^###.*$/m).slice(1)) {
    const name = /# @name (\w+)/.exec(block)?.[1]
    const [head = '', body = ''] = block.replace(/^#.*$/gm, '').trim()
      .replaceAll('{{origin}}', '').replace(/\{\{(\w+)\.response\.body\.(\w+)\}\}/g, (_, from: string, field: string) => answers.get(from)?.json[field] ?? '')
      .split(/\n\n/)
    const [line = '', ...headers] = head.split('\n')
    const [method = '', path = ''] = line.split(' ')
    const answer = await service.call(path, { method, headers: Object.fromEntries(headers.map((header) => header.split(': '))), ...(body !== '' && { raw: body }) })
    if (name !== undefined) answers.set(name, answer)
    if (dead && path === '/api/protected') t.equal(answer.json.code, 'session_revoked', 'the last request shows the token die')
    else t.ok(answer.status < 300, `${line}: ${answer.status}`)
    dead ||= path.endsWith('/logout')
  }
  t.ok(dead)
})

await t.test('benchmark.mjs says what the check costs', async (t) => {
  const service = await startService(t)
  const { stdout } = await promisify(execFile)(process.execPath, [fileOf('benchmark.mjs'), service.origin, '1'])
  t.match(stdout, /\/livez \d+ a second, \/api\/protected \d+ a second: \d\.\d\d of it/)
})
