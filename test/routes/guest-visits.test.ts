// Doors of visits for guests: the story of a visit, its bounds and its end (MISSION rows 5 and 8, REQUIREMENTS G1, G3, G7).
import t from 'tap'
import { cookiesOf, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { archivedIn, visitorAt, wholeList } from '../helper/visitors.ts'
import { redisUrl } from '../helper/engines.ts'
import { expectProblem } from '../plugins/expect-problem.ts'
import { Redis } from 'ioredis'

const service = await startService(t, { env: { VISIT_ENTRIES: '130', VISIT_ARCHIVE_INTERVAL_SECONDS: '3600' } }) // no job ends what a test looks at
const { clock } = service

await t.test('G1 a visit: begun, noted in, shown, ended, archived', async (t) => {
  const guest = visitorAt(service)
  const begun = await guest.call('POST', '/api/session')
  t.equal(begun.status, 201)
  t.match(begun.json, { id: /^[\w-]{22}$/, startTime: /^\d{4}-.*Z$/, sessionDuration: 0, pagesVisited: [], pageCount: 0, actionCount: 0, nextCursor: null })
  t.match(cookiesOf(begun)['visit'], { path: '/', httponly: true, samesite: 'Lax' })
  t.notOk(cookiesOf(begun)['visit']?.['max-age'] ?? cookiesOf(begun)['visit']?.['expires'], 'the cookie ends with the browser')
  for (const [i, pageId] of ['/', '/a', '/'].entries()) {
    const noted = await guest.page(pageId)
    t.equal(noted.status, 201)
    t.match(noted.json, { pageId, at: /Z$/, pageCount: i + 1 })
    t.notOk(noted.headers['set-cookie'], 'a page sets no cookie in a running visit')
  }
  clock.advance(60_000)
  t.match((await guest.action('add_to_cart', { target: 'product-42', details: { quantity: 2, gift: false, note: 'x' } })).json, { action: 'add_to_cart', at: /Z$/, actionCount: 1 })
  t.match((await guest.action('look')).json, { actionCount: 2 })
  const again = await guest.call('POST', '/api/session')
  t.equal(again.status, 200, 'it was running')
  const shown = await guest.show()
  t.match(shown.json, { id: begun.json.id, startTime: begun.json.startTime, pagesVisited: ['/', '/a', '/'], pageCount: 3, actionCount: 2 })
  t.ok(shown.json.sessionDuration >= 60 && shown.json.sessionDuration < 120, 'seconds since the start')
  t.strictSame((await guest.call('GET', '/api/session/action')).json.items.map(({ at, ...action }: { at: string }) => action), [
    { action: 'add_to_cart', target: 'product-42', details: { quantity: 2, gift: false, note: 'x' } },
    { action: 'look', target: null, details: null }
  ])
  t.strictSame((await guest.call('GET', '/api/session/page')).json.items.map(({ pageId }: { pageId: string }) => pageId), ['/', '/a', '/'])

  const closed = await guest.end()
  t.equal(closed.status, 200)
  t.match(closed.json, { id: begun.json.id, pagesVisited: ['/', '/a', '/'], pageCount: 3, actionCount: 2 })
  t.equal(cookiesOf(closed)['visit']?.['max-age'], '0', 'the cookie is cleared')
  const [archived] = await archivedIn(service, { _id: begun.json.id })
  t.match(archived, { userId: null, pages: [{ pageId: '/' }, { pageId: '/a' }, { pageId: '/' }], actions: [{ action: 'add_to_cart' }, { action: 'look' }], pageCount: 3 })
  for (const answer of [await guest.show(), await guest.end()]) {
    t.equal(answer.status, 404)
    t.equal(answer.json.code, 'visit_not_found')
  }
})

await t.test('the old cookie of an ended visit reads nothing, and its next page begins another visit', async (t) => {
  const guest = visitorAt(service)
  const { id } = (await guest.call('POST', '/api/session')).json
  const jar = new Map(guest.jar)
  await guest.end()
  const replaying = visitorAt(service, { jar })
  t.equal((await replaying.show()).status, 404)
  t.equal((await replaying.call('GET', '/api/session/page')).status, 404)
  t.equal((await replaying.page('/late')).status, 201)
  const shown = (await replaying.show()).json
  t.not(shown.id, id)
  t.strictSame(shown.pagesVisited, ['/late'])
})

await t.test('a page or an action begins a visit where none runs, and the cookie is enough to go on', async (t) => {
  for (const note of [visitorAt(service).page, visitorAt(service).action]) t.equal((await note('x')).status, 201)
  const guest = visitorAt(service)
  t.match(cookiesOf(await guest.page('/first'))['visit'], { httponly: true, samesite: 'Lax', path: '/' })
  await guest.page('/second')
  t.strictSame((await guest.show()).json.pagesVisited, ['/first', '/second'])
  t.equal((await guest.call('POST', '/api/session')).status, 200)
})

await t.test('G1 a visit ends 30 minutes after its last page, action or renewal, and looking at it renews nothing', async (t) => {
  const guest = visitorAt(service)
  await guest.page('/a')
  const { id } = (await guest.show()).json
  for (const renew of [() => guest.page('/b'), () => guest.action('x'), () => guest.call('POST', '/api/session')]) {
    clock.advance(1_790_000)
    const { status } = await renew()
    t.ok(status === 200 || status === 201)
    t.equal((await guest.show()).json.id, id, 'it goes on')
  }
  clock.advance(1_790_000)
  t.equal((await guest.show()).status, 200)
  clock.advance(10_001)
  t.equal((await guest.show()).status, 404)
  t.equal((await guest.end()).status, 404)
  t.equal((await guest.page('/new')).status, 201)
  t.not((await guest.show()).json.id, id)
  const renewed = visitorAt(service)
  const old = (await renewed.call('POST', '/api/session')).json.id
  clock.advance(1_800_000)
  const next = await renewed.call('POST', '/api/session')
  t.equal(next.status, 201)
  t.not(next.json.id, old)
  t.equal((await renewed.show()).json.id, next.json.id)
})

await t.test('G3 at its bound a visit refuses further pages and keeps what it has; actions are counted apart', async (t) => {
  const guest = visitorAt(service)
  for (let n = 0; n < 130; n++) t.equal((await guest.page(`/${n}`)).json.pageCount, n + 1)
  const refused = await guest.page('/131')
  t.equal(refused.status, 409)
  t.equal(refused.json.code, 'visit_full')
  t.equal((await guest.action('x')).status, 201)
  const closed = await guest.end()
  t.match(closed.json, { pageCount: 130, actionCount: 1 })
  const [archived] = await archivedIn(service, { _id: closed.json.id })
  t.strictSame(archived?.['pages'].map(({ pageId }: { pageId: string }) => pageId), Array.from({ length: 130 }, (_, n) => `/${n}`))
})

await t.test('long lists are read in parts, by cursor and by Link', async (t) => {
  const guest = visitorAt(service)
  const pages = Array.from({ length: 120 }, (_, n) => `/${n}`)
  for (const pageId of pages) await guest.page(pageId)
  for (let n = 0; n < 60; n++) await guest.action(`a${n}`)
  const first = await guest.show()
  t.strictSame(first.json.pagesVisited, pages.slice(0, 50), '50 unless told otherwise')
  const link = /^<(\/api\/session\?[^>]*)>; rel="next"$/.exec(String(first.headers['link']))?.[1] as string
  const second = await guest.call('GET', link)
  t.strictSame(second.json.pagesVisited, pages.slice(50, 100))
  const last = await guest.show(`?limit=200&cursor=${second.json.nextCursor}`)
  t.strictSame(last.json.pagesVisited, pages.slice(100))
  t.equal(last.json.nextCursor, null)
  t.notOk(last.headers['link'])
  t.strictSame(await wholeList(guest, '/api/session/page', ({ json }) => json.items.map(({ pageId }: { pageId: string }) => pageId)), pages)
  t.equal((await wholeList(guest, '/api/session/action', ({ json }) => json.items)).length, 60)
  for (const query of ['?limit=0', '?limit=201', '?limit=x', '?cursor=x', '?cursor=', '?unknown=1', `?cursor=${'a'.repeat(200)}`]) {
    for (const path of ['/api/session', '/api/session/page', '/api/session/action']) {
      const answer = await guest.call('GET', path + query)
      t.equal(answer.status, 400, path + query)
      t.equal(answer.json.code, 'validation_failed')
    }
  }
})

await t.test('G3 what is noted is bounded and typed', async (t) => {
  const guest = visitorAt(service)
  for (const body of [{}, { pageId: '' }, { pageId: 'x'.repeat(513) }, { pageId: 'a\nb' }, { pageId: 1 }, { pageId: 'a', more: 1 }, { pageId: '\ud800' }]) {
    t.equal((await guest.call('POST', '/api/session/page', body)).status, 400, JSON.stringify(body).slice(0, 60))
  }
  for (const body of [
    {}, { action: '' }, { action: 'x'.repeat(65) }, { action: 'x', target: '' }, { action: 'x', details: [] }, { action: 'x', details: { a: null } }, { action: 'x', details: { a: { b: 1 } } },
    { action: 'x', details: { $where: 1 } }, { action: 'x', details: { 'a.b': 1 } }, { action: 'x', details: { a: 'x'.repeat(129) } }, { action: 'x', details: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`k${i}`, i])) }
  ]) t.equal((await guest.call('POST', '/api/session/action', body)).status, 400, JSON.stringify(body).slice(0, 60))
  t.equal((await guest.page('/日本語/ñ'.repeat(50))).status, 201)
  t.equal((await guest.action('x', { details: { constructor: 'x', toString: true } })).status, 201, 'names of Object are names')
  t.match((await guest.call('GET', '/api/session/action')).json.items, [{ details: { constructor: 'x', toString: true } }])
  t.equal((await guest.show('?scope=user')).json.code, 'token_missing', 'only users have several devices')
  t.equal((await guest.call('GET', '/api/session/history')).json.code, 'token_missing')
  t.equal((await guest.call('GET', `/api/session/page?visit=${'x'.repeat(22)}`)).json.code, 'token_missing')
})

