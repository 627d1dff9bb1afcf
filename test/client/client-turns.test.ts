// The client when several things happen to its session at once: in other calls, in other tabs, at the service.
import t from 'tap'
import { createLatchkeyClient, inMemory, inStorage, type SignedIn } from '../../client/index.ts'
import { createLocks, createStorage, minutes, refreshes, signedIn, withLocks, type Network } from './client-kit.ts'

/** Something that waits until it is let go. */
function createGate (): { open: () => void, passed: Promise<void> } {
  let open: () => void = () => { /* replaced at once */ }
  const passed = new Promise<void>((resolve) => { open = resolve })
  return { open, passed }
}

/** Each refresh waits until it is let go. */
function holdRefreshes (network: Network): { asked: Promise<void>, open: () => void } {
  const [gate, asked] = [createGate(), createGate()]
  network.answer(/refresh/, async (request) => {
    asked.open()
    await gate.passed
    return await network.fetch(request)
  })
  return { asked: asked.passed, open: gate.open }
}

for (const mode of ['bearer', 'cookie'] as const) {
  await t.test(`${mode}: signing out during a refresh waits for it, and what it brought is ended with the rest`, async (t) => {
    const { client, service, network, ends } = await signedIn({ mode, store: inStorage(createStorage()) })
    service.clock.advance(minutes(16))
    const gate = holdRefreshes(network)
    const call = client.api.GET('/api/auth/profile')
    await gate.asked
    const out = client.signOut()
    gate.open()
    t.match(await out, { data: { revoked: 1 } })
    t.ok([200, 401].includes((await call).response.status))
    network.sent.length = 0
    t.equal((await client.api.GET('/api/auth/profile')).error?.code, 'token_missing', 'no token has come back')
    t.equal(refreshes(network.sent), 0)
    t.strictSame(ends, [])
  })

  await t.test(`${mode}: a call that is refused while a sign-out is answered tells nobody of an end: who signs out knows`, async (t) => {
    const { client, service, network, ends } = await signedIn({ mode, store: inStorage(createStorage()) })
    const [done, gate, refused] = [createGate(), createGate(), createGate()]
    network.answer(/logout/, async (request) => {
      const answer = await network.fetch(request)
      done.open()
      await gate.passed
      return answer
    })
    network.answer(/profile/, async (request) => {
      const answer = await network.fetch(request)
      refused.open()
      return answer
    })
    const out = client.signOut()
    await done.passed
    const call = client.api.GET('/api/auth/profile')
    await refused.passed
    await client.fetch(`${service.origin}/livez`) // time for what the client does about it
    gate.open()
    t.match(await out, { data: { revoked: 1 } })
    t.equal((await call).error?.code, mode === 'bearer' ? 'session_revoked' : 'token_missing')
    t.strictSame(ends, [])
  })

  await t.test(`${mode}: a call in another tab that finds out while that sign-out is answered tells it there, once`, async (t) => {
    withLocks(t, createLocks())
    const storage = createStorage()
    const { client, network, another, ends } = await signedIn({ mode, store: inStorage(storage) })
    const tabEnds: string[] = []
    const tab = another({ store: inStorage(storage), onSignedOut (code) { tabEnds.push(code) } })
    const [done, gate] = [createGate(), createGate()]
    network.answer(/logout/, async (request) => {
      const answer = await network.fetch(request)
      done.open()
      await gate.passed
      return answer
    })
    const out = client.signOut()
    await done.passed
    const code = (await tab.api.GET('/api/auth/profile')).error?.code
    t.equal(code, mode === 'bearer' ? 'session_revoked' : 'token_missing')
    t.strictSame(tabEnds, [code], 'before the other tab has its answer')
    gate.open()
    t.match(await out, { data: { revoked: 1 } })
    t.equal((await tab.api.GET('/api/auth/profile')).error?.code, 'token_missing')
    t.equal(tabEnds.length, 1)
    t.strictSame(ends, [])
  })

  await t.test(`${mode}: a sign-out in another tab is told here at the next call, once, without a refresh`, async (t) => {
    const storage = createStorage()
    const { client, network, another, ends } = await signedIn({ mode, store: inStorage(storage) })
    const tabEnds: string[] = []
    const tab = another({ store: inStorage(storage), onSignedOut (code) { tabEnds.push(code) } })
    t.equal((await tab.api.GET('/api/auth/profile')).response.status, 200)
    t.match(await client.signOut(), { data: { revoked: 1 } })
    for (let i = 0; i < 2; i++) t.equal((await tab.api.GET('/api/auth/profile')).error?.code, 'token_missing')
    t.strictSame(tabEnds, ['token_missing'])
    t.strictSame(ends, [], 'who signed out knows')
    t.equal(refreshes(network.sent), 0)
  })
}

