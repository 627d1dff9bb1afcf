// Story: two hundred logins at once. Hashing takes every core that it gets, and the others are served as ever; what cannot be
// hashed in time is put off (REQUIREMENTS B11). A process of its own, so that this one's work is not taken for its.
import t from 'tap'
import { openClient } from '../helper/client-of.ts'
import { callHttp } from '../helper/http.ts'
import { register } from '../helper/people.ts'
import { startProcess } from '../helper/process.ts'
import { createDeployment } from '../helper/service.ts'
import { expectSoon } from '../helper/timing.ts'

await t.test('B11 two hundred logins at once: a profile is shown soon, and no login waits for more than ten seconds', { timeout: 180_000 }, async (t) => {
  const deployment = createDeployment(t)
  if (deployment.env['MONGODB_URI'] !== undefined) {
    const client = await openClient(t, deployment)
    t.teardown(async () => { await client.db(deployment.database).dropDatabase() })
  }
  const server = startProcess(t, { ...deployment.env, BCRYPT_COST: '12', LOGIN_LIMIT_PER_ADDRESS: '1000' })
  const origin = await server.origin
  const call: typeof server.call = (path, options) => callHttp(origin, path, options)
  const { person: { email, password }, accessToken: token } = await register({ call, get: call, post: (path, body, more) => call(path, { method: 'POST', body, ...more }) })

  await expectSoon(t, 'a profile beside 200 logins', 250, async () => {
    const over = new AbortController()
    const flood = Promise.all(Array.from({ length: 200 }, async (_, i) => await call('/api/auth/login', { method: 'POST', body: { email, password: i % 2 === 0 ? password : 'wrong' } })))
    flood.finally(() => { over.abort() }).catch(() => { /* told below */ })
    const times: number[] = []
    while (!over.signal.aborted || times.length < 100) {
      const answer = await call('/api/auth/profile', { token })
      t.equal(answer.status, 200)
      times.push(answer.ms)
    }
    const answers = await flood
    t.strictSame(answers.filter(({ status }) => ![200, 401, 429, 503].includes(status)).map(({ status, text }) => `${status} ${text}`), [])
    t.ok(answers.some(({ status }) => status === 429 || status === 503), 'what is too much is put off')
    const slowest = Math.max(...answers.map(({ ms }) => ms))
    t.ok(slowest < 10_000, `the slowest login took ${Math.round(slowest)} ms`)
    return times
  })
})
