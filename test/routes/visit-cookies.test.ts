// The signed cookies of visitors: only what this service wrote counts, for the purpose and under the name it was written
// for (REQUIREMENTS F1 to F4, F7).
import t from 'tap'
import { cookiesOf } from '../helper/people.ts'
import { createDeployment, startService, testSecret } from '../helper/service.ts'
import { visitorAt } from '../helper/visitors.ts'

const service = await startService(t)

await t.test('F3 a tampered, truncated, swapped or oversized cookie is as good as none', async (t) => {
  const guest = visitorAt(service)
  await guest.page('/mine')
  await guest.call('POST', '/api/preferences', { theme: 'dark' })
  const [visit, preferences] = [guest.jar.get('visit') as string, guest.jar.get('preferences') as string]
  const spoilt = (text: string) => [
    text.slice(0, -1), text.slice(1), `${text}x`, text.replace('v1.', 'v2.'), text.toUpperCase(), '', '.', 'v1..', `v1.${text}`,
    text.slice(0, text.lastIndexOf('.') + 1), text.slice(0, text.lastIndexOf('.')), `${text}${'x'.repeat(5000)}`,
    ...Array.from({ length: text.length }, (_, i) => `${text.slice(0, i)}${text[i] === 'A' ? 'B' : 'A'}${text.slice(i + 1)}`).filter((other) => other !== text)
  ]
  for (const text of [...spoilt(visit), preferences]) {
    const answer = await service.get('/api/session', { headers: { cookie: `visit=${text}` } })
    t.equal(answer.status, 404, text.slice(0, 90))
    t.notOk(answer.headers['set-cookie'], 'nothing is set or cleared')
  }
  for (const text of [...spoilt(preferences), visit]) {
    const answer = await service.get('/api/preferences', { headers: { cookie: `preferences=${text}` } })
    t.equal(answer.status, 200)
    t.equal(answer.json.theme, 'system', text.slice(0, 90))
  }
  const swapped = await service.post('/api/session/page', { pageId: '/other' }, { headers: { cookie: `visit=${preferences}` } })
  t.equal(swapped.status, 201)
  t.equal(swapped.json.pageCount, 1, 'a visit of its own')
  t.strictSame((await guest.show()).json.pagesVisited, ['/mine'])
})

await t.test('F7 an id that the client made up is never adopted', async (t) => {
  const guest = visitorAt(service)
  const own = (await guest.call('POST', '/api/session')).json.id
  for (const cookie of [`visit=${'A'.repeat(22)}.${'B'.repeat(32)}`, `visit=v1.${own}.${'B'.repeat(32)}.${'C'.repeat(43)}`, 'visit=__proto__']) {
    const opened = await service.post('/api/session', undefined, { headers: { cookie } })
    t.equal(opened.status, 201)
    t.not(opened.json.id, own)
    t.notOk(String(cookiesOf(opened)['visit']?.['value']).includes('B'.repeat(32)))
  }
})

await t.test('F4 another site can change nothing with a visitor\'s cookies', async (t) => {
  const guest = visitorAt(service)
  await guest.page('/mine')
  const hostile = [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]
  for (const headers of hostile) {
    for (const [method, path, body] of [['POST', '/api/session', undefined], ['DELETE', '/api/session', undefined], ['POST', '/api/session/page', { pageId: '/evil' }], ['POST', '/api/session/action', { action: 'evil' }], ['POST', '/api/preferences', { theme: 'dark' }]] as const) {
      const answer = await guest.call(method, path, body, { headers })
      t.equal(answer.json.code, 'csrf_rejected', `${method} ${path}`)
      t.notOk(answer.headers['set-cookie'])
    }
  }
  t.match((await guest.show()).json, { pagesVisited: ['/mine'], actionCount: 0 })
})

await t.test('F1 with secure cookies they belong to the host alone, behind a proxy that ends TLS too', async (t) => {
  const secure = await startService(t, { env: { COOKIE_SECURE: 'on' } })
  const opened = await secure.post('/api/session')
  const noted = await secure.post('/api/session/page', { pageId: '/' })
  const chosen = await secure.post('/api/preferences', { theme: 'dark' })
  for (const [answer, name] of [[opened, '__Host-visit'], [noted, '__Host-visit'], [chosen, '__Host-preferences']] as const) {
    const cookie = cookiesOf(answer)[name]
    t.match(cookie, { secure: true, httponly: true, samesite: 'Lax', path: '/' }, name)
    t.notOk(cookie?.['domain'])
  }
  const headers = { cookie: `__Host-visit=${String(cookiesOf(opened)['__Host-visit']?.['value'])}` }
  t.equal((await secure.get('/api/session', { headers })).json.id, opened.json.id)
  const closed = await secure.call('/api/session', { method: 'DELETE', headers })
  t.match(cookiesOf(closed)['__Host-visit'], { secure: true, httponly: true, path: '/', 'max-age': '0' })
  t.equal((closed.headers['set-cookie'] ?? []).length, 1)
})

await t.test('a new key signs, the old one still verifies, and a cookie that is used gets the new signature', async (t) => {
  const deployment = createDeployment(t)
  const [oldKey, newKey] = [testSecret(), testSecret()]
  const before = await startService(t, { deployment, env: { SESSION_SECRET: `old:${oldKey}` } })
  const guest = visitorAt(before)
  await guest.page('/a')
  await guest.call('POST', '/api/preferences', { theme: 'dark' })
  const kept = new Map(guest.jar)
  if (before.config.redis === undefined) return t.end() // visits of this process end with it
  const after = await startService(t, { deployment, env: { SESSION_SECRET: `new:${newKey},old:${oldKey}` } })
  for (const renew of [(one: typeof guest) => one.page('/b'), (one: typeof guest) => one.call('POST', '/api/session')]) {
    const same = visitorAt(after, { jar: new Map(kept) })
    t.equal((await same.show()).status, 200)
    t.not((await renew(same)).headers['set-cookie'], undefined)
    t.not(same.jar.get('visit'), kept.get('visit'))
    t.equal((await same.show()).status, 200)
    t.equal((await same.call('GET', '/api/preferences')).json.theme, 'dark')
  }
  const without = await startService(t, { deployment, env: { SESSION_SECRET: `new:${newKey}` } })
  t.equal((await visitorAt(without, { jar: new Map(kept) }).show()).status, 404)
})
