// Doors of a user's devices: what is shown of a session, ending one, ending all others, and what a dead, a foreign or an
// invented id is told (MISSION row 27, REQUIREMENTS E5, E6, E8).
import t, { type Test } from 'tap'
import type { Answer } from '../helper/http.ts'
import { cookiesOf, login, newPerson, register, type Login } from '../helper/people.ts'
import { startService, type Service } from '../helper/service.ts'
import { archivedIn, visitorAt } from '../helper/visitors.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const service = await startService(t, { env: { LOGIN_LIMIT_PER_ADDRESS: '1000' } })
const path = '/api/auth/sessions'
const sessions = service.db.collection<{ _id: string }>('usersession')

const list = async ({ accessToken: token }: Pick<Login, 'accessToken'>, at: Service = service): Promise<Answer> => await at.get(path, { token })
const idsOf = async (device: Pick<Login, 'accessToken'>, at?: Service): Promise<string[]> => (await list(device, at)).json.items.map(({ id }: { id: string }) => id)
const end = async ({ accessToken: token }: Login, id = ''): Promise<Answer> => await service.call(`${path}${id === '' ? '' : `/${id}`}`, { method: 'DELETE', token })

async function isOver (t: Test, { accessToken: token, refreshToken }: Login): Promise<void> {
  expectProblem(t, await service.get('/api/protected', { token }), 401, 'session_revoked')
  expectProblem(t, await service.post('/api/auth/refresh', { refreshToken }), 401, 'session_revoked')
}
const lives = async (t: Test, { accessToken: token }: Login): Promise<void> => { t.equal((await service.get('/api/protected', { token })).status, 200) }

await t.test('E5 the list shows each device, the newest first, the one that asks marked, and no secret', async (t) => {
  const { person, ...first } = await register(service)
  await register(service)
  service.clock.advance(1000)
  const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'
  const second = await service.post('/api/auth/login', { email: person.email, password: person.password }, { headers: { 'user-agent': firefox }, from: '127.0.0.2' })
  const answer = await list(first)
  t.equal(answer.status, 200)
  t.equal(answer.headers['cache-control'], 'no-store')
  t.notOk(answer.headers.link)
  t.strictSame(Object.keys(answer.json), ['items', 'nextCursor'])
  t.equal(answer.json.nextCursor, null)
  const { createdAt, expiresAt } = second.json.session
  t.strictSame(answer.json.items, [
    { id: second.json.session.id, current: false, createdAt, lastSeenAt: createdAt, expiresAt, ip: '127.0.0.2', userAgent: firefox, device: { type: 'desktop', os: 'Windows', browser: 'Firefox' } },
    { ...answer.json.items[1], id: first.sid, current: true, ip: '127.0.0.1', userAgent: '', device: { type: 'unknown', os: null, browser: null } }
  ])
  t.notMatch(answer.text, /generation|tokenVersion|revoked|visitId|rt1\.|absolute|userId/i)
  t.strictSame((await list({ accessToken: second.json.accessToken })).json.items.map(({ current }: { current: boolean }) => current), [true, false])
})

await t.test('E5 what is over is not in it: signed out, ended from elsewhere, run out, of an older version', async (t) => {
  const { person, ...first } = await register(service)
  const [out, ended, stale, late] = [await login(service, person), await login(service, person), await login(service, person), await login(service, person)]
  await service.post('/api/auth/logout', undefined, { token: out.accessToken })
  await end(first, ended.sid)
  await sessions.updateOne({ _id: stale.sid }, { $set: { tokenVersion: -1 } })
  await sessions.updateOne({ _id: late.sid }, { $set: { expiresAt: new Date(service.clock.wall()) } })
  t.strictSame(await idsOf(first), [first.sid])
})

await t.test('E6 one device ends another: its tokens are dead, the others live, asked again it is the same', async (t) => {
  const { person, ...first } = await register(service)
  const [second, third] = [await login(service, person), await login(service, person)]
  await lives(t, second)
  const answer = await end(first, second.sid)
  t.strictSame([answer.status, answer.text], [204, ''])
  await isOver(t, second)
  t.equal((await end(first, second.sid)).status, 204)
  for (const device of [first, third]) await lives(t, device)
  t.match(service.logs.filter(({ event }) => event === 'session_ended').at(-1), { userId: first.userId, sid: second.sid, address: '127.0.0.1' })
  t.equal(service.logs.filter(({ event, sid }) => event === 'session_ended' && sid === second.sid).length, 1)
  t.equal((await sessions.findOne({ _id: second.sid }) as { revokedReason?: string }).revokedReason, 'device')
})

