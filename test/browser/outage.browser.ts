// Story: a service that cannot answer is no sign-out in a real browser: the page keeps its session, and goes on when it can.
import t from 'tap'
import { callAtOnce, openTabs, registerIn, startApp, startBrowser } from './browser-kit.ts'

const browser = await startBrowser(t)
const app = await startApp(t)

await t.test('503: the page waits, keeps its session and recovers by itself when the service is back in time', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const tab = await tabs.open()
  const { username } = await registerIn(tab)
  await app.advance(16)
  await app.out(true)
  const refused = tab.waitForResponse((response) => response.status() === 503)
  const calls = callAtOnce(tab, 10)
  await refused
  await app.out(false)
  t.strictSame([...new Set(await calls)], [200])
  t.equal(await tab.textContent('#name'), username)
})

await t.test('503 for longer than anybody waits: said, and not taken for a sign-out', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const tab = await tabs.open()
  const { username } = await registerIn(tab)
  const cookies = await tabs.context.cookies()
  await app.advance(16)
  await app.out(true)
  await tab.click('#reload')
  await tab.locator('#message', { hasText: 'cannot answer' }).waitFor()
  t.ok(await tab.isVisible('#signed-in'))
  t.equal(await tab.textContent('#name'), username)
  t.strictSame(await tabs.context.cookies(), cookies)
  await app.out(false)
  const devices = tab.waitForResponse((response) => response.url().endsWith('/api/auth/sessions'))
  await tab.click('#reload')
  t.equal((await devices).status(), 200)
  t.ok(await tab.isVisible('#signed-in'))
  t.equal(await tab.textContent('#message'), '')
  t.strictSame(tabs.complaints, [])
})

await t.test('nobody at the address: said, and not taken for a sign-out; a new process goes on where the old one was', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const tab = await tabs.open()
  const { username } = await registerIn(tab)
  await app.kill()
  await tab.click('#reload')
  await tab.locator('#message', { hasText: 'cannot be reached' }).waitFor()
  t.equal(await tab.textContent('#name'), username)
  await app.start()
  await app.advance(16)
  await tab.click('#reload')
  await tab.locator('#message', { hasText: /^$/ }).waitFor({ state: 'attached' })
  t.ok(await tab.isVisible('#signed-in'))
  t.strictSame(await callAtOnce(tab, 1), [200])
  t.strictSame(tabs.complaints, [])
})
