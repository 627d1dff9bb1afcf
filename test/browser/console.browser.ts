// Story: the console in a real browser (MISSION row 36): two devices of one account, a guest who signs in, the tiers that answer; under
// the policy that the service sends, and with hostile text shown as text.
import type { BrowserContext, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { newPerson, type Person } from '../helper/people.ts'
import { until } from '../helper/service.ts'
import { startApp, startBrowser } from './browser-kit.ts'

const browser = await startBrowser(t)
const app = await startApp(t)

interface Desk { context: BrowserContext, page: Page, complaints: string[] }

/** A browser of its own with the console open, when it has found out who is there. */
async function openConsole (t: Test, like: Parameters<typeof browser.newContext>[0] = {}): Promise<Desk> {
  const context = await browser.newContext(like)
  t.teardown(() => context.close())
  const complaints: string[] = []
  context.on('console', (message) => { if (['error', 'warning'].includes(message.type()) && !/status of 40[14]/.test(message.text())) complaints.push(message.text()) })
  context.on('weberror', (error) => { complaints.push(String(error.error())) })
  await context.addInitScript('addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => { console.error("policy", violatedDirective, blockedURI) })')
  const page = await context.newPage()
  await page.goto(`${app.origin}/console`)
  await page.locator('#visits:visible').waitFor()
  return { context, page, complaints }
}

const said = async (page: Page, text: RegExp): Promise<void> => { await page.locator('#notice', { hasText: text }).waitFor() }

async function register (page: Page, { fullName = '', ...person }: Person & { fullName?: string } = newPerson()): Promise<Person> {
  await page.click('#register summary')
  for (const [name, value] of Object.entries({ ...person, fullName })) await page.fill(`#register-form [name=${name}]`, value)
  await page.click('#register-form button')
  await said(page, /Welcome, /)
  return person
}

async function signIn (page: Page, login: string, password: string): Promise<void> {
  await page.fill('[name=login]', login)
  await page.fill('#sign-in-form [name=password]', password)
  await page.click('#sign-in-form button')
}

await t.test('two devices: each is listed, one ends the other, and that one is told at its next check', async (t) => {
  const [desk, phone] = [await openConsole(t), await openConsole(t, { viewport: { width: 390, height: 800 } })]
  const person = await register(desk.page)
  await signIn(phone.page, person.username, `${person.password}x`)
  await said(phone.page, /invalid_credentials/)
  t.ok(await phone.page.locator('#sign-in').isVisible())
  await signIn(phone.page, person.email, person.password)
  await said(phone.page, /Welcome back/)
  t.equal(await phone.page.locator('#device-list li').count(), 2)
  t.equal(await phone.page.locator('#device-list .badge').count(), 1, 'one is this device')

  await desk.page.reload()
  await desk.page.locator('#device-list li').nth(1).waitFor()
  await desk.page.locator('#device-list li', { hasNotText: 'this device' }).getByRole('button').click()
  await said(desk.page, /is signed out\./)
  t.equal(await desk.page.locator('#device-list li').count(), 1)
  await phone.page.click('#ask')
  await said(phone.page, /This session was ended/)
  t.ok(await phone.page.locator('#sign-in').isVisible())
  t.notOk(await phone.page.locator('#devices').isVisible())

  await signIn(phone.page, person.username, person.password)
  await said(phone.page, /Welcome back/)
  await phone.page.click('#end-all')
  await said(phone.page, /Signed out on 2 devices/)
  await desk.page.click('#ask')
  await said(desk.page, /This session was ended/)
  t.strictSame([...desk.complaints, ...phone.complaints], [])
})

await t.test('two tabs of one browser are of one mind, and an end that is found out by loading the page is told in its words', async (t) => {
  const { page, context, complaints } = await openConsole(t)
  const person = await register(page)
  const tab = await context.newPage()
  await tab.goto(`${app.origin}/console`)
  await tab.locator('#devices:visible').waitFor()
  await page.fill('[name=pageId]', '/mine')
  await page.click('#page-form button')
  await page.locator('#running .timeline li').waitFor()
  await tab.click('#sign-out')
  await said(tab, /Signed out\./)
  await page.locator('#sign-in:visible').waitFor()
  t.notOk(await page.locator('#devices, #who').filter({ visible: true }).count(), 'nothing of whoever was here is left')
  await page.locator('#running', { hasText: 'None.' }).waitFor()
  t.equal(await page.locator('#device-list li, #archived details, #running details').count(), 0)

  await signIn(tab, person.username, person.password)
  await said(tab, /Welcome back/)
  await page.locator('#devices:visible').waitFor()
  await context.clearCookies()
  await page.click('#sign-out')
  await said(page, /Signed out\./)

  await signIn(page, person.username, person.password)
  await said(page, /Welcome back/)
  const elsewhere = await openConsole(t)
  await signIn(elsewhere.page, person.username, person.password)
  await said(elsewhere.page, /Welcome back/)
  await elsewhere.page.click('#end-others')
  await said(elsewhere.page, /2 other devices are signed out/) // with the one whose cookies were lost
  await page.reload()
  await said(page, /This session was ended/)
  t.ok(await page.locator('#sign-in').isVisible())
  await page.locator('#visits:visible').waitFor()
  t.strictSame(complaints, [])
})

await t.test('preferences that are changed quickly after each other are all kept, a guest\'s too', async (t) => {
  const { page } = await openConsole(t)
  const kept = async (): Promise<unknown> => await page.evaluate("fetch('/api/preferences').then((answer) => answer.json())")
  await page.selectOption('[name=theme]', 'dark')
  await page.uncheck('[name=notifications]')
  await page.fill('[name=language]', 'pt-br')
  await page.press('[name=language]', 'Tab')
  await until(async () => await page.inputValue('[name=language]') === 'pt-BR', 'it is spelled as it should be')
  t.strictSame(await kept(), { theme: 'dark', notifications: false, language: 'pt-BR' })
})

await t.test('a session goes on through an expiry of the access token, and after the page is loaded anew', async (t) => {
  const { page } = await openConsole(t)
  await register(page)
  await app.advance(16)
  await page.click('#ask')
  await page.locator('#answer-rows tr', { hasText: '/api/auth/refresh' }).waitFor()
  await page.reload()
  await page.locator('#devices:visible').waitFor()
  await page.click('#sign-out')
  await said(page, /Signed out\./)
  t.ok(await page.locator('#sign-in').isVisible())
})

await t.test('which tier answered: each check is counted, and shown with its status', async (t) => {
  const { page, complaints } = await openConsole(t)
  t.match(await page.textContent('#answer-rows tr'), /GET \/api\/\S+ *40[14] *none named/)
  t.equal(await page.textContent('#tier-memory'), '0')
  await register(page)
  const before = Number.parseInt(await page.textContent('#tier-memory') ?? '')
  await page.click('#ask')
  await page.locator('#ask[aria-busy=false]').waitFor()
  t.equal(Number.parseInt(await page.textContent('#tier-memory') ?? ''), before + 25)
  t.equal(await page.locator('#answer-rows tr').count(), 12)
  t.match(await page.locator('#answer-rows tr').first().textContent(), /GET \/api\/protected *200 *memory/)
  t.ok((await page.locator('#tiers rect.memory').boundingBox())?.width)
  await page.check('#ask-on')
  await page.locator('#tier-memory', { hasText: new RegExp(`^${before + 27},`) }).waitFor()
  t.strictSame(complaints, [])
})

await t.test('a guest\'s preferences and visit come along; the time line has pages and actions in order, running and over', async (t) => {
  const { page, complaints } = await openConsole(t)
  await page.selectOption('[name=theme]', 'dark')
  await said(page, /Kept/)
  t.equal(await page.getAttribute('html', 'data-theme'), 'dark')
  for (const pageId of ['/', '/products/1']) {
    await page.fill('[name=pageId]', pageId)
    await page.click('#page-form button')
    await said(page, /Noted/)
  }
  await register(page)
  t.equal(await page.inputValue('[name=theme]'), 'dark')
  await page.click('#action-form button')
  await said(page, /1 action in this visit/)
  await page.locator('#running .timeline li').nth(2).waitFor()
  t.strictSame(await page.locator('#running .timeline li').evaluateAll((items: { className: string, lastChild: { textContent: string } }[]) => items.map(({ className, lastChild }) => [className, lastChild.textContent])), [
    ['page', '/'], ['page', '/products/1'], ['action', 'add_to_cart product-42']
  ])
  for (const time of await page.locator('#running .timeline time').allTextContents()) t.match(time, /^\+\d+:\d\d/)

  await page.fill('[name=language]', 'de')
  await page.press('[name=language]', 'Tab')
  await page.locator('#running summary time', { hasText: /^\d\d\.\d\d\.\d{4}/ }).waitFor()
  await page.fill('[name=language]', 'no language')
  await page.press('[name=language]', 'Tab')
  await said(page, /validation_failed/)

  await page.locator('#running details summary').click()
  await page.click('#action-form button')
  await said(page, /2 actions in this visit/)
  t.notOk(await page.locator('#running details').evaluate((details: { open: boolean }) => details.open), 'a time line that was closed stays closed')
  await page.click('#end-visit')
  await said(page, /The visit is over/)
  t.equal(await page.locator('#running details').count(), 0)
  await page.click('#archived summary')
  await page.locator('#archived .timeline li').nth(3).waitFor()
  t.strictSame(complaints.filter((line) => !/status of 400/.test(line)), [])
})

await t.test('text of others is text; no script of the page can see a token; a part that is not there has no panel', async (t) => {
  const { page, context, complaints } = await openConsole(t)
  const hostile = '<img src=x onerror="window.hurt = true"><b>"\'&'
  const person = { ...newPerson(), fullName: hostile }
  await register(page, person)
  t.equal(await page.textContent('#name'), hostile)
  await page.fill('[name=pageId]', hostile)
  await page.click('#page-form button')
  await page.locator('#running .timeline li').waitFor()
  t.match(await page.textContent('#running .timeline li'), hostile)
  t.equal(await page.evaluate('window.hurt'), undefined)
  t.equal(await page.evaluate('document.cookie'), '')
  t.notMatch(JSON.stringify(await page.evaluate('({ ...localStorage, ...sessionStorage })')), /ey[A-Za-z0-9_-]{10}|rt1\./)
  t.ok((await context.cookies()).every(({ httpOnly }) => httpOnly))
  t.strictSame(complaints, [])
  await t.rejects(page.evaluate('document.body.innerHTML = "<b>x</b>"'), /TrustedHTML/, 'the policy is in force')

  const chosen = await context.newPage()
  await chosen.route('**/console', async (route) => {
    const answer = await route.fetch()
    await route.fulfill({ response: answer, body: (await answer.text()).replace('auth visits preferences console', 'auth console').replace('data-docs="on"', 'data-docs="off"') })
  })
  await chosen.goto(`${app.origin}/console`)
  await chosen.locator('#devices:visible').waitFor()
  for (const id of ['#preferences', '#visits', '#docs-link']) t.notOk(await chosen.locator(id).isVisible(), id)
})

await t.test('a service that cannot be reached is said, nobody is signed out, and it goes on when it is back', async (t) => {
  const { page } = await openConsole(t)
  await register(page)
  await app.kill()
  await page.click('#ask')
  await said(page, /cannot be reached/)
  t.ok(await page.locator('#devices').isVisible())
  await app.start()
  await page.click('#ask')
  await page.locator('#notice', { hasText: /^$/ }).waitFor({ state: 'attached' })
  await page.locator('#answer-rows tr').first().filter({ hasText: '200' }).waitFor()
  t.ok(await page.locator('#devices').isVisible())
})