await t.test('E6 somebody else\'s id, a dead one of theirs and one that never was are the same answer, and end nothing', async (t) => {
  const [first, stranger] = [await register(service), await register(service)]
  const dead = await login(service, stranger.person)
  await service.post('/api/auth/logout', undefined, { token: dead.accessToken })
  const answers = [await end(first, stranger.sid), await end(first, dead.sid), await end(first, 'A'.repeat(22))]
  for (const answer of answers) expectProblem(t, answer, 404, 'not_found')
  t.equal(new Set(answers.map(({ json }) => json.detail)).size, 1)
  await lives(t, stranger)
  for (const id of ['a.b', 'x'.repeat(65), '%00', '%24ne', '[object%20Object]', '..%2F..']) expectProblem(t, await end(first, id), 400, 'validation_failed', { what: id })
})

await t.test('the current one: by cookie the cookies are cleared, by header the answer is bare', async (t) => {
  const { person, ...first } = await register(service)
  const device = visitorAt(service)
  const entered = await device.call('POST', '/api/auth/login', { email: person.email, password: person.password, transport: 'cookie' })
  const id = entered.json.session.id as string
  const before = new Map(device.jar)
  expectProblem(t, await device.call('DELETE', `${path}/${id}`, undefined, { headers: { 'sec-fetch-site': 'cross-site' } }), 403, 'csrf_rejected')
  t.equal((await device.call('DELETE', `${path}/${first.sid}`)).status, 204)
  t.ok(device.jar.has('accessToken'), 'another one\'s end clears nothing')
  const answer = await device.call('DELETE', `${path}/${id}`)
  t.equal(answer.status, 204)
  t.match(cookiesOf(answer), { accessToken: { 'max-age': '0' }, refreshToken: { 'max-age': '0' } })
  expectProblem(t, await visitorAt(service, { jar: before }).call('GET', path), 401, 'session_revoked')
  const again = await login(service, person)
  const bare = await end(again, again.sid)
  t.strictSame([bare.status, bare.headers['set-cookie']], [204, undefined])
  await isOver(t, again)
})

await t.test('ending all others keeps this one and every stranger\'s', async (t) => {
  const { person, ...first } = await register(service)
  const others = [await login(service, person), await login(service, person)]
  const stranger = await register(service)
  const answer = await end(first)
  t.strictSame([answer.status, answer.json], [200, { message: 'Every other device is signed out', revoked: 2 }])
  for (const device of others) await isOver(t, device)
  for (const device of [first, stranger]) await lives(t, device)
  t.equal((await service.post('/api/auth/refresh', { refreshToken: first.refreshToken })).status, 200)
  t.equal((await end(first)).json.revoked, 0)
  t.match(service.logs.filter(({ event }) => event === 'other_sessions_ended'), [{ userId: first.userId, sid: first.sid, address: '127.0.0.1' }], 'the second one ended nothing')
  t.equal((await login(service, person)).userId, first.userId, 'and the password is what it was')
})

await t.test('visits end with their sessions, and no other', async (t) => {
  const { person, ...first } = await register(service)
  const devices = [first, await login(service, person), await login(service, person), await login(service, person)]
  const visitors = devices.map(({ accessToken: token }) => visitorAt(service, { token }))
  const ids: string[] = []
  for (const visitor of visitors) {
    await visitor.page('/a')
    ids.push((await visitor.show()).json.id)
  }
  const archived = async (): Promise<string[]> => (await archivedIn(service, { _id: { $in: ids } })).map(({ _id }) => String(_id)).sort()
  await end(first, devices[1]?.sid)
  t.strictSame(await archived(), [ids[1]])
  await end(first)
  t.strictSame(await archived(), ids.slice(1).sort())
  t.match((await visitors[0]?.show())?.json, { id: ids[0] })
  await end(first, first.sid)
  t.strictSame(await archived(), [...ids].sort())
})

await t.test('E8 at one more than the cap the oldest ends, and the list stays as long as the cap', async (t) => {
  const own = await startService(t, { env: { SESSIONS_PER_USER: '3' } })
  const person = newPerson()
  const all = [await register(own, person) as Login]
  for (let i = 0; i < 7; i++) {
    own.clock.advance(10)
    all.push(await login(own, person))
    const living = all.slice(-3).map(({ sid }) => sid).reverse()
    t.strictSame(await idsOf(all.at(-1) as Login, own), living)
  }
  for (const [i, { accessToken: token }] of all.entries()) t.equal((await own.get('/api/protected', { token })).status, i < 5 ? 401 : 200)
})
