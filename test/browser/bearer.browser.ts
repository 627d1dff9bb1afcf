// Story: tokens in localStorage, which all tabs share: for apps that want them there. One refresh for all tabs here too.
import type { Page } from 'playwright-core'
import t from 'tap'
import { newPerson } from '../helper/people.ts'
import { until } from '../helper/service.ts'
import { callAtOnce, openTabs, startApp, startBrowser, type Tabs } from './browser-kit.ts'

const browser = await startBrowser(t)
const app = await startApp(t)
const client = 'window.bearer'

/** A tab with a client that keeps its tokens in localStorage. */
async function open (tabs: Tabs): Promise<Page> {
  const tab = await tabs.open()
  await tab.evaluate(`import('latchkey/client').then(({ createLatchkeyClient, inStorage }) => {
    window.ends = []
    window.bearer = createLatchkeyClient({ baseUrl: '/', store: inStorage(localStorage), onSignedOut: (code) => { window.ends.push(code) } })
  })`)
  return tab
}

/** @param other is in the same browser, and sees what is stored as soon as that has brought it over */
async function register (tab: Page, other?: Page): Promise<void> {
  t.equal(await tab.evaluate(`window.bearer.register(${JSON.stringify(newPerson())}).then(({ response }) => response.status)`), 201)
  if (other !== undefined) await until(async () => await other.evaluate('localStorage.length') === 1, 'the other tab sees it')
}

await t.test('fifty calls of two tabs through an expiry are all answered, after exactly one refresh', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const [one, two] = [await open(tabs), await open(tabs)]
  await register(one, two)
  t.strictSame(await callAtOnce(two, 1, client), [200], 'the other tab is signed in')
  for (let round = 1; round <= 10; round++) {
    await app.advance(16)
    const answers = await Promise.all([callAtOnce(one, 25, client), callAtOnce(two, 25, client)])
    t.strictSame([...new Set(answers.flat())], [200])
    t.equal(tabs.refreshes(), round, `expiry ${round}`)
  }
})

await t.test('a sign-out in one tab is told in the other at its next call, without a refresh', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const [one, two] = [await open(tabs), await open(tabs)]
  await register(one, two)
  t.strictSame(await callAtOnce(two, 1, client), [200])
  t.equal(await one.evaluate('window.bearer.signOut().then(({ data }) => data.revoked)'), 1)
  t.strictSame(await callAtOnce(two, 2, client), [401, 401])
  t.strictSame(await two.evaluate('window.ends'), ['token_missing'])
  t.equal(tabs.refreshes(), 0)
})

await t.test('a tab that is closed before it could keep the fresh tokens leaves the other one signed in', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const [one, two] = [await open(tabs), await open(tabs)]
  await register(one, two)
  await app.advance(16)
  const asked = one.waitForRequest('**/api/auth/refresh')
  void callAtOnce(one, 5, client).catch(() => { /* its tab is gone */ })
  await asked
  await one.close()
  t.strictSame(await callAtOnce(two, 5, client), [200, 200, 200, 200, 200])
})

await t.test('a storage that is full does not keep anybody out', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const tab = await open(tabs)
  await tab.evaluate('for (let size = 2 ** 22; size >= 1; size /= 2) try { for (let i = 0; ; i++) localStorage.setItem("ballast " + size + " " + i, "x".repeat(size)) } catch {}')
  await register(tab)
  await app.advance(16)
  t.strictSame(await callAtOnce(tab, 5, client), [200, 200, 200, 200, 200])
  t.equal(tabs.refreshes(), 1)
  await tab.evaluate('localStorage.clear()')
  await app.advance(16)
  t.strictSame(await callAtOnce(tab, 5, client), [200, 200, 200, 200, 200])
  t.strictSame(await tab.evaluate('Object.keys(localStorage)'), ['latchkey'], 'and is used again when it has room')
})