await t.test('G7 a thousand guests who only look create nothing in either store', async (t) => {
  const count = async () => {
    const documents = await Promise.all(['users', 'usersession', 'visits', 'visitlog'].map((name) => service.db.collection(name).countDocuments({})))
    if (redisUrl === undefined) return documents
    const redis = new Redis(redisUrl)
    const keys = await redis.keys(`${service.config.redisKeyPrefix}*`)
    redis.disconnect()
    return [...documents, ...keys.sort()]
  }
  const before = await count()
  const paths = ['/api/session', '/api/preferences', '/api/session/page', '/api/session/action']
  for (let n = 0; n < 20; n++) {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => service.get(paths[i % 4] as string)))
    t.ok(answers.every(({ headers, status }) => headers['set-cookie'] === undefined && (status === 200 || status === 404)))
  }
  t.strictSame(await count(), before)
})

await t.test('G3 the visits that guests of an address begin are counted: nobody fills the stores, and what runs goes on', async (t) => {
  const service = await startService(t, { env: { LOGIN_LIMIT_PER_ADDRESS: '1' } }) // thirty times as many in an hour
  const guest = visitorAt(service)
  t.equal((await guest.page('/first')).status, 201)
  for (let begun = 1; begun < 30; begun++) t.equal((begun % 2 === 0 ? await service.post('/api/session') : await service.post('/api/session/page', { pageId: '/' })).status, 201)
  for (const [path, body] of [['/api/session', undefined], ['/api/session/page', { pageId: '/' }], ['/session/page', { pageId: '/' }], ['/api/session/action', { action: 'look' }]] as const) {
    const refused = await service.post(path, body, { headers: { 'x-forwarded-for': '198.51.100.7' } })
    expectProblem(t, refused, 429, 'rate_limited', { what: path })
    t.notOk(refused.headers['set-cookie'])
    t.ok(Number(refused.headers['retry-after']) <= 3600)
  }
  t.equal((await guest.page('/next')).json.pageCount, 2, 'a visit that runs takes what it is told')
  t.equal((await guest.call('POST', '/api/session')).status, 200)
  t.equal((await service.post('/api/session', undefined, { from: '127.0.0.2' })).status, 201, 'another address is not concerned')
  const { accessToken: token } = await register(service)
  t.equal((await service.post('/api/session', undefined, { token })).status, 201, 'nor is a user')
  service.clock.advance(3_600_000)
  t.equal((await service.post('/api/session')).status, 201)
})

await t.test('a bad token is refused, never taken for a guest', async (t) => {
  const { accessToken } = await register(service)
  await service.post('/api/auth/logout', undefined, { token: accessToken })
  for (const [method, path, body] of [['POST', '/api/session'], ['GET', '/api/session'], ['DELETE', '/api/session'], ['POST', '/api/session/page', { pageId: '/' }], ['POST', '/api/session/action', { action: 'x' }], ['GET', '/api/preferences'], ['POST', '/api/preferences', { theme: 'dark' }]] as [string, string, object?][]) {
    t.equal((await service.call(path, { method, ...(body && { body }), token: 'x.y.z' })).json.code, 'token_invalid', `${method} ${path}`)
    const dead = await service.call(path, { method, ...(body && { body }), token: accessToken })
    t.equal(dead.json.code, 'session_revoked', `${method} ${path}`)
    t.notOk(dead.headers['set-cookie'])
  }
})