await t.test('signing in during a refresh of the old session: the new one stays', async (t) => {
  const { client, service, network, credentials, another } = await signedIn()
  service.clock.advance(minutes(16))
  const gate = holdRefreshes(network)
  const call = client.api.GET('/api/auth/profile')
  await gate.asked
  const signingIn = client.signIn(credentials)
  gate.open()
  const sid = (await signingIn).data?.session.id
  t.equal((await call).response.status, 200)
  t.equal((await client.api.GET('/api/auth/sessions')).data?.items.find(({ current }) => current)?.id, sid)
  t.equal((await another().api.GET('/api/auth/profile')).error?.code, 'token_missing', 'control: without tokens there is no profile')
})

await t.test('without locks an answer that comes late puts no spent session in the place of a new one', async (t) => {
  const storage = createStorage()
  const { client, service, network, credentials, another } = await signedIn({ store: inStorage(storage) })
  const tab = another({ store: inStorage(storage) })
  service.clock.advance(minutes(16))
  let sid: string | undefined
  network.answer(/refresh/, async (request) => {
    const answer = await network.fetch(request)
    sid = (await tab.signIn(credentials)).data?.session.id
    return answer
  })
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
  t.equal((await client.api.GET('/api/auth/sessions')).data?.items.find(({ current }) => current)?.id, sid)
})

await t.test('a session that ends while it is refreshed signs out', async (t) => {
  const { client, service, network, another, credentials, ends } = await signedIn()
  service.clock.advance(minutes(16))
  const other = another()
  await other.signIn(credentials)
  network.answer(/refresh/, async (request) => {
    const answer = await network.fetch(request)
    await other.api.DELETE('/api/auth/sessions')
    return answer
  })
  t.equal((await client.api.GET('/api/auth/profile')).error?.code, 'session_revoked')
  t.strictSame(ends, ['session_revoked'])
})

await t.test('cookie: cookies that are gone are the end of the session, told once', async (t) => {
  const { client, ends, network, cookies } = await signedIn({ mode: 'cookie', store: inStorage(createStorage()) })
  cookies.clear()
  const answers = await Promise.all([1, 2, 3].map(() => client.api.GET('/api/auth/profile')))
  t.strictSame(answers.map(({ error }) => error?.code), ['token_missing', 'token_missing', 'token_missing'])
  t.strictSame(ends, ['token_missing'])
  t.equal(refreshes(network.sent), 0)
})

await t.test('cookie: a session that was ended elsewhere is told once, though its cookies still come along', async (t) => {
  const { client, ends, network, another, credentials } = await signedIn({ mode: 'cookie', store: inStorage(createStorage()) })
  const elsewhere = another({ mode: 'bearer', store: inMemory(), fetch: (request) => fetch(request) })
  await elsewhere.signIn(credentials)
  t.match(await elsewhere.api.DELETE('/api/auth/sessions'), { data: { revoked: 1 } })
  for (let i = 0; i < 3; i++) t.equal((await client.api.GET('/api/auth/profile')).error?.code, 'session_revoked')
  t.strictSame(ends, ['session_revoked'])
  t.equal(refreshes(network.sent), 0)
  t.equal((await client.api.GET('/api/preferences')).response.status, 401, 'with them one is no guest')
  t.match(await client.signOut(), { data: { revoked: 0 } })
  t.equal((await client.api.GET('/api/preferences')).response.status, 200)
  t.equal((await client.signIn(credentials)).response.status, 200)
  await elsewhere.api.DELETE('/api/auth/sessions')
  t.equal((await client.api.GET('/api/auth/profile')).error?.code, 'session_revoked')
  t.strictSame(ends, ['session_revoked', 'session_revoked'], 'the next one is told again')
})

