// Doors of preferences: a guest's in a signed cookie, a user's in the account (MISSION row 4, REQUIREMENTS F2, G5, G6).
import t from 'tap'
import { cookiesOf, login, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { visitorAt } from '../helper/visitors.ts'

const service = await startService(t)
const defaults = { theme: 'system', notifications: true, language: 'en' }

for (const who of ['guest', 'user'] as const) {
  const visitor = async () => visitorAt(service, who === 'user' ? { token: (await register(service)).accessToken } : {})

  await t.test(`a ${who} changes what is given and keeps the rest`, async (t) => {
    const one = await visitor()
    t.strictSame((await one.call('GET', '/api/preferences')).json, defaults)
    t.strictSame((await one.call('POST', '/api/preferences', { theme: 'dark' })).json, { ...defaults, theme: 'dark' })
    t.strictSame((await one.call('POST', '/api/preferences', { notifications: false })).json, { ...defaults, theme: 'dark', notifications: false })
    t.strictSame((await one.call('POST', '/preferences', { language: 'pt-br' })).json, { theme: 'dark', notifications: false, language: 'pt-BR' })
    t.strictSame((await one.call('GET', '/preferences')).json, { theme: 'dark', notifications: false, language: 'pt-BR' })
    t.strictSame((await one.call('POST', '/api/preferences', {})).json, { theme: 'dark', notifications: false, language: 'pt-BR' }, 'nothing is given, nothing changes')
  })

  await t.test(`G5 a ${who} can set nothing that is not there`, async (t) => {
    const one = await visitor()
    for (const body of [
      undefined, [], { theme: 'blue' }, { theme: null }, { notifications: 'yes' }, { notifications: 1 }, { language: '' }, { language: 'e' }, { language: 'en_US' }, { language: 'x'.repeat(65) }, { language: 'en--US' },
      { language: '-' }, { language: 'toolongtag' }, { language: 7 }, { unknown: 1 }, { theme: 'dark', unknown: 1 }, { preferences: {} }, { 'theme.x': 1 }
    ]) {
      const refused = await one.call('POST', '/api/preferences', body)
      t.equal(refused.status, 400, JSON.stringify(body))
      t.equal(refused.json.code, 'validation_failed')
      t.notOk(refused.headers['set-cookie'])
    }
    t.strictSame((await one.call('GET', '/api/preferences')).json, defaults)
    for (const language of ['de', 'zh-Hant-TW', 'sr-Latn-RS', 'es-419', 'de-CH-1996', 'en-u-ca-buddhist']) t.equal((await one.call('POST', '/api/preferences', { language })).json.language, language)
  })
}

await t.test('F2 a guest\'s are in a cookie alone, below 4096 bytes however long they are', async (t) => {
  const guest = visitorAt(service)
  const longest = `en-${Array.from({ length: 6 }, (_, i) => `variant${i}`).join('-')}`.slice(0, 64)
  const answer = await guest.call('POST', '/api/preferences', { theme: 'system', notifications: false, language: longest })
  t.equal(answer.status, 200)
  const [line] = answer.headers['set-cookie'] as string[]
  t.ok((line as string).length < 4096)
  t.match(cookiesOf(answer)['preferences'], { httponly: true, samesite: 'Lax', path: '/', 'max-age': String(400 * 86_400) })
  t.equal((await guest.call('GET', '/api/preferences')).json.language, answer.json.language)
})

await t.test('G6 a user\'s are in the account, never in a cookie, and show in the profile', async (t) => {
  const { accessToken: token, person } = await register(service)
  const answer = await service.post('/api/preferences', { theme: 'dark' }, { token })
  t.notOk(answer.headers['set-cookie'])
  t.equal((await service.get('/api/auth/profile', { token })).json.preferences.theme, 'dark')
  const other = await login(service, person)
  t.equal((await service.get('/api/preferences', { token: other.accessToken })).json.theme, 'dark', 'on another device')
  await service.post('/api/preferences', { theme: 'light' }, { token: other.accessToken })
  for (const path of ['/api/preferences', '/api/auth/profile']) {
    const { json } = await service.get(path, { token })
    t.equal((json.preferences ?? json).theme, 'light', `${path} is fresh at once`)
  }
  const stored = await service.db.collection('users').findOne({ usernameKey: person.username })
  t.strictSame(stored?.['preferences'], { theme: 'light' }, 'only what was chosen is stored')
})

await t.test('two devices that change different things at the same time both prevail', async (t) => {
  const { accessToken: token } = await register(service)
  for (let round = 0; round < 10; round++) {
    const theme = round % 2 ? 'dark' : 'light'
    const notifications = round % 2 === 0
    await Promise.all([service.post('/api/preferences', { theme }, { token }), service.post('/api/preferences', { notifications }, { token }), service.post('/api/preferences', { language: `en-${['US', 'GB'][round % 2]}` }, { token })])
    t.strictSame((await service.get('/api/preferences', { token })).json, { theme, notifications, language: `en-${['US', 'GB'][round % 2]}` })
  }
})

await t.test('G6 signed in, a guest\'s cookie is neither read nor written, and after the logout it is the guest\'s again', async (t) => {
  const browser = visitorAt(service)
  await browser.call('POST', '/api/preferences', { theme: 'dark', language: 'fr' })
  const { accessToken: token } = await register(service)
  const user = visitorAt(service, { token, jar: browser.jar })
  t.strictSame((await user.call('GET', '/api/preferences')).json, defaults)
  await user.call('POST', '/api/preferences', { theme: 'light' })
  t.strictSame((await browser.call('GET', '/api/preferences')).json, { ...defaults, theme: 'dark', language: 'fr' })
  await user.call('POST', '/api/auth/logout')
  t.strictSame((await browser.call('GET', '/api/preferences')).json, { ...defaults, theme: 'dark', language: 'fr' })
})
