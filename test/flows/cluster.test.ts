// Story: Redis is a cluster of three. Keys spread over its nodes, every script stays in one slot, revocations reach every
// instance through whatever node it listens on, and the loss of a node logs nobody out.
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { mongodbUri } from '../helper/engines.ts'
import { startOwnEngine, withoutOwnEngines, type OwnEngine } from '../helper/own-engines.ts'
import { login, register, tierOf } from '../helper/people.ts'
import { createDeployment, startPair, until, type Service } from '../helper/service.ts'
import { visitorAt } from '../helper/visitors.ts'

/** Three masters that share the slots. */
async function startCluster (t: Test): Promise<OwnEngine[]> {
  const engines = await Promise.all([0, 1, 2].map(() => startOwnEngine(t, 'redis', { REDIS_OPTIONS: '--cluster-enabled yes' })))
  const admins = engines.map(({ url }) => new Redis(url))
  const ports = engines.map(({ url }) => Number(new URL(url).port))
  const bounds = [0, 5461, 10923, 16384]
  for (const [i, admin] of admins.entries()) {
    await admin.call('CLUSTER', ['ADDSLOTSRANGE', String(bounds[i]), String((bounds[i + 1] as number) - 1)])
    for (const port of ports) await admin.call('CLUSTER', ['MEET', '127.0.0.1', String(port)])
  }
  await until(async () => (await Promise.all(admins.map((admin) => admin.call('CLUSTER', ['INFO'])))).every((info) => String(info).includes('cluster_state:ok')), 'the cluster stands', 20_000)
  for (const admin of admins) admin.disconnect()
  return engines
}

await t.test('the whole story on a Redis Cluster', { skip: withoutOwnEngines, timeout: 240_000 }, async (t) => {
  const engines = await startCluster(t)
  const nodes = engines.map(({ url }) => new URL(url).host).join(',')
  const deployment = createDeployment(t, { mongodbUri })
  const pair = await startPair(t, { deployment, env: { REDIS_CLUSTER_NODES: nodes, SESSIONS_PER_USER: '100' } })
  const [a, b] = pair
  const { person, ...first } = await register(a)
  const all = [first]
  for (let i = 0; i < 11; i++) all.push({ ...first, ...await login(a, person) })
  for (const { accessToken } of all) t.equal(tierOf(await b.get('/api/protected', { token: accessToken })), 'redis', 'what one instance wrote the other reads')

  for (const { accessToken } of all.slice(0, 4)) {
    await a.post('/api/auth/logout', undefined, { token: accessToken })
    await until(async () => (await b.get('/api/protected', { token: accessToken })).status === 401, 'felt by the other', 1000)
  }

  await engines[0]?.kill()
  for (const { accessToken } of all.slice(4)) {
    for (const service of pair) {
      const answer = await service.get('/api/protected', { token: accessToken })
      t.equal(answer.status, 200, 'a lost node logs nobody out')
      t.ok(answer.ms < 1500, `${Math.round(answer.ms)} ms`)
    }
  }
  for (const { accessToken } of all.slice(0, 4)) {
    for (const service of pair) t.equal((await service.get('/api/protected', { token: accessToken })).status, 401, 'and lets nobody in')
  }

  // the library tries a transaction again and again behind our back; a rejection that nobody hears would end a host's process
  const visits = await Promise.all(Array.from({ length: 30 }, async (_, n) => await visitorAt(pair[n % 2] as Service).call('POST', '/api/session')))
  t.ok(visits.every(({ status }) => status === 201 || status === 503), 'a guest whose node is lost is put off')
  t.ok(visits.some(({ status }) => status === 201), 'others are not')
})
