// The client: it stays signed in through an expiry with one refresh, knows an end of the session from a service that cannot
// answer, and brings its token nowhere else (MISSION row 22).
import t from 'tap'
import { inMemory, inStorage } from '../../client/index.ts'
import { pictureOf } from '../helper/pictures.ts'
import { createLocks, createStorage, minutes, problem, refreshes, signedIn, withLocks } from './client-kit.ts'

await t.test('a profile is typed and there', async (t) => {
  const { client, person } = await signedIn()
  const { data } = await client.api.GET('/api/auth/profile')
  t.equal(data?.username, person.username)
})

await t.test('fifty calls through an expiry share one refresh, and all are answered', async (t) => {
  const { client, service, network } = await signedIn()
  service.clock.advance(minutes(16))
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.api.GET('/api/auth/profile')))
  t.strictSame([...new Set(answers.map(({ response }) => response.status))], [200])
  t.equal(refreshes(network.sent), 1)
  t.equal((await client.fetch(`${service.origin}/api/protected`)).status, 200)
  t.equal(refreshes(network.sent), 1, 'and the next call needs none')
})

for (const mode of ['bearer', 'cookie'] as const) {
  await t.test(`${mode}: two tabs through an expiry share one refresh`, async (t) => {
    const storage = createStorage()
    const { client, service, network, another, ends } = await signedIn({ mode, store: inStorage(storage) })
    const tab = another({ store: inStorage(storage) })
    withLocks(t, createLocks())
    service.clock.advance(minutes(16))
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? client : tab).api.GET('/api/auth/profile')))
    t.strictSame([...new Set(answers.map(({ response }) => response.status))], [200])
    t.equal(refreshes(network.sent), 1)
    t.notMatch([...storage.kept.values()].join(), mode === 'cookie' ? /accessToken/ : /^$/, 'in cookie mode no token is where a script can read it')
    t.strictSame(ends, [])
  })
}

await t.test('a session that was ended elsewhere signs out without a refresh, once', async (t) => {
  const { client, service, network, ends, credentials, another } = await signedIn()
  const other = another()
  await other.signIn(credentials)
  t.match(await other.api.DELETE('/api/auth/sessions'), { data: { revoked: 1 } })
  network.sent.length = 0
  const answers = await Promise.all([1, 2, 3].map(() => client.api.GET('/api/auth/profile')))
  t.strictSame(answers.map(({ error }) => error?.code), ['session_revoked', 'session_revoked', 'session_revoked'])
  t.strictSame(ends, ['session_revoked'])
  t.equal(refreshes(network.sent), 0)
  t.equal((await client.fetch(`${service.origin}/api/protected`)).headers.get('www-authenticate')?.includes('error='), false, 'and no token is sent any more')
})

await t.test('a refresh that is refused signs out with its reason', async (t) => {
  const { client, service, ends } = await signedIn()
  service.clock.advance(minutes(60 * 24 * 8))
  const { error } = await client.api.GET('/api/auth/profile')
  t.equal(error?.code, 'refresh_token_expired')
  t.strictSame(ends, ['refresh_token_expired'])
})

await t.test('503 is asked for again and is never the end of the session', async (t) => {
  const { client, service, network, ends } = await signedIn()
  const unavailable = problem(503, 'unavailable', { 'retry-after': '1' })
  network.answer(/profile/, unavailable, unavailable, unavailable)
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
  t.equal(network.sent.length, 4)

  service.clock.advance(minutes(16))
  network.answer(/refresh/, ...Array<typeof unavailable>(4).fill(unavailable))
  const { error } = await client.api.GET('/api/auth/profile')
  t.equal(error?.code, 'unavailable', 'what the refresh met is what the call meets')
  t.strictSame(ends, [])
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200, 'the tokens are still there')
})

await t.test('what would count twice is not sent twice', async (t) => {
  const { client, network } = await signedIn()
  network.answer(/page/, problem(503, 'unavailable', { 'retry-after': '1' }))
  t.equal((await client.api.POST('/api/session/page', { body: { pageId: '/a' } })).response.status, 503)
  t.equal(network.sent.length, 1)
})

await t.test('the token goes to the service and to named origins, nowhere else', async (t) => {
  const { service, network, another, credentials } = await signedIn()
  const seen: (string | null)[] = []
  const client = another({
    origins: ['https://api.example.com'],
    fetch: async (request) => {
      if (request.url.startsWith(service.origin)) return await network.fetch(request)
      seen.push(request.headers.get('authorization'))
      return new Response('{}')
    }
  })
  await client.signIn(credentials)
  await client.fetch('https://api.example.com/orders')
  await client.fetch('https://elsewhere.example.com/orders')
  await client.fetch('https://api.example.com/orders', { headers: { authorization: 'Basic x' } })
  t.match(seen[0], /^Bearer ey/)
  t.strictSame(seen.slice(1), [null, 'Basic x'])
})

await t.test('a body is sent whole again after the refresh: JSON and a file', async (t) => {
  const { client, service } = await signedIn()
  service.clock.advance(minutes(16))
  t.equal((await client.api.POST('/api/preferences', { body: { theme: 'dark' } })).data?.theme, 'dark')
  service.clock.advance(minutes(16))
  const form = new FormData()
  form.set('avatar', new Blob([new Uint8Array(await pictureOf('png'))], { type: 'image/png' }), 'me.png')
  const { status } = await client.fetch(`${service.origin}/api/auth/profile/avatar`, { method: 'POST', body: form })
  t.equal(status, 201)
  t.match((await client.api.GET('/api/auth/profile')).data?.avatarUrl, /^\/api\/avatars\//)
})

await t.test('cookie: signing in, a call, an expiry and signing out, and no token in any answer', async (t) => {
  const { client, service, network } = await signedIn({ mode: 'cookie' })
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
  service.clock.advance(minutes(16))
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
  t.equal(refreshes(network.sent), 1)
  t.match(await client.signOut(), { data: { revoked: 1 } })
  t.equal((await client.api.GET('/api/auth/profile')).error?.code, 'token_missing')
})

await t.test('signing out ends the session at the service; where that cannot answer, it is still there to be ended', async (t) => {
  const { client, network } = await signedIn({ retries: 0 })
  network.answer(/logout/, problem(503, 'unavailable'))
  t.equal((await client.signOut()).error?.code, 'unavailable')
  t.match(await client.signOut(), { data: { revoked: 1 } })
  t.equal((await client.api.GET('/api/auth/profile')).error?.code, 'token_missing')
})

await t.test('registering signs in', async (t) => {
  const { another, person } = await signedIn()
  const client = another({ store: inMemory() })
  const { data } = await client.register({ email: `new.${person.email}`, username: `${person.username}-2`, password: person.password })
  t.equal(data?.user.username, `${person.username}-2`)
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
  t.equal((await client.register(person)).error?.code, 'email_taken')
})
