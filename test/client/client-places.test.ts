// The client where it runs: storages that are full or forbidden, addresses that lead elsewhere, two services in one place.
import { createServer, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createLatchkeyClient, inMemory, inStorage, type WebStorage } from '../../client/index.ts'
import { callHttp } from '../helper/http.ts'
import { createStorage, minutes, refreshes, signedIn } from './client-kit.ts'

const state = (mark: string): { mark: string, accessToken: string } => ({ mark, accessToken: `token of ${mark}` })

await t.test('a storage that is full keeps no spent tokens: they are in memory then, until it takes them again', async (t) => {
  const storage = createStorage()
  const store = inStorage(storage)
  await store.set(state('1'))
  const { setItem } = storage
  storage.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }
  await store.set(state('2'))
  t.strictSame(store.get(), state('2'))
  t.equal(storage.kept.size, 0, 'nothing spent is left there')
  t.equal(inStorage(storage).get(), undefined, 'another tab has to sign in, which is better than to use a spent token')
  storage.setItem = setItem
  await inStorage(storage).set(state('3'))
  t.strictSame(store.get(), state('3'), 'what another tab could write counts')
  await store.set(state('4'))
  t.strictSame(inStorage(storage).get(), state('4'))
  await store.set(undefined)
  t.equal(store.get(), undefined)
})

await t.test('a storage that can be read and not changed is passed over', async (t) => {
  const storage = createStorage()
  await inStorage(storage).set(state('1'))
  const refuse = (): never => { throw new DOMException('read only', 'InvalidStateError') }
  const store = inStorage({ ...storage, setItem: refuse, removeItem: refuse })
  await store.set(state('2'))
  t.strictSame(store.get(), state('2'))
  await store.set(undefined)
  t.equal(store.get(), undefined, 'signed out is signed out')
})

await t.test('a storage that is forbidden is memory', async (t) => {
  const forbidden = (): never => { throw new DOMException('denied', 'SecurityError') }
  const { service, another, credentials, network } = await signedIn({ store: inStorage({ getItem: forbidden, setItem: forbidden, removeItem: forbidden }) })
  const client = another()
  t.equal((await client.signIn(credentials)).response.status, 200)
  service.clock.advance(minutes(16))
  network.sent.length = 0
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
  t.equal(refreshes(network.sent), 1)
  t.match(await client.signOut(), { data: { revoked: 1 } })

  t.intercept(globalThis as { localStorage?: WebStorage }, 'localStorage', { get: forbidden })
  const { client: inCookies } = await signedIn({ mode: 'cookie' })
  t.equal((await inCookies.api.GET('/api/auth/profile')).response.status, 200)
})

await t.test('what somebody else left under the key is not taken for a session', async (t) => {
  const storage = createStorage()
  for (const text of ['', 'null', '5', '[]', '{}', '{"mark":5}', '{"accessToken":"x"}', '{"mark"']) {
    storage.setItem('latchkey', text)
    t.equal(inStorage(storage).get(), undefined, text)
  }
})

await t.test('two services on one origin have sessions of their own', async (t) => {
  const storage = createStorage()
  t.intercept(globalThis as { localStorage?: WebStorage }, 'localStorage', { value: storage })
  const sent: string[] = []
  const clients = ['/a', '/b/'].map((path) => createLatchkeyClient({
    baseUrl: `https://example.com${path}`,
    mode: 'cookie',
    fetch: async ({ url }) => {
      sent.push(new URL(url).pathname)
      return Response.json({ user: {} })
    }
  }))
  for (const client of clients) await client.signIn({ email: 'a@b.c', password: '' })
  t.strictSame(sent, ['/a/api/auth/login', '/b/api/auth/login'])
  t.strictSame([...storage.kept.keys()], ['latchkey https://example.com/a', 'latchkey https://example.com/b'])
  await clients[0]?.signOut()
  t.strictSame([...storage.kept.keys()], ['latchkey https://example.com/b'])
  await clients[1]?.fetch('https://example.com/a/api/auth/logout', { method: 'POST' })
  t.equal(storage.kept.size, 1, 'a door of the one is an address like any other for the other')
})

