// Story: two instances of one deployment. What one of them ends or rotates, the other knows.
import t from 'tap'
import { realEngines } from '../helper/engines.ts'
import { login, loginOf, register, tierOf } from '../helper/people.ts'
import { startPair, type Service } from '../helper/service.ts'

const skip = !realEngines && 'needs two instances on one MongoDB and Redis: set REDIS_URL and MONGODB_URI'

/** Asks until the answer is a refusal. @returns milliseconds since the call */
async function untilRefused (service: Service, token: string): Promise<number> {
  const begin = performance.now()
  for (;;) {
    if ((await service.get('/api/protected', { token })).status === 401) return performance.now() - begin
    if (performance.now() - begin > 5000) return Infinity
  }
}

await t.test('E1 a logout on one instance is felt by the other, which was answering from memory, within 50 ms at the 99th percentile', { skip }, async (t) => {
  const [a, b] = await startPair(t, { env: { SESSIONS_PER_USER: '1000' } })
  const { person } = await register(a)
  const lags: number[] = []
  let fromMemory = 0
  for (let round = 0; round < 200; round++) {
    const { accessToken } = await login(a, person)
    await b.get('/api/protected', { token: accessToken })
    if (tierOf(await b.get('/api/protected', { token: accessToken })) === 'memory') fromMemory++
    await a.post('/api/auth/logout', undefined, { token: accessToken })
    lags.push(await untilRefused(b, accessToken))
  }
  lags.sort((x, y) => x - y)
  t.equal(fromMemory, 200, 'the other instance was answering from memory each time')
  const p99 = lags[197] as number
  t.comment(`measured: revocation lag in ms: median ${lags[100]?.toFixed(1)}, p99 ${p99.toFixed(1)}, most ${lags[199]?.toFixed(1)}`)
  t.ok(p99 <= 50, `p99 is ${p99.toFixed(1)} ms`)
})

await t.test('E3 logout-all on one instance ends what the other was answering from memory', { skip }, async (t) => {
  const [a, b] = await startPair(t)
  const { person, ...first } = await register(a)
  const second = await login(b, person)
  await b.get('/api/protected', { token: first.accessToken })
  t.equal((await a.post('/api/auth/logout-all', undefined, { token: first.accessToken })).json.revoked, 2)
  for (const { accessToken } of [first, second]) t.ok(await untilRefused(b, accessToken) < 1000)
})

await t.test('D2 20 parallel refreshes of one token over two instances get the same successor', { skip }, async (t) => {
  const [a, b] = await startPair(t)
  const first = await register(a)
  let current = first.refreshToken
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? a : b).post('/api/auth/refresh', { refreshToken: current })))
    t.ok(answers.every((answer) => answer.status === 200), 'all are answered')
    const successors = new Set(answers.map((answer) => loginOf(answer).refreshToken))
    t.equal(successors.size, 1, 'with one successor')
    current = [...successors][0] as string
  }
  const record = await a.db.collection('usersession').findOne({ _id: first.sid as never })
  t.equal(record?.['generation'], 10, 'one rotation a round')
})

await t.test('D3 a spent refresh token used again after the grace ends its session and no other', { skip }, async (t) => {
  const [a, b] = await startPair(t)
  const { person, ...first } = await register(a)
  const other = await login(b, person)
  const successor = loginOf(await a.post('/api/auth/refresh', { refreshToken: first.refreshToken }))
  await b.get('/api/protected', { token: successor.accessToken })
  // eleven seconds ago by MongoDB's clock
  await a.db.collection('usersession').updateOne({ _id: first.sid as never }, { $set: { rotatedAt: new Date(Date.now() - 11_000) } })

  const reused = await b.post('/api/auth/refresh', { refreshToken: first.refreshToken })
  t.equal(reused.status, 401)
  t.equal(reused.json.code, 'refresh_token_reused')
  t.equal((await a.post('/api/auth/refresh', { refreshToken: successor.refreshToken })).json.code, 'session_revoked')
  for (const service of [a, b]) {
    t.ok(await untilRefused(service, successor.accessToken) < 1000)
    t.equal((await service.get('/api/protected', { token: other.accessToken })).status, 200, 'the other device stays signed in')
  }
  t.ok(b.logs.some((line) => line['event'] === 'refresh_token_reused' && line['userId'] === first.userId), 'it is logged as an event of security')
})
