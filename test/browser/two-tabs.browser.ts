// Story: two tabs of a real browser, in cookie mode, with the app of examples/browser-app as its reader starts it.
import t from 'tap'
import { pictureOf } from '../helper/pictures.ts'
import { callAtOnce, openTabs, registerIn, startApp, startBrowser, startSite } from './browser-kit.ts'

const browser = await startBrowser(t)
const app = await startApp(t)
const visible = '#sign-in:visible, #signed-in:visible'

await t.test('who signs in in one tab is signed in in the other, and no script can read a token', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const [one, two] = [await tabs.open(), await tabs.open()]
  const { username } = await registerIn(one)
  await two.reload()
  await two.locator('#signed-in').waitFor()
  t.equal(await two.textContent('#name'), username)
  t.match(await two.textContent('#devices'), /Chrom[^]*\(this one\)/)
  const cookies = await tabs.context.cookies()
  t.match(cookies.filter(({ name }) => /Token$/.test(name)), [{ httpOnly: true, sameSite: 'Strict' }, { httpOnly: true, sameSite: 'Strict' }])
  const secrets = cookies.map(({ value }) => value)
  for (const tab of [one, two]) {
    const readable = await tab.evaluate<string>('JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML])')
    t.notOk(secrets.some((secret) => readable.includes(secret)))
    t.notMatch(readable, /eyJ|rt1\.|Token/)
  }
  t.strictSame(tabs.complaints, [])
})

await t.test('fifty calls of two tabs through an expiry are all answered, after exactly one refresh', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const one = await tabs.open()
  await registerIn(one)
  const two = await tabs.open()
  for (let round = 1; round <= 10; round++) {
    await app.advance(16)
    const answers = await Promise.all([callAtOnce(one, 25), callAtOnce(two, 25)])
    t.strictSame([...new Set(answers.flat())], [200])
    t.equal(tabs.refreshes(), round, `expiry ${round}`)
  }
  await app.advance(16)
  t.equal(await one.evaluate('latchkey.fetch("/api/protected").then(({ status }) => status)'), 200, 'a call by a path, as pages write it')
  t.equal(tabs.refreshes(), 11)
})

await t.test('a picture is sent whole again after the refresh', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const one = await tabs.open()
  await registerIn(one)
  await app.advance(16)
  const picture = (await pictureOf('png', 700, 700)).toString('base64') // 1.4 MB, which no socket swallows at once
  t.equal(await one.evaluate(`(async () => {
    const form = new FormData()
    form.set('avatar', new Blob([Uint8Array.from(atob('${picture}'), (letter) => letter.charCodeAt(0))], { type: 'image/png' }), 'me.png')
    return (await latchkey.fetch('/api/auth/profile/avatar', { method: 'POST', body: form })).status
  })()`), 201)
  t.equal(tabs.refreshes(), 1)
  t.ok(await one.evaluate(`(async () => {
    const { data } = await latchkey.api.GET('/api/auth/profile')
    const image = new Image()
    image.src = data.avatarUrl
    await image.decode()
    return image.naturalWidth > 0
  })()`), 'and the page can show it')
})

await t.test('a tab that is closed in the middle of a refresh leaves the other one signed in', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const one = await tabs.open()
  await registerIn(one)
  const two = await tabs.open()
  await app.advance(16)
  const asked = one.waitForRequest('**/api/auth/refresh')
  void callAtOnce(one, 5).catch(() => { /* its tab is gone */ })
  await asked
  await one.close()
  t.strictSame(await callAtOnce(two, 5), [200, 200, 200, 200, 200])
})

await t.test('a sign-out in one tab signs the other one out at its next call, without a refresh', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const one = await tabs.open()
  const person = await registerIn(one)
  const two = await tabs.open()
  await one.click('#sign-out')
  await one.locator('#sign-in').waitFor()
  await two.click('#reload')
  await two.locator('#sign-in').waitFor()
  t.match(await two.textContent('#message'), 'Please sign in again')
  t.equal(tabs.refreshes(), 0)
  t.strictSame((await tabs.context.cookies()).filter(({ name }) => /Token$/.test(name)), [])

  await two.fill('[name=email]', person.email)
  await two.fill('[name=password]', person.password)
  await two.click('[name=login]')
  await two.locator('#signed-in').waitFor()
  t.strictSame(await callAtOnce(one, 1), [200], 'and in again')
})

await t.test('a device that is ended from another one signs out with session_revoked, in all of its tabs, without a refresh', async (t) => {
  const [laptop, phone] = [await openTabs(t, browser, app), await openTabs(t, browser, app)]
  const [one, two] = [await laptop.open(), await laptop.open()]
  const person = await registerIn(one)
  const other = await phone.open()
  await other.fill('[name=email]', person.email)
  await other.fill('[name=password]', person.password)
  await other.click('[name=login]')
  await other.locator('#signed-in').waitFor()
  t.equal(await other.evaluate('latchkey.api.DELETE("/api/auth/sessions").then(({ data }) => data.revoked)'), 1)
  await one.click('#reload')
  await one.locator('#sign-in').waitFor()
  t.equal(await one.textContent('#message'), 'Please sign in again (session_revoked).')
  t.equal(laptop.refreshes(), 0)
  await two.reload()
  await two.locator(visible).first().waitFor()
  t.ok(await two.isVisible('#sign-in'))
  t.equal(laptop.refreshes(), 0)
  t.strictSame(await callAtOnce(other, 1), [200])
})

await t.test('a page that the browser had kept shows a sign-out that came meanwhile', async (t) => {
  const tabs = await openTabs(t, browser, app)
  const one = await tabs.open()
  await registerIn(one)
  const two = await tabs.open()
  let shown: (url: string) => void = () => { /* replaced at once */ }
  const shows = new Promise<string>((resolve) => { shown = resolve })
  const elsewhere = await startSite(t, ({ url = '' }, response) => {
    if (url.startsWith('/shows')) shown(url)
    response.setHeader('content-type', 'text/html').end('<title>elsewhere</title>')
  })
  // the page tells it itself: what drives the browser loses sight of a page that comes back
  await two.evaluate(`addEventListener('pageshow', ({ persisted }) => {
    setInterval(() => { if (!document.getElementById('sign-in').hidden) new Image().src = '${elsewhere}/shows?kept=' + persisted }, 50)
  })`)
  await two.goto(elsewhere)
  await one.click('#sign-out')
  await one.locator('#sign-in').waitFor()
  await two.goBack({ waitUntil: 'commit' })
  t.equal(await shows, '/shows?kept=true')
})
