// Story: a guest becomes a user, and a user leaves. The visit and the preferences come along, the cookie gets an id of its
// own, and afterwards no cookie leads to what was the user's (MISSION row 31, REQUIREMENTS F7, G6).
import t from 'tap'
import { cookiesOf, login, newPerson, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { archivedIn, visitorAt } from '../helper/visitors.ts'

const service = await startService(t)

/** A guest with a past: a visit of two pages and an action, and preferences. */
async function guestWithPast () {
  const guest = visitorAt(service)
  await guest.page('/a')
  await guest.page('/b')
  await guest.action('look', { target: 'x' })
  await guest.call('POST', '/api/preferences', { theme: 'dark', language: 'fr' })
  return { guest, visit: (await guest.show()).json, old: new Map(guest.jar) }
}

for (const way of ['register', 'login'] as const) {
  await t.test(`F7 at ${way} the guest's visit becomes the user's, under a new cookie`, async (t) => {
    const { guest, visit, old } = await guestWithPast()
    const { person } = way === 'login' ? await register(service) : { person: newPerson() }
    const answer = way === 'login' ? await guest.call('POST', '/api/auth/login', { email: person.email, password: person.password }) : await guest.call('POST', '/api/auth/register', person)
    t.ok(answer.status < 300)
    t.not(guest.jar.get('visit'), old.get('visit'), 'a new cookie id')
    t.match(cookiesOf(answer)['visit'], { httponly: true, samesite: 'Lax', path: '/' })

    const user = visitorAt(service, { token: answer.json.accessToken, jar: guest.jar })
    t.match((await user.show()).json, { id: visit.id, startTime: visit.startTime, pagesVisited: ['/a', '/b'], pageCount: 2, actionCount: 1 }, 'the visit id stays')
    t.equal((await user.page('/c')).json.pageCount, 3)
    t.equal((await user.action('buy')).json.actionCount, 2)
    t.strictSame((await user.show('?limit=2')).json.pagesVisited, ['/a', '/b'])
    t.strictSame((await user.show()).json.pagesVisited, ['/a', '/b', '/c'])
    t.match((await user.call('GET', '/api/session/action')).json.items, [{ action: 'look', target: 'x' }, { action: 'buy' }])
    t.strictSame((await user.call('GET', '/api/preferences')).json, { theme: 'dark', notifications: true, language: 'fr' })

    for (const jar of [old, guest.jar]) {
      const stranger = visitorAt(service, { jar: new Map(jar) })
      t.equal((await stranger.show()).status, 404, 'without the token neither cookie reads anything')
      t.equal((await stranger.end()).status, 404)
      t.equal((await stranger.page('/evil')).json.pageCount, 1, 'or adds anything')
    }
    t.equal((await user.show()).json.pageCount, 3)
    await user.end()
    const archived = await archivedIn(service, { _id: visit.id })
    t.equal(archived.length, 1)
    t.match(archived[0], { userId: answer.json.user.id, pages: [{ pageId: '/a' }, { pageId: '/b' }, { pageId: '/c' }], actions: [{ action: 'look' }, { action: 'buy' }] })
  })
}

await t.test('a guest\'s preferences fill what the user never chose, and nothing else', async (t) => {
  const { accessToken: token, person } = await register(service)
  await service.post('/api/preferences', { theme: 'light' }, { token })
  const { guest } = await guestWithPast()
  const { json } = await guest.call('POST', '/api/auth/login', { email: person.email, password: person.password })
  t.strictSame((await service.get('/api/preferences', { token: json.accessToken })).json, { theme: 'light', notifications: true, language: 'fr' })
  const other = visitorAt(service)
  await other.call('POST', '/api/preferences', { theme: 'system', notifications: false, language: 'de' })
  await other.call('POST', '/api/auth/login', { email: person.email, password: person.password })
  t.strictSame((await service.get('/api/preferences', { token })).json, { theme: 'light', notifications: false, language: 'fr' })
})

await t.test('of several logins with one guest\'s cookie one gets the visit', async (t) => {
  const { guest, visit } = await guestWithPast()
  const people = await Promise.all(Array.from({ length: 4 }, () => register(service)))
  const cookie = `visit=${String(guest.jar.get('visit'))}`
  const answers = await Promise.all(people.map(({ person }) => service.post('/api/auth/login', { email: person.email, password: person.password }, { headers: { cookie } })))
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(answers.filter((answer) => 'visit' in cookiesOf(answer)).length, 1)
  const shown = await Promise.all(answers.map(({ json }) => service.get('/api/session', { token: json.accessToken })))
  t.strictSame(shown.filter(({ status }) => status === 200).map(({ json }) => json.id), [visit.id])
})

await t.test('a login with a dead, foreign or spoilt cookie is a login', async (t) => {
  const { person } = await register(service)
  const { guest } = await guestWithPast()
  await guest.end()
  const other = visitorAt(service, { token: (await register(service)).accessToken })
  await other.call('POST', '/api/session')
  for (const visit of [...guest.jar.values(), other.jar.get('visit'), 'v1.x.y', '%E0%A4%A']) {
    const answer = await service.post('/api/auth/login', { email: person.email, password: person.password }, { headers: { cookie: `visit=${visit}; preferences=${visit}` } })
    t.equal(answer.status, 200)
    t.notOk('visit' in cookiesOf(answer))
    t.equal((await service.get('/api/session', { token: answer.json.accessToken })).status, 404)
  }
  t.equal((await other.show()).status, 200, 'the visit of somebody else goes on')
})

await t.test('who signs in again in the same browser goes on with the visit', async (t) => {
  const { accessToken, person } = await register(service)
  const browser = visitorAt(service, { token: accessToken })
  const { id } = (await browser.call('POST', '/api/session')).json
  await browser.page('/a')
  const before = browser.jar.get('visit')
  const again = await visitorAt(service, { jar: browser.jar }).call('POST', '/api/auth/login', { email: person.email, password: person.password })
  t.not(browser.jar.get('visit'), before)
  const next = visitorAt(service, { token: again.json.accessToken, jar: browser.jar })
  t.match((await next.show()).json, { id, pagesVisited: ['/a'] })
  t.equal((await next.page('/b')).json.pageCount, 2)
  t.equal((await service.post('/api/session/page', { pageId: '/c' }, { token: accessToken })).json.pageCount, 3)
  for (const token of [accessToken, again.json.accessToken]) t.match((await service.get('/api/session', { token })).json, { id, pagesVisited: ['/a', '/b', '/c'] }, 'both logins see it')
  await service.post('/api/auth/logout', undefined, { token: accessToken })
  t.equal((await next.show()).json.id, id, 'the earlier login leaves, the visit is the later one\'s')
  await next.call('POST', '/api/auth/logout')
  t.equal((await archivedIn(service, { _id: id })).length, 1)
})

await t.test('after a logout the visit is in the archive and nothing of it behind the cookies', async (t) => {
  const { guest, visit } = await guestWithPast()
  const person = newPerson()
  const answer = await guest.call('POST', '/api/auth/register', { ...person, transport: 'cookie' })
  t.equal(answer.status, 201)
  await guest.page('/mine')
  const jar = new Map(guest.jar)
  const left = await guest.call('POST', '/api/auth/logout')
  t.equal(left.json.revoked, 1)
  t.match(cookiesOf(left)['visit'], { 'max-age': '0', path: '/', httponly: true })
  t.notOk(guest.jar.has('visit') || guest.jar.has('accessToken'))
  for (const cookies of [guest.jar, new Map([['visit', String(jar.get('visit'))]])]) {
    const stranger = visitorAt(service, { jar: new Map(cookies) })
    t.equal((await stranger.show()).status, 404)
    t.equal((await stranger.page('/new')).json.pageCount, 1)
    t.not((await stranger.show()).json.id, visit.id)
  }
  const back = await login(service, person)
  t.match((await service.get('/api/session/history', { token: back.accessToken })).json.items, [{ id: visit.id, pagesVisited: ['/a', '/b', '/mine'] }])
  t.equal((await service.get('/api/session', { token: back.accessToken })).status, 404)
})

await t.test('logout-all ends the visits of every device', async (t) => {
  const { accessToken, person } = await register(service)
  const tokens = [accessToken, (await login(service, person)).accessToken, (await login(service, person)).accessToken]
  for (const [i, token] of tokens.entries()) await service.post('/api/session/page', { pageId: `/${i}` }, { token })
  await service.post('/api/auth/logout-all', undefined, { token: accessToken })
  const back = await login(service, person)
  t.strictSame((await service.get('/api/session?scope=user', { token: back.accessToken })).json.items, [])
  const { items } = (await service.get('/api/session/history', { token: back.accessToken })).json
  t.strictSame(items.map(({ pagesVisited }: { pagesVisited: string[] }) => pagesVisited[0]).sort(), ['/0', '/1', '/2'])
})
