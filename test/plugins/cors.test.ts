// Socket `security`, CORS: a list of origins and never a reflection (REQUIREMENTS F6). What is not on the list gets no
// word of CORS at all; a request with a bearer token is answered from everywhere.
import t from 'tap'
import type { Answer } from '../helper/http.ts'
import { login, register } from '../helper/people.ts'
import { startService, type Service } from '../helper/service.ts'
import { expectProblem } from './expect-problem.ts'

const app = 'https://app.example.com'
const closed = await startService(t)
const open = await startService(t, { env: { CORS_ORIGINS: `${app}, https://other.example.com:8443` } })
const paths = ['/livez', '/api/protected', '/api/auth/login', '/nothing']
const foreign = ['https://evil.example', 'null', `${app}.evil.example`, 'http://app.example.com', `${app}:444`, `${app}/`, 'https://APP.example.com', '*', 'https://other.example.com']

const preflight = async (service: Service, path: string, origin: string): Promise<Answer> => await service.call(path, {
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,authorization' }
})

/** Headers that would open an answer to another origin. */
const opening = ({ headers }: Answer): string[] => Object.keys(headers).filter((name) => ['access-control-allow-origin', 'access-control-allow-credentials'].includes(name))

/** What of the service an origin gets opened, in words. */
async function openedTo (service: Service, origin: string): Promise<string[]> {
  const headers = { origin }
  const opened: string[] = []
  for (const path of paths) {
    for (const [what, answer] of Object.entries({ GET: await service.get(path, { headers }), POST: await service.post(path, {}, { headers }), preflight: await preflight(service, path, origin) })) {
      opened.push(...opening(answer).map((name) => `${what} ${path} for ${origin}: ${name}`))
    }
  }
  return opened
}

await t.test('F6 without a list no origin is let in', async (t) => {
  for (const origin of [app, 'https://evil.example', 'null', closed.origin]) t.strictSame(await openedTo(closed, origin), [], origin)
})

await t.test('F6 with a list, an origin that is not on it gets nothing, credentials included', async (t) => {
  for (const origin of foreign) t.strictSame(await openedTo(open, origin), [], origin)
  for (const path of paths) t.strictSame(opening(await open.get(path)), [], `no origin at ${path}`)
})

await t.test('an origin on the list may call with cookies and read answers and refusals', async (t) => {
  for (const origin of [app, 'https://other.example.com:8443']) {
    for (const path of paths) {
      const answer = await open.get(path, { headers: { origin } })
      t.equal(answer.headers['access-control-allow-origin'], origin, `${path}: itself, never *`)
      t.equal(answer.headers['access-control-allow-credentials'], 'true')
      t.match(answer.headers['vary'], /\bOrigin\b/, 'caches keep origins apart')
      for (const name of ['www-authenticate', 'retry-after', 'server-timing', 'x-request-id']) t.match(answer.headers['access-control-expose-headers'], new RegExp(`\\b${name}\\b`))
    }
  }
})

await t.test('an origin on the list gets its preflight', async (t) => {
  for (const path of paths.slice(0, 3)) {
    const answer = await preflight(open, path, app)
    t.equal(answer.status, 204, path)
    t.equal(answer.headers['access-control-allow-origin'], app)
    t.match(answer.headers['access-control-allow-methods'], /\bPOST\b.*\bPUT\b.*\bDELETE\b/)
    t.match(answer.headers['access-control-allow-headers'], /authorization/)
    t.equal(answer.text, '')
  }
})

await t.test('OPTIONS that is no preflight is answered as without a list: what there is, or a problem', async (t) => {
  const answer = await open.call('/api/auth/login', { method: 'OPTIONS' })
  t.equal(answer.status, 204)
  t.equal(answer.headers['allow'], 'POST, OPTIONS')
  expectProblem(t, await open.call('/nothing', { method: 'OPTIONS' }), 404, 'not_found')
})

await t.test('F6 a bearer token is answered from everywhere, and read by nobody who may not', async (t) => {
  for (const service of [closed, open]) {
    const { person } = await register(service)
    for (const origin of ['https://evil.example', 'null']) {
      const { accessToken } = await login(service, person)
      const headers = { origin, 'sec-fetch-site': 'cross-site' }
      const read = await service.get('/api/protected', { token: accessToken, headers })
      t.equal(read.status, 200)
      t.strictSame(opening(read), [])
      const changed = await service.post('/api/auth/logout', {}, { token: accessToken, headers })
      t.equal(changed.status, 200)
      t.strictSame(opening(changed), [])
    }
  }
})