await t.test('cookie: whoever has only the cookies is told once too, and of the next session again', async (t) => {
  const { another, credentials } = await signedIn({ mode: 'cookie', store: inStorage(createStorage()) })
  const ends: string[] = []
  const client = another({ store: inMemory(), onSignedOut (code) { ends.push(code) } })
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
  const elsewhere = another({ mode: 'bearer', store: inMemory(), fetch: (request) => fetch(request) })
  await elsewhere.signIn(credentials)
  for (let sessions = 1; sessions <= 2; sessions++) {
    await elsewhere.api.DELETE('/api/auth/sessions')
    for (let i = 0; i < 2; i++) t.equal((await client.api.GET('/api/auth/profile')).error?.code, 'session_revoked')
    t.equal(ends.length, sessions)
    await client.signIn(credentials)
  }
})

await t.test('a refusal waits for no lock that a tab put to sleep holds for ever', async (t) => {
  const locks = createLocks()
  withLocks(t, { ...locks, request: async () => await new Promise(() => { /* never */ }) })
  const { another } = await signedIn({ store: inMemory() })
  const client = another({ store: inStorage(createStorage()) })
  const codes = await Promise.all([1, 2, 3].map(async () => (await client.api.GET('/api/auth/profile')).error?.code))
  t.strictSame(codes, ['token_missing', 'token_missing', 'token_missing'])
})

await t.test('calls that find out in the same moment tell it once, whatever the store is like', async (t) => {
  const ends: string[] = []
  let state: SignedIn | undefined = { mark: '1', accessToken: 'token' }
  const soon = async (): Promise<void> => { await new Promise((resolve) => { setImmediate(resolve) }) }
  const client = createLatchkeyClient({
    baseUrl: 'https://login.example.com',
    store: {
      async get () { await soon(); return state },
      async set (next) { await soon(); state = next }
    },
    fetch: async () => Response.json({ code: 'session_revoked' }, { status: 401 }),
    onSignedOut (code) { ends.push(code) }
  })
  await Promise.all([1, 2, 3].map(() => client.api.GET('/api/auth/profile')))
  t.strictSame(ends, ['session_revoked'])
})

await t.test('a refused refresh of the session before is not the new one\'s', async (t) => {
  const store = inMemory()
  const ends: string[] = []
  const [gate, asked] = [createGate(), createGate()]
  const client = createLatchkeyClient({
    baseUrl: 'https://login.example.com',
    store,
    onSignedOut (code) { ends.push(code) },
    async fetch (request) {
      if (!request.url.endsWith('/refresh')) return request.headers.get('authorization') === 'Bearer fresh' ? Response.json({}) : Response.json({ code: 'token_expired' }, { status: 401 })
      const { refreshToken } = await request.json() as { refreshToken: string }
      if (refreshToken === 'new') return Response.json({ accessToken: 'fresh', refreshToken: 'newer' })
      asked.open()
      await gate.passed
      return Response.json({ code: 'refresh_token_invalid' }, { status: 401 })
    }
  })
  await store.set({ mark: '1', accessToken: 'a', refreshToken: 'old' })
  const before = client.api.GET('/api/auth/profile')
  await asked.passed
  await store.set({ mark: '2', accessToken: 'b', refreshToken: 'new' }) // signed in meanwhile, in another tab
  const after = client.api.GET('/api/auth/profile')
  await new Promise((resolve) => { setImmediate(resolve) })
  gate.open()
  t.equal((await before).error?.code, 'refresh_token_invalid')
  t.equal((await after).response.status, 200)
  t.strictSame(ends, [])
})

