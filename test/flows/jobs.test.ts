// Story: the clean-up of a deployment. Two instances run it once an interval, the other goes on with it when one is gone;
// nothing live is ever taken out; a service that closes does not wait for it (MISSION row 15, REQUIREMENTS K4).
import t from 'tap'
import { randomBytes } from 'node:crypto'
import { createTestClock } from '../helper/clock.ts'
import { realEngines } from '../helper/engines.ts'
import { login, register } from '../helper/people.ts'
import { createDeployment, startService, until, type Service } from '../helper/service.ts'

const env = { CLEANUP_INTERVAL_SECONDS: '10' }
const hourMs = 3_600_000

/** Lines of the clean-up, as numbers of sessions that a run took out. */
const runsOf = ({ logs }: Service): number[] => logs.filter(({ job, sessions }) => job === 'clean-up' && sessions !== undefined).map(({ sessions }) => Number(sessions))

/** Sessions that ended so long ago. */
async function addEnded ({ db, clock }: Service, count: number, agoMs: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomBytes(16).toString('base64url'))
  const end = new Date(clock.wall() - agoMs)
  const documents = ids.map((_id) => ({ _id, userId: 'u', revokedAt: null, expiresAt: end, absoluteExpiresAt: end }))
  for (let from = 0; from < count; from += 100) await Promise.all(documents.slice(from, from + 100).map((document) => db.collection<{ _id: string }>('usersession').insertOne(document)))
  return ids
}

await t.test('what has been over for an hour is taken out and logged with its numbers; what lives is not', async (t) => {
  const service = await startService(t, { env })
  const { person, accessToken: token, sid } = await register(service)
  const ended = await login(service, person)
  await service.post('/api/auth/logout', undefined, { token: ended.accessToken })
  await addEnded(service, 3, hourMs + 1000)
  const young = await addEnded(service, 2, hourMs - 60_000)
  await until(() => runsOf(service).length > 0 && runsOf(service).reduce((sum, one) => sum + one) === 3, 'a run is over', 20_000)
  const line = service.logs.find(({ job, sessions }) => job === 'clean-up' && sessions === 3)
  t.match(line, { level: 30, sessions: 3, counted: Number, avatars: Number, longestBatchMs: Number })
  const left = await service.db.collection('usersession').find({}, { projection: { _id: 1 } }).toArray()
  t.strictSame(left.map(({ _id }) => String(_id)).sort(), [sid, ended.sid, ...young].sort())
  t.equal((await service.get('/api/protected', { token })).status, 200)
  t.equal((await service.post('/api/auth/refresh', { refreshToken: ended.refreshToken })).json.code, 'session_revoked', 'an ended one still says why')
})

await t.test('K4 of two instances one runs it in an interval, and when that one has closed the other does', { skip: !realEngines && 'needs two instances' }, async (t) => {
  const deployment = createDeployment(t)
  const clock = createTestClock()
  const pair = await Promise.all([startService(t, { deployment, env, clock }), startService(t, { deployment, env, clock })])
  const all = (): number[] => pair.flatMap(runsOf)
  await until(() => all().length === 1, 'the first run', 15_000)
  const begin = performance.now()
  await addEnded(pair[0], 700, hourMs)
  await until(() => all().length === 3, 'two more', 40_000)
  t.ok(performance.now() - begin > 17_000, `two runs take two intervals: ${Math.round(performance.now() - begin)} ms`)
  t.equal(all().reduce((sum, one) => sum + one), 700, 'each session by one of them')
  const last = pair.findIndex((service) => runsOf(service).length > 0)
  const [holder, other] = [pair[last], pair[1 - last]] as [Service, Service]
  await holder.close()
  const before = runsOf(other).length
  await until(() => runsOf(other).length > before, 'the other goes on', 25_000)
})

await t.test('a service that closes while its jobs have much to do is closed soon', async (t) => {
  const service = await startService(t, { env })
  await addEnded(service, 3000, hourMs)
  await until(async () => await service.db.collection('usersession').countDocuments({}) < 3000, 'the clean-up is at it', 20_000)
  const begin = performance.now()
  await service.app.close()
  const took = performance.now() - begin
  t.comment(`measured: closed in ${Math.round(took)} ms in the middle of a clean-up`)
  t.ok(took < 3000)
})
