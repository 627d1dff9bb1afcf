// Story: several workers behind one port. Each of them answers, and what one has acknowledged the other one knows; their
// numbers are shown together; what they would have to share and cannot keeps them from starting.
import t from 'tap'
import { readMetrics, type Metrics } from '../helper/metrics.ts'
import { newPerson, register } from '../helper/people.ts'
import { startProcess } from '../helper/process.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { testSecret, until, type Caller } from '../helper/service.ts'
import { startWorkers, withoutWorkers } from '../helper/workers.ts'

const secrets = () => ({ ACCESS_TOKEN_SECRET: testSecret(), REFRESH_TOKEN_SECRET: testSecret(), SESSION_SECRET: testSecret() })

/** Waits for an answer that a message between the workers brings. */
const feels = async (one: Caller, path: string, token: string, holds: (answer: Awaited<ReturnType<Caller['get']>>) => boolean): Promise<void> => {
  await until(async () => holds(await one.get(path, { token })), 'the other worker knows', 1000)
}

for (const [without, env] of [['an embedded store', {}], ['copies in memory', { MONGODB_URI: 'mongodb://127.0.0.1:1/x', ...secrets() }], ['an embedded store beside Redis', { REDIS_URL: 'redis://127.0.0.1:1', ...secrets() }]] as const) {
  await t.test(`with ${without} more than one worker is refused, in a line that says what is needed`, async (t) => {
    const server = startProcess(t, { DATA_DIR: scratchFolder(t), WORKERS: '2', ...env })
    t.strictSame(await server.ended, { code: 1, signal: null })
    t.match(server.printed(), /^The configuration cannot be used:\n {2}- WORKERS above 1 needs MONGODB_URI and REDIS_URL: .*\n$/)
  })
}

await t.test('a process that is one of several already starts none of its own', async (t) => {
  const server = startProcess(t, { WORKERS: '2', MONGODB_URI: 'mongodb://127.0.0.1:1/x', REDIS_URL: 'redis://127.0.0.1:1', ...secrets(), NODE_UNIQUE_ID: '1' }) // as node:cluster marks it
  t.strictSame(await server.ended, { code: 1, signal: null })
  t.match(server.printed(), /^The configuration cannot be used:\n {2}- WORKERS must be 1 in a process .*\n$/)
})

await t.test('each worker answers, in log lines with its number; the start is said once', { skip: withoutWorkers }, async (t) => {
  const server = await startWorkers(t, { LOG_LEVEL: 'debug' })
  for (const number of [1, 2]) {
    const one = await server.connectionTo(number)
    const requestId = `asked-of-${number}`
    t.equal((await one.get('/api/protected', { headers: { 'x-request-id': requestId } })).status, 401)
    await until(() => server.logs().some(({ reqId, worker }) => reqId === requestId && worker === number), 'the line')
  }
  for (const line of [/Latchkey \d/g, /API +http/g, /Workers +2 /g]) t.equal(server.printed().match(line)?.length, 1, String(line))
  t.strictSame(server.logs().filter(({ msg }) => String(msg).startsWith('listening')).map(({ worker }) => worker), [1, 2])
  t.equal(new Set([server.pidOf(1), server.pidOf(2), server.child.pid]).size, 3)
})

await t.test('a logout, a new password and a new name at one worker are felt at the other', { skip: withoutWorkers }, async (t) => {
  const server = await startWorkers(t)
  const [first, second] = [await server.connectionTo(1), await server.connectionTo(2)]
  for (const [a, b] of [[first, second], [second, first]] as const) {
    const { person, accessToken } = await register(a)
    const sessions = await Promise.all([1, 2].map(async () => (await a.post('/api/auth/login', { email: person.email, password: person.password })).json.accessToken as string))
    const [ended, kept] = sessions as [string, string]
    for (const token of [accessToken, ended, kept]) t.equal((await b.get('/api/protected', { token })).status, 200)

    t.equal((await a.post('/api/auth/logout', undefined, { token: ended })).status, 200)
    await feels(b, '/api/protected', ended, ({ status, json }) => status === 401 && json.code === 'session_revoked')
    t.equal((await a.call('/api/auth/profile', { method: 'PUT', body: { fullName: 'Ada Two' }, token: kept })).status, 200)
    await feels(b, '/api/auth/profile', kept, ({ json }) => json.fullName === 'Ada Two')
    const change = { currentPassword: person.password, newPassword: newPerson().password }
    t.equal((await a.call('/api/auth/profile/password', { method: 'PUT', body: change, token: kept })).status, 200)
    for (const token of [accessToken, kept]) await feels(b, '/api/protected', token, ({ status }) => status === 401)
  }
})

await t.test('threads for passwords and places to wait for them are divided among the workers', { skip: withoutWorkers }, async (t) => {
  const server = await startWorkers(t, { BCRYPT_CONCURRENCY: '2', BCRYPT_QUEUE: '2', BCRYPT_COST: '13' })
  const statuses = await Promise.all([1, 1, 1, 2].map(async (number) => (await (await server.connectionTo(number)).post('/api/auth/register', newPerson())).status))
  t.strictSame(statuses.sort(), [201, 201, 201, 503], 'a thread and a place at each')
})

await t.test('a scrape shows every worker, whoever is asked, and no counter ever goes down', { skip: withoutWorkers }, async (t) => {
  const server = await startWorkers(t)
  const [first, second] = [await server.connectionTo(1), await server.connectionTo(2)]
  const { accessToken: token } = await register(first)
  let before = new Map<string, number>()
  for (let round = 1; round <= 4; round++) {
    for (let check = 0; check < round; check++) await first.get('/api/protected', { token })
    await second.get('/api/protected', { token })
    for (const asked of [first, second, server]) {
      const metrics = await readMetrics(asked)
      const now = countersOf(metrics)
      const fallen = [...before].filter(([series, value]) => (now.get(series) ?? -1) < value)
      t.strictSame(fallen, [], `${now.size} counters`)
      before = now
      const checks = [1, 2].map((number) => ['memory', 'redis'].reduce((sum, tier) => sum + (metrics.value('latchkey_checks_total', { worker: String(number), tier, result: 'ok' }) ?? NaN), 0))
      t.strictSame(checks, [round * (round + 1) / 2, round])
      for (const name of ['process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds', 'latchkey_active_sessions']) {
        t.strictSame(metrics.samples.filter((sample) => sample.name === name).map(({ labels }) => labels['worker']).sort(), ['1', '2'], name)
      }
      const helps = [...metrics.answer.text.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name)
      t.equal(helps.length, new Set(helps).size, 'each metric is one group')
    }
  }
})

/** Every number that may only grow, by its name and labels. */
function countersOf ({ samples, families }: Metrics): Map<string, number> {
  const grows = ({ name }: { name: string }): boolean => families.get(name)?.type === 'counter' || families.get(name.replace(/_(bucket|sum|count)$/, ''))?.type === 'histogram'
  return new Map(samples.filter(grows).map(({ name, labels, value }) => [`${name} ${JSON.stringify(labels)}`, value]))
}
