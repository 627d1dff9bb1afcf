// Stories whose steps meet where they hurt most: a store that stops in the middle of an end, of a logout, of a login. What
// was acknowledged is kept, what can be repeated is, and nobody waits for a visit (DESIGN 7 and 8).
import t, { type Test } from 'tap'
import { createGates, type Gates } from '../helper/gates.ts'
import { openClient } from '../helper/client-of.ts'
import { cookiesOf, register } from '../helper/people.ts'
import { createDeployment, startService, testSecret, until, type Service } from '../helper/service.ts'
import { archivedIn, visitorAt } from '../helper/visitors.ts'

async function startGated (t: Test, env: Record<string, string> = {}): Promise<{ service: Service, gates: Gates }> {
  const deployment = createDeployment(t)
  const gates = createGates(await openClient(t, deployment))
  return { service: await startService(t, { deployment, env, mongoClient: gates.client }), gates }
}

const away = (): Error => Object.assign(new Error('away'), { name: 'MongoNetworkError' })

await t.test('a user\'s end that was cut off in the middle is answered when it is asked for again', async (t) => {
  const { service, gates } = await startGated(t)
  const user = visitorAt(service, { token: (await register(service)).accessToken })
  await user.page('/a')
  const { id } = (await user.show()).json
  const cut = gates.hold('visits.updateOne', 'after') // `ended` is stored, its answer is not seen
  const first = user.end()
  await cut.reached
  cut.fail(away())
  t.equal((await first).status, 503)
  const again = await user.end()
  t.equal(again.status, 200)
  t.match(again.json, { id, pagesVisited: ['/a'] })
  t.equal((await archivedIn(service, { _id: id })).length, 1)
})

await t.test('a logout waits for its visit for a second at most, and the visit is archived all the same', async (t) => {
  const { service, gates } = await startGated(t, { VISIT_ARCHIVE_INTERVAL_SECONDS: '1' })
  const user = visitorAt(service, { token: (await register(service)).accessToken })
  await user.page('/a')
  const gate = gates.hold('visits.updateOne', 'before')
  const left = await user.call('POST', '/api/auth/logout')
  t.equal(left.json.revoked, 1)
  t.ok(left.ms >= 900 && left.ms < 2500, `after ${Math.round(left.ms)} ms`)
  gate.open()
  await until(async () => (await archivedIn(service)).length === 1, 'the work goes on')
})

await t.test('a login whose visit cannot be carried is a login; the guest\'s pages come into the user\'s archive', async (t) => {
  const { service, gates } = await startGated(t, { VISIT_ARCHIVE_INTERVAL_SECONDS: '1' })
  const { person, userId } = await register(service)
  const guest = visitorAt(service)
  await guest.page('/a')
  const { id } = (await guest.show()).json
  const gate = gates.hold('visits.insertOne', 'before')
  const signingIn = guest.call('POST', '/api/auth/login', { email: person.email, password: person.password })
  await gate.reached
  gate.fail(away())
  const answer = await signingIn
  t.equal(answer.status, 200)
  t.notOk('visit' in cookiesOf(answer))
  t.equal((await guest.show()).status, 404, 'the old cookie reads nothing')
  await until(async () => (await archivedIn(service, { _id: id })).length === 1, 'the job archives it')
  t.match(await archivedIn(service, { _id: id }), [{ userId, pages: [{ pageId: '/a' }] }])
  t.ok(service.logs.some(({ msg }) => String(msg).includes('could not be carried over')))
})

await t.test('a page whose write is answered by a broken connection is tried again, and stored once', async (t) => {
  const { service, gates } = await startGated(t)
  const user = visitorAt(service, { token: (await register(service)).accessToken })
  await user.page('/a')
  const gate = gates.hold('visitlog.bulkWrite', 'after')
  const noting = user.page('/b')
  await gate.reached
  gate.fail(away())
  const noted = await noting
  t.equal(noted.status, 201)
  t.equal(noted.json.pageCount, 2)
  t.strictSame((await user.show()).json.pagesVisited, ['/a', '/b'])
})

for (const who of ['guest', 'user'] as const) {
  for (const when of ['before', 'after'] as const) {
    await t.test(`G4 a job that breaks off ${when} its write has archived the visit of a ${who} once after its next run`, async (t) => {
      const { service, gates } = await startGated(t, { VISIT_ARCHIVE_INTERVAL_SECONDS: '1' })
      const visitor = visitorAt(service, who === 'user' ? { token: (await register(service)).accessToken } : {})
      for (const page of ['/a', '/b']) await visitor.page(page)
      const { id } = (await visitor.show()).json
      const gate = gates.hold('visits.updateOne', when)
      service.clock.advance(1_800_000)
      await gate.reached
      gate.fail(away())
      await until(() => service.logs.some(({ job, failed }) => job === 'visit-archive' && Number(failed) > 0), 'that run has failed')
      await until(async () => (await archivedIn(service, { _id: id })).length === 1, 'the next one has done it')
      t.match(await archivedIn(service, { _id: id }), [{ pages: [{ pageId: '/a' }, { pageId: '/b' }], pageCount: 2 }])
      service.clock.advance(7_200_000)
      await until(async () => await service.db.collection('visits').countDocuments({ pending: true }) === 0, 'and the ones after it leave it alone')
      t.equal(await service.db.collection('visits').countDocuments({}), 1)
      t.equal((await archivedIn(service, { _id: id }))[0]?.['pages'].length, 2)
    })
  }
}

await t.test('a logout that proves nothing takes no visit from a guest', async (t) => {
  const { service } = await startGated(t)
  const guest = visitorAt(service)
  await guest.page('/a')
  const answer = await guest.call('POST', '/api/auth/logout', { refreshToken: 'garbage' })
  t.notOk('visit' in cookiesOf(answer))
  t.equal((await guest.show()).json.pageCount, 1)
})

await t.test('a login with preferences that are all chosen already changes nothing of the account', async (t) => {
  const { service } = await startGated(t)
  const { person, accessToken: token } = await register(service)
  await service.post('/api/preferences', { theme: 'light' }, { token })
  const guest = visitorAt(service)
  await guest.call('POST', '/api/preferences', { theme: 'dark' })
  const before = await service.db.collection('users').findOne({ usernameKey: person.username })
  service.clock.advance(5000)
  await guest.call('POST', '/api/auth/login', { email: person.email, password: person.password })
  t.strictSame(await service.db.collection('users').findOne({ usernameKey: person.username }), before)
})

await t.test('a guest who only looks at preferences keeps them through a change of keys', async (t) => {
  const [oldKey, newKey] = [testSecret(), testSecret()]
  const services = await Promise.all([`old:${oldKey}`, `new:${newKey},old:${oldKey}`, `new:${newKey}`].map((SESSION_SECRET) => startService(t, { env: { SESSION_SECRET } })))
  const jar = new Map<string, string>()
  const [before, between, after] = services.map((service) => visitorAt(service, { jar })) as [ReturnType<typeof visitorAt>, ReturnType<typeof visitorAt>, ReturnType<typeof visitorAt>]
  await before.call('POST', '/api/preferences', { theme: 'dark' })
  t.equal((await between.call('GET', '/api/preferences')).json.theme, 'dark')
  t.equal((await after.call('GET', '/api/preferences')).json.theme, 'dark')
})