await t.test('cookie: a guest who was never signed in is told nothing', async (t) => {
  const { another, ends } = await signedIn({ mode: 'cookie' })
  const guest = another({ fetch: async (request) => await fetch(request) })
  t.equal((await guest.api.GET('/api/auth/profile')).error?.code, 'token_missing')
  t.strictSame(ends, [])
})

await t.test('signing out of every device and changing the password go through an expiry', async (t) => {
  const { client, service, network, person } = await signedIn()
  service.clock.advance(minutes(16))
  const newPassword = `${person.password}-2`
  t.match(await client.api.PUT('/api/auth/profile/password', { body: { currentPassword: person.password, newPassword } }), { data: { revoked: 1 } })
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200, 'with the tokens of that answer')
  service.clock.advance(minutes(16))
  t.match(await client.api.POST('/api/auth/logout-all'), { data: { revoked: 1 } })
  t.equal(refreshes(network.sent), 2)
  t.equal((await client.api.GET('/api/auth/profile')).error?.code, 'token_missing')
})

await t.test('tabs wait for each other only where they share a session', async (t) => {
  const locks = createLocks()
  withLocks(t, locks)
  const { client, service, another, credentials } = await signedIn()
  service.clock.advance(minutes(16))
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
  t.strictSame(locks.asked, [], 'in memory it is nobody else\'s')
  await another({ store: inStorage(createStorage()) }).signIn(credentials)
  t.strictSame(locks.asked, [`latchkey ${service.origin}`])
})

await t.test('a tab that sees late what another one has written waits for it, and does not refresh again', async (t) => {
  withLocks(t, createLocks())
  const storage = createStorage()
  const { client, service, network, another } = await signedIn({ store: inStorage(storage) })
  const seen = storage.getItem('latchkey')
  let looks = 0
  const late = inStorage({ ...storage, getItem: () => looks++ > 20 ? storage.getItem('latchkey') : seen })
  const tab = another({ store: late })
  service.clock.advance(minutes(16))
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
  looks = 0
  t.equal((await tab.api.GET('/api/auth/profile')).response.status, 200)
  t.equal(refreshes(network.sent), 1)
})

await t.test('locks that are refused, or not given in time, hold nothing up', async (t) => {
  const { service, another, credentials, network } = await signedIn()
  const never = { request: async (_: string, { signal }: { signal?: AbortSignal }): Promise<never> => await new Promise((_resolve, reject) => { signal?.addEventListener('abort', () => { reject(signal.reason) }) }) }
  const refused = { request: async (): Promise<never> => { throw new DOMException('The request was denied.', 'SecurityError') } }
  const patience: number[] = []
  t.intercept(AbortSignal, 'timeout', { value: (ms: number) => { patience.push(ms); return ms === 8000 ? new AbortController().signal : AbortSignal.abort() } })
  for (const locks of [refused, { request: async (name: string, options: { signal?: AbortSignal }) => options.signal?.aborted ? await refused.request() : await never.request(name, options) }]) {
    withLocks(t, locks)
    const client = another({ store: inStorage(createStorage()) })
    t.equal((await client.signIn(credentials)).response.status, 200)
    service.clock.advance(minutes(16))
    network.sent.length = 0
    const answers = await Promise.all([1, 2, 3].map(() => client.api.GET('/api/auth/profile')))
    t.strictSame(answers.map(({ response }) => response.status), [200, 200, 200])
    t.equal(refreshes(network.sent), 1)
  }
  t.ok(patience.includes(15_000))
})

await t.test('what fails under a lock is done once, and is told', async (t) => {
  withLocks(t, createLocks())
  const { another, credentials, network } = await signedIn()
  const client = another({ store: inStorage(createStorage()) })
  network.answer(/login/, () => { throw new TypeError('the line went dead') })
  await t.rejects(client.signIn(credentials), { message: 'the line went dead' })
  t.equal(network.sent.filter((what) => what === 'POST /api/auth/login').length, 1)
})
