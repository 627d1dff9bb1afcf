// The documentation page in a real browser: all of it is there, under the security headers that the service sends.
import t from 'tap'
import { openTabs, startApp, startBrowser } from './browser-kit.ts'

const browser = await startBrowser(t)
const app = await startApp(t)

await t.test('/docs renders every operation without an error, a refused resource or a violation of its policy', async (t) => {
  const { context, answered } = await openTabs(t, browser, app)
  const complaints: string[] = []
  context.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()) })
  context.on('weberror', (error) => { complaints.push(String(error.error())) })
  context.on('requestfailed', (request) => { complaints.push(`${request.url()}: ${request.failure()?.errorText ?? ''}`) })
  await context.addInitScript('addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => { console.error("policy", violatedDirective, blockedURI) })')
  const page = await context.newPage()
  const { headers } = { headers: (await page.goto(`${app.origin}/docs`))?.headers() ?? {} }
  t.match(headers['content-security-policy'], /default-src 'none'/)
  await page.locator('.opblock').first().waitFor()
  const { paths } = await (await fetch(`${app.origin}/openapi.json`)).json() as { paths: Record<string, object> }
  const operations = Object.values(paths).flatMap((path) => Object.keys(path)).length
  t.equal(await page.locator('.opblock').count(), operations)

  const login = page.locator('.opblock', { hasText: 'Sign in' }).filter({ hasText: '/api/auth/login' })
  await login.locator('.opblock-summary-control').click()
  await login.locator('.try-out__btn').click()
  await login.locator('textarea').fill('{"email":"nobody@example.com","password":"not the password"}')
  await login.locator('.execute').click()
  await login.locator('.live-responses-table .response-col_status', { hasText: '401' }).waitFor()
  t.ok(answered.includes('POST /api/auth/login 401'), 'and an operation can be tried from it')
  t.strictSame(complaints.filter((line) => !/401 \(Unauthorized\)/.test(line)), [])
  t.strictSame(answered.filter((line) => /[45]\d\d$/.test(line)), ['POST /api/auth/login 401'])
})