/** A server that notes what reaches it, and answers as it is told. */
async function startElsewhere (t: Test, answer: (path: string) => { status: number, headers: Record<string, string> }): Promise<{ origin: string, seen: { path: string, authorization: string | undefined, body: string }[] }> {
  const seen: { path: string, authorization: string | undefined, body: string }[] = []
  const server = createServer((request: IncomingMessage, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => { body += chunk.toString() }).on('end', () => {
      seen.push({ path: request.url as string, authorization: request.headers.authorization, body })
      const { status, headers } = answer(request.url as string)
      response.writeHead(status, headers).end(JSON.stringify({ code: headers['x-code'] ?? 'session_revoked' }))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

await t.test('a redirect takes neither a token nor a password to another origin, and what is answered there ends nothing', async (t) => {
  const thief = await startElsewhere(t, () => ({ status: 401, headers: { 'content-type': 'application/json' } }))
  const bent = await startElsewhere(t, (path) => path === '/expired'
    ? { status: 401, headers: { 'content-type': 'application/json', 'x-code': 'token_expired' } }
    : { status: 307, headers: { location: thief.origin + path } })
  const store = inMemory()
  const ends: string[] = []
  const client = createLatchkeyClient({ baseUrl: bent.origin, store, retries: 0, onSignedOut (code) { ends.push(code) } })
  const credentials = { email: 'ada@leak-mark.example', password: 'Pw7mark-redirect' }
  await t.rejects(client.signIn(credentials), TypeError)
  await t.rejects(client.register({ ...credentials, username: 'ada' }), TypeError)
  await store.set({ mark: '1', accessToken: 'access', refreshToken: 'refresh' })
  await t.rejects(client.signOut(), TypeError)
  await t.rejects(client.api.PUT('/api/auth/profile/password', { body: { currentPassword: 'a', newPassword: 'b' } }), TypeError)
  await t.rejects(client.fetch(`${bent.origin}/expired`), TypeError, 'nor does the refresh that a call needs')
  t.strictSame(bent.seen.map(({ path }) => path), ['login', 'register', 'logout', 'profile/password'].map((door) => `/api/auth/${door}`).concat('/expired', '/api/auth/refresh'))
  t.strictSame(thief.seen, [], 'nothing that holds a secret went on')

  t.strictSame(await (await client.fetch(`${bent.origin}/orders`)).json(), { code: 'session_revoked' }, 'a call is redirected as any other, and brings what is said there')
  t.strictSame(thief.seen, [{ path: '/orders', authorization: undefined, body: '' }], 'without the token')
  t.strictSame(ends, [])
  t.equal((await store.get())?.mark, '1')
})

await t.test('an address that is none rejects, and does not throw', async (t) => {
  const { client } = await signedIn()
  await t.rejects(client.fetch('/api/protected'), TypeError)
  t.throws(() => createLatchkeyClient({ baseUrl: '/auth' }), TypeError)
  t.throws(() => createLatchkeyClient({ baseUrl: 'https://login.example.com', origins: ['api.example.com'] }), TypeError)
})

await t.test('in a page, a path is an address of its origin, for the service and for a call', async (t) => {
  t.intercept(globalThis as { location?: { href: string } }, 'location', { value: { href: 'https://shop.example.com/cart?x=1#y' } })
  const sent: string[] = []
  const client = createLatchkeyClient({ baseUrl: '/auth/?x=1', fetch: async ({ url }) => { sent.push(url); return Response.json({}) } })
  await client.api.GET('/api/auth/health')
  t.strictSame(sent, ['https://shop.example.com/auth/api/auth/health'])
})

await t.test('an origin is named as people write it', async (t) => {
  const { network, another, credentials, service } = await signedIn()
  const seen: string[] = []
  const client = another({
    origins: ['https://API.example.com/v1/'],
    fetch: async (request) => {
      if (request.url.startsWith(service.origin)) return await network.fetch(request)
      seen.push(request.headers.get('authorization') ?? 'none')
      return Response.json({})
    }
  })
  await client.signIn(credentials)
  await client.fetch('https://api.example.com/orders')
  t.match(seen, [/^Bearer ey/])
})

await t.test('a call with an authorization of its own is about that, and says nothing of the session', async (t) => {
  const { client, service, network, ends } = await signedIn()
  const old = (await client.signIn({ email: 'nobody@leak-mark.example', password: 'x' })).error?.code
  t.equal(old, 'invalid_credentials')
  const { status } = await client.fetch(`${service.origin}/api/protected`, { headers: { authorization: 'Bearer of-somebody-else' } })
  t.equal(status, 401)
  t.strictSame(ends, [])
  t.equal(refreshes(network.sent), 0)
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
})

await t.test('a page without TLS, which has no randomUUID, can sign in', async (t) => {
  t.intercept(globalThis.crypto, 'randomUUID', { value: undefined })
  const { client } = await signedIn()
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
})

await t.test('the streamed body of an answer and of a request arrive whole, through a refresh too', async (t) => {
  const { client, service } = await signedIn()
  service.clock.advance(minutes(16))
  const text = JSON.stringify({ theme: 'dark' })
  const body = new ReadableStream({ start (controller) { controller.enqueue(new TextEncoder().encode(text)); controller.close() } })
  const answer = await client.fetch(`${service.origin}/api/preferences`, { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' } as RequestInit)
  t.equal(answer.status, 200)
  let read = ''
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) read += new TextDecoder().decode(chunk)
  t.equal((JSON.parse(read) as { theme: string }).theme, 'dark')
  t.equal((await callHttp(service.origin, '/livez')).status, 200)
})
