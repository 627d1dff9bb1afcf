// Story: what pages of other origins can do with the cookies of a real browser: nothing. And what a redirect takes along: no token.
import t from 'tap'
import { callAtOnce, openTabs, registerIn, startApp, startBrowser, startSite } from './browser-kit.ts'

const browser = await startBrowser(t)
const app = await startApp(t)
const page = await startSite(t, (_request, response) => { response.setHeader('content-type', 'text/html').end('<title>another origin</title>') })

for (const [what, address] of Object.entries({ 'another port, which is the same site': page, 'another host, which is another site': page.replace('127.0.0.1', 'localhost') })) {
  await t.test(`${what}: it can neither refresh, sign out nor read`, async (t) => {
    const tabs = await openTabs(t, browser, app)
    const mine = await tabs.open()
    await registerIn(mine)
    const before = await tabs.context.cookies(app.origin)
    const theirs = await tabs.context.newPage()
    await theirs.goto(address)
    tabs.answered.length = 0
    for (const path of ['refresh', 'logout', 'logout-all']) {
      const url = `${app.origin}/api/auth/${path}`
      t.equal(await theirs.evaluate(`fetch('${url}', { method: 'POST', credentials: 'include' }).then(({ status }) => status, () => 'refused')`), 'refused', path)
      t.equal(await theirs.evaluate(`fetch('${url}', { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json' }, body: '{}' }).then(({ status }) => status, () => 'refused')`), 'refused', `${path}, with JSON`)
      t.equal(await theirs.evaluate(`fetch('${url}', { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}' }).then(({ type }) => type, () => 'refused')`), 'refused', `${path}, and unread`)
      await theirs.evaluate(`(() => {
        const form = Object.assign(document.createElement('form'), { method: 'post', action: '${url}' })
        document.body.append(form)
        form.submit()
      })()`)
      await theirs.waitForURL(url)
      t.match(await theirs.textContent('body'), /csrf_rejected/, `${path}, as a form`)
      await theirs.goto(address)
    }
    const reached = tabs.answered.filter((line) => line.startsWith('POST'))
    t.ok(reached.length >= 3, 'the forms reached it')
    for (const line of reached) t.match(line, / 403$/)
    t.equal(await theirs.evaluate(`fetch('${app.origin}/api/auth/profile', { credentials: 'include' }).then(() => 'read', () => 'refused')`), 'refused')

    t.strictSame(await tabs.context.cookies(app.origin), before, 'the cookies are what they were')
    t.strictSame(await callAtOnce(mine, 1), [200])
    await app.advance(16)
    t.strictSame(await callAtOnce(mine, 2), [200, 200], 'and so is the session')
  })
}

await t.test('a redirect takes neither a token nor a password to another origin', async (t) => {
  const seen: { path: string, authorization: string | undefined }[] = []
  const open = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*, authorization', 'access-control-allow-methods': '*' }
  const thief = await startSite(t, (request, response) => {
    if (request.method !== 'OPTIONS') seen.push({ path: request.url as string, authorization: request.headers.authorization })
    response.writeHead(200, open).end('{}')
  })
  let asked = 0
  const bent = await startSite(t, (request, response) => {
    if (request.method === 'OPTIONS') return response.writeHead(204, open).end()
    if (request.headers.authorization !== undefined) asked++
    response.writeHead(307, { ...open, location: thief + (request.url as string) }).end()
  })
  const tabs = await openTabs(t, browser, app)
  const tab = await tabs.open()
  const { email, password } = await registerIn(tab)
  t.equal(await tab.evaluate(`(async () => {
    const { createLatchkeyClient } = await import('latchkey/client')
    const client = createLatchkeyClient({ baseUrl: '/', origins: ['${bent}'] })
    const { error } = await client.signIn({ email: '${email}', password: '${password}' })
    if (error) return error.code
    return (await client.fetch('${bent}/orders')).status
  })()`), 200)
  t.equal(asked, 1, 'the named origin was sent the token')
  t.strictSame(seen, [{ path: '/orders', authorization: undefined }], 'and where it led to was not')
  seen.length = 0
  t.equal(await tab.evaluate(`(async () => {
    const { createLatchkeyClient } = await import('latchkey/client')
    const client = createLatchkeyClient({ baseUrl: '${bent}', retries: 0 })
    return await client.signIn({ email: '${email}', password: '${password}' }).then(() => 'sent', ({ name }) => name)
  })()`), 'TypeError')
  t.strictSame(seen, [], 'a password is not sent on')
})
