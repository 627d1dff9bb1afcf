// What a host is told and what it adds (MISSION row 35): each event once, awaited, with what it needs and no secret; a hook that
// fails or hangs changes no answer.
import t from 'tap'
import type { HostHooks } from '../../src/index.ts'
import { startHost, type Host } from './mounted-host.ts'

type Told = { hook: string, event: Record<string, unknown> }

const names = ['onRegistered', 'onSignedIn', 'onRefreshed', 'onReuseDetected', 'onSignedOut', 'onPasswordChanged'] as const

/** Hooks that note what they are told, after a turn of the event loop: who does not wait for them answers before. */
function noting (told: Told[]): HostHooks {
  return Object.fromEntries(names.map((hook) => [hook, async (event: object) => {
    await new Promise((resolve) => { setImmediate(resolve) })
    told.push({ hook, event: event as Told['event'] })
  }]))
}

const password = 'Pw7mark-of-the-hooks'
const person = { email: 'hooks@leak-mark.example', username: 'hooked', password }
const send = async (host: Host, path: string, body?: object, token?: string, method = 'POST') => await host.call(`/api/auth/${path}`, { method, ...(body && { body }), ...(token !== undefined && { token }) })
const payloadOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()) as Record<string, unknown>

await t.test('a host is told of each event before the client is answered', async (t) => {
  const told: Told[] = []
  const host = await startHost(t, { open () { /* no doors of its own */ }, options: { hooks: noting(told) } })
  const next = (): Told => {
    t.equal(told.length, 1, 'told once, and before the answer')
    return told.pop() as Told
  }
  const { user: { id: userId }, session } = (await send(host, 'register', person)).json
  const registered = next()
  t.match(registered, { hook: 'onRegistered', event: { userId, sid: session.id, user: { id: userId, email: person.email, username: 'hooked' }, address: '127.0.0.1', requestId: String, at: Date } })
  t.ok(Object.isFrozen(registered.event))
  const signIn = async () => (await send(host, 'login', { email: person.email, password })).json
  const first = await signIn()
  t.match(next(), { hook: 'onSignedIn', event: { userId, sid: first.session.id, user: { role: 'user' } } })

  const refreshed = (await send(host, 'refresh', { refreshToken: first.refreshToken })).json
  t.match(next(), { hook: 'onRefreshed', event: { userId, sid: first.session.id, user: { id: userId } } })
  host.clock.advance(11_000)
  // the grace is measured by MongoDB's clock; two generations back is a reuse at any time
  const again = (await send(host, 'refresh', { refreshToken: refreshed.refreshToken })).json
  next()
  t.equal((await send(host, 'refresh', { refreshToken: first.refreshToken })).json.code, 'refresh_token_reused')
  t.match(next(), { hook: 'onReuseDetected', event: { userId, sid: first.session.id } })
  t.equal((await send(host, 'refresh', { refreshToken: again.refreshToken })).status, 401)
  t.strictSame(told, [], 'what is refused is no event')

  const [here, there] = [await signIn(), await signIn()]
  told.length = 0
  await send(host, `sessions/${there.session.id}`, undefined, here.accessToken, 'DELETE')
  t.match(next(), { hook: 'onSignedOut', event: { userId, sid: there.session.id, reason: 'session_ended', revoked: 1 } })
  await send(host, 'sessions', undefined, here.accessToken, 'DELETE')
  t.match(next(), { hook: 'onSignedOut', event: { userId, sid: here.session.id, reason: 'other_sessions_ended', revoked: 1 } })
  await send(host, 'logout', {}, here.accessToken)
  t.match(next(), { hook: 'onSignedOut', event: { userId, sid: here.session.id, reason: 'logout', revoked: 1 } })
  await send(host, 'logout', {}, here.accessToken)
  t.strictSame(told, [], 'nothing ended')

  const [one, two] = [await signIn(), await signIn()]
  told.length = 0
  await send(host, 'logout-all', {}, one.accessToken)
  t.match(next(), { hook: 'onSignedOut', event: { userId, sid: one.session.id, reason: 'logout_all', revoked: 2 } })
  t.ok(two.session.id)
  const last = await signIn()
  told.length = 0
  t.equal((await send(host, 'profile/password', { currentPassword: password, newPassword: `${password}-2` }, last.accessToken, 'PUT')).status, 200)
  t.match(next(), { hook: 'onPasswordChanged', event: { userId, sid: last.session.id, user: { id: userId } } })
  await send(host, 'login', { email: person.email, password })
  t.strictSame(told, [], 'a wrong password is no event')
})

await t.test('a hook that throws, rejects or hangs changes no answer', async (t) => {
  const hooks: HostHooks = {
    onRegistered () { throw new Error('the host broke') },
    onSignedIn: async () => { await Promise.reject(new Error('the host broke later')) },
    onSignedOut: async () => { await new Promise(() => { /* for ever */ }) }
  }
  const host = await startHost(t, { open () { /* no doors of its own */ }, options: { hooks } })
  t.equal((await send(host, 'register', person)).status, 201)
  const { status, json: { accessToken } } = await send(host, 'login', { email: person.email, password })
  t.equal(status, 200)
  const { status: left, json } = await send(host, 'logout', {}, accessToken)
  t.equal(left, 200)
  t.equal(json.revoked, 1)
  t.equal((await host.call('/api/protected', { token: accessToken })).json.code, 'session_revoked')
})

await t.test('a host adds claims, and none of the service\'s own', async (t) => {
  let more: Record<string, unknown> = { tenant: 't-1', sub: 'somebody else', exp: 1, role: 'admin', sid: 'x' }
  const host = await startHost(t, { open () { /* no doors of its own */ }, options: { claims: ({ username }) => ({ ...more, name: username }) } })
  const { status, json } = await send(host, 'register', person)
  t.equal(status, 201)
  t.match(payloadOf(json.accessToken), { tenant: 't-1', name: 'hooked', sub: json.user.id, sid: json.session.id, role: 'user' })
  t.equal((await host.call('/api/protected', { token: json.accessToken })).status, 200)
  t.equal(payloadOf((await send(host, 'refresh', { refreshToken: json.refreshToken })).json.accessToken)['tenant'], 't-1')

  more = { tenant: 'x'.repeat(3000) }
  const refused = await send(host, 'login', { email: person.email, password })
  t.equal(refused.status, 500, 'a token that no header could carry is not issued')
  t.equal(refused.json.code, 'internal_error')
})
