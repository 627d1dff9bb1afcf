// Story: visits that nobody ends. The job finds them, on whichever instance, and each is archived exactly once, also when
// the process that began it is gone (MISSION row 7, REQUIREMENTS G1, G4).
import { Redis } from 'ioredis'
import t from 'tap'
import { realEngines, redisUrl } from '../helper/engines.ts'
import { register } from '../helper/people.ts'
import { createTestClock } from '../helper/clock.ts'
import { createDeployment, startService, until } from '../helper/service.ts'
import { archivedIn, visitorAt } from '../helper/visitors.ts'

const env = { VISIT_ARCHIVE_INTERVAL_SECONDS: '1' }

await t.test('G1 G4 idle visits of guests and users are archived as of when they were last seen', async (t) => {
  const service = await startService(t, { env })
  const user = visitorAt(service, { token: (await register(service)).accessToken })
  const guest = visitorAt(service)
  for (const visitor of [guest, user]) {
    await visitor.page('/a')
    service.clock.advance(20_000)
    await visitor.page('/b')
    await visitor.action('x')
  }
  const running = visitorAt(service)
  const ids = [(await guest.show()).json.id, (await user.show()).json.id]
  service.clock.advance(1_500_000)
  await running.page('/c')
  service.clock.advance(300_000)
  await until(async () => (await archivedIn(service)).length === 2, 'both are archived')
  for (const [i, id] of ids.entries()) {
    const [visit] = await archivedIn(service, { _id: id })
    t.match(visit, { pages: [{ pageId: '/a' }, { pageId: '/b' }], actions: [{ action: 'x' }], userId: i === 0 ? null : String })
    const lasted = (visit?.['endTime'] as Date).getTime() - (visit?.['startTime'] as Date).getTime()
    t.ok(lasted >= 20_000 && lasted < 25_000, `it lasted until it was last seen: ${lasted} ms`)
  }
  t.equal((await running.show()).json.pageCount, 1, 'the other goes on')
  t.ok(service.logs.some(({ job, archived }) => job === 'visit-archive' && Number(archived) > 0), 'the job says what it did')
  service.clock.advance(7_200_000)
  await until(async () => await service.db.collection('visitlog').countDocuments({}) === 0 && await service.db.collection('visits').countDocuments({ pending: true }) === 0, 'nothing is left of them beside the archive')
  await until(async () => (await archivedIn(service)).length === 3, 'the last one is archived as well')
  if (redisUrl === undefined) return
  const redis = new Redis(redisUrl)
  t.teardown(() => { redis.disconnect() })
  await until(async () => (await redis.keys(`${service.config.redisKeyPrefix}visit:*`)).filter((key) => !key.includes(':by:')).length === 0, 'nor in Redis')
})

await t.test('G4 one job archives, whichever of two instances has it, and the other takes over', { skip: !realEngines && 'needs two instances' }, async (t) => {
  const deployment = createDeployment(t)
  const clock = createTestClock()
  const [a, b] = [await startService(t, { deployment, env, clock }), await startService(t, { deployment, env, clock })]
  const guests = Array.from({ length: 30 }, () => visitorAt([a, b]))
  for (const guest of guests) await guest.page('/a')
  clock.advance(1_800_000)
  await until(async () => (await archivedIn(a)).length === 30, 'all are archived')
  await new Promise((resolve) => { setTimeout(resolve, 1200) }) // another turn of the job, on either
  t.equal((await archivedIn(a)).length, 30)
  const archived = [...a.logs, ...b.logs].filter(({ job }) => job === 'visit-archive').reduce((sum, line) => sum + Number(line['archived'] ?? 0), 0) // a run that breaks off says none
  t.equal(archived, 30, 'each by one of them')
  const late = visitorAt(b)
  await late.page('/late')
  await a.close()
  clock.advance(1_800_000)
  await until(async () => (await archivedIn(b)).length === 31, 'the other goes on with it')
})

await t.test('without Redis a service that closes in good order archives the guests that only it knows', async (t) => {
  const deployment = createDeployment(t, { mongodbUri: process.env['MONGODB_URI'] || undefined })
  const service = await startService(t, { deployment })
  const guest = visitorAt(service)
  await guest.page('/a')
  const { id } = (await guest.show()).json
  await service.app.close()
  t.match(await archivedIn(service, { _id: id }), [{ pages: [{ pageId: '/a' }], userId: null }])
})
