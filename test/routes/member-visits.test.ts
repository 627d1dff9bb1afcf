// Doors of visits for users: one visit a login, in MongoDB from its start, seen on every device, kept in the archive
// (MISSION rows 5, 7 and 8).
import t from 'tap'
import { login, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { archivedIn, visitorAt, wholeList } from '../helper/visitors.ts'

const service = await startService(t, { env: { VISIT_ENTRIES: '130', ACCESS_TOKEN_EXPIRY: '1d' } })
const { clock } = service

await t.test('a user\'s visit goes by the token: begun, noted in, shown, ended, archived', async (t) => {
  const { accessToken: token, userId } = await register(service)
  const user = visitorAt(service, { token })
  t.equal((await user.show()).json.code, 'visit_not_found')
  const begun = await user.call('POST', '/api/session')
  t.equal(begun.status, 201)
  t.match(begun.json, { id: /^[\w-]{22}$/, sessionDuration: 0, pagesVisited: [], pageCount: 0, actionCount: 0, nextCursor: null })
  t.equal((await user.call('POST', '/api/session')).status, 200)
  for (const [i, pageId] of ['/', '/a', '/'].entries()) {
    const noted = await service.post('/api/session/page', { pageId }, { token })
    t.equal(noted.status, 201)
    t.match(noted.json, { pageId, at: /Z$/, pageCount: i + 1 })
    t.notOk(noted.headers['set-cookie'])
  }
  t.match((await user.action('buy', { details: { price: 9.5 } })).json, { action: 'buy', actionCount: 1 })
  clock.advance(30_000)
  t.match((await service.get('/api/session', { token })).json, { id: begun.json.id, pagesVisited: ['/', '/a', '/'], pageCount: 3, actionCount: 1, sessionDuration: 30 })
  t.match((await user.call('GET', '/api/session/action')).json, { items: [{ action: 'buy', target: null, details: { price: 9.5 } }], nextCursor: null })
  const closed = await user.end()
  t.equal(closed.status, 200)
  t.match(closed.json, { id: begun.json.id, pagesVisited: ['/', '/a', '/'], pageCount: 3, actionCount: 1, sessionDuration: 30 })
  t.match(await archivedIn(service, { _id: begun.json.id }), [{ userId, pages: [{ pageId: '/' }, { pageId: '/a' }, { pageId: '/' }], actions: [{ action: 'buy' }] }])
  t.equal((await user.show()).status, 404)
  t.equal((await user.end()).status, 404)
  t.equal((await user.page('/next')).json.pageCount, 1, 'the next page begins another one')
  t.not((await user.show()).json.id, begun.json.id)
})

await t.test('it ends by idleness when it was last seen, and the next page begins another one', async (t) => {
  const { accessToken: token } = await register(service)
  const user = visitorAt(service, { token })
  await user.page('/a')
  const first = (await user.show()).json
  for (const renew of [() => user.page('/b'), () => user.action('x'), () => user.call('POST', '/api/session')]) {
    clock.advance(1_790_000)
    await renew()
    t.equal((await user.show()).json.id, first.id)
  }
  clock.advance(1_800_000)
  t.equal((await user.show()).status, 404)
  await user.page('/new')
  t.not((await user.show()).json.id, first.id)
  const [archived] = (await user.call('GET', '/api/session/history')).json.items
  t.match(archived, { id: first.id, pagesVisited: ['/a', '/b'], pageCount: 2, actionCount: 1, current: false })
  t.equal(Math.round((Date.parse(archived.endTime) - Date.parse(archived.startTime)) / 10_000), 537, 'it ended when it was last seen')
  t.equal(archived.sessionDuration, Math.floor((Date.parse(archived.endTime) - Date.parse(archived.startTime)) / 1000))
})

await t.test('a user\'s running visits are seen from every device, the own one marked', async (t) => {
  const { accessToken, person } = await register(service)
  const devices = [accessToken, (await login(service, person)).accessToken, (await login(service, person)).accessToken].map((token) => visitorAt(service, { token }))
  for (const [i, device] of devices.entries()) {
    clock.advance(1000)
    for (let n = 0; n <= i; n++) await device.page(`/${i}/${n}`)
  }
  for (const [i, device] of devices.entries()) {
    const { items, nextCursor } = (await device.show('?scope=user')).json
    t.equal(nextCursor, null)
    t.strictSame(items.map(({ pagesVisited }: { pagesVisited: string[] }) => pagesVisited), [['/2/0', '/2/1', '/2/2'], ['/1/0', '/1/1'], ['/0/0']], 'newest first')
    t.strictSame(items.map(({ current }: { current: boolean }) => current), [2, 1, 0].map((of) => of === i))
    t.ok(items.every(({ endTime }: { endTime: null }) => endTime === null))
  }
  const [device] = devices as [typeof devices[number]]
  const first = await device.show('?scope=user&limit=2')
  t.equal(first.json.items.length, 2)
  const link = /<([^>]+)>; rel="next"/.exec(String(first.headers['link']))?.[1] as string
  t.match((await device.call('GET', link)).json, { items: [{ pagesVisited: ['/0/0'] }], nextCursor: null })
  await devices[1]?.end()
  t.equal((await device.show('?scope=user')).json.items.length, 2)
  clock.advance(1_800_000)
  t.strictSame((await device.show('?scope=user')).json.items, [], 'idle ones do not run')
})

await t.test('pages and actions of any own visit can be read, those of others are not there', async (t) => {
  const { accessToken: token } = await register(service)
  const user = visitorAt(service, { token })
  const pages = Array.from({ length: 70 }, (_, n) => `/${n}`)
  for (const pageId of pages) await user.page(pageId)
  await user.action('x')
  const { id } = (await user.show()).json
  const pagesOf = async (path: string) => await wholeList(user, path, ({ json }) => json.items.map(({ pageId }: { pageId: string }) => pageId))
  t.strictSame(await pagesOf(`/api/session/page?visit=${id}`), pages, 'while it runs')
  const parts = await user.show('?limit=30')
  t.strictSame(parts.json.pagesVisited, pages.slice(0, 30))
  t.strictSame((await user.show(`?limit=200&cursor=${parts.json.nextCursor}`)).json.pagesVisited, pages.slice(30))
  await user.end()
  t.strictSame(await pagesOf(`/api/session/page?visit=${id}`), pages, 'and in the archive')
  t.match((await user.call('GET', `/api/session/action?visit=${id}`)).json.items, [{ action: 'x' }])

  const other = visitorAt(service, { token: (await register(service)).accessToken })
  for (const visit of [id, 'A'.repeat(22)]) {
    for (const path of ['/api/session/page', '/api/session/action']) t.equal((await other.call('GET', `${path}?visit=${visit}`)).json.code, 'visit_not_found')
  }
  t.equal((await other.call('GET', '/api/session/page?visit=x')).status, 400)
  t.strictSame((await other.call('GET', '/api/session/history')).json.items, [])
  const guests = await visitorAt(service).call('POST', '/api/session')
  t.equal((await other.call('GET', `/api/session/page?visit=${guests.json.id}`)).status, 404, 'a guest\'s is nobody\'s')
})

await t.test('the archive is listed newest first, in parts', async (t) => {
  const { accessToken: token } = await register(service)
  const user = visitorAt(service, { token })
  const ids: string[] = []
  for (let n = 0; n < 5; n++) {
    await user.page(`/${n}`)
    clock.advance(1000)
    ids.unshift((await user.end()).json.id)
  }
  const first = await user.call('GET', '/api/session/history?limit=2')
  t.strictSame(first.json.items.map(({ id }: { id: string }) => id), ids.slice(0, 2))
  t.match(first.json.items[0], { pagesVisited: ['/4'], pageCount: 1, endTime: /Z$/, current: false })
  const link = /<([^>]+)>; rel="next"/.exec(String(first.headers['link']))?.[1] as string
  t.strictSame((await user.call('GET', link)).json.items.map(({ id }: { id: string }) => id), ids.slice(2, 4))
  t.strictSame(await wholeList(user, '/api/session/history', ({ json }) => json.items.map(({ id }: { id: string }) => id)), ids)
  for (const query of ['limit=0', 'limit=201', 'cursor=x', 'cursor=YXQ6NTA', 'more=1']) t.equal((await user.call('GET', `/api/session/history?${query}`)).status, 400, query)
  t.equal((await user.show('?scope=user&cursor=x')).status, 400)
})

await t.test('at its bound it refuses further pages and keeps what it has', async (t) => {
  const { accessToken: token } = await register(service)
  const user = visitorAt(service, { token })
  const answers = await Promise.all(Array.from({ length: 150 }, (_, n) => user.page(`/${n}`)))
  t.equal(answers.filter(({ status }) => status === 201).length, 130)
  t.ok(answers.filter(({ status }) => status !== 201).every(({ json }) => json.code === 'visit_full'))
  t.strictSame(answers.filter(({ status }) => status === 201).map(({ json }) => json.pageCount).sort((a, b) => a - b), Array.from({ length: 130 }, (_, n) => n + 1), 'each is counted once')
  t.equal((await user.action('x')).status, 201)
  t.equal((await user.end()).json.pageCount, 130)
})

await t.test('what a user has noted is in MongoDB when it is answered', async (t) => {
  const { accessToken: token } = await register(service)
  const user = visitorAt(service, { token })
  for (let n = 0; n < 5; n++) {
    await user.page(`/${n}`)
    const { id } = (await user.show()).json
    const stored = await service.db.collection('visitlog').findOne({ _id: `${id}:page:${n}` as never })
    t.equal(stored?.['entry'].pageId, `/${n}`)
  }
})
