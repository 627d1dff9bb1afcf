// Leases: one holder at a time, by the store's own clock; the embedded store's follows the injected one, a real MongoDB's
// is waited for.
import type { Db } from 'mongodb'
import t from 'tap'
import { createLeases } from '../../../src/job/lease.ts'
import { createStillClock } from '../../helper/clock.ts'
import { mongodbUri } from '../../helper/engines.ts'
import { until } from '../../helper/service.ts'
import { brokenConnection, openDb } from '../visit/visit-kit.ts'

const clock = createStillClock()
const db = await openDb(t, clock)
const [leases, elsewhere] = [createLeases(db), createLeases(db)]
const isEmbedded = mongodbUri === undefined
const embeddedOnly = { skip: !isEmbedded && 'its clock is the system\'s' }

/** Takers on two instances, at the same time. @returns those that got it */
async function takeAll (name: string, holders: readonly string[], ms: number): Promise<string[]> {
  const got = await Promise.all(holders.map(async (holder, i) => await (i % 2 === 0 ? leases : elsewhere).take(name, holder, ms) ? [holder] : []))
  return got.flat()
}

const untilOf = async (name: string): Promise<number> =>
  (await db.collection<{ _id: string, until: Date }>('leases').findOne({ _id: name }))?.until.getTime() ?? 0

const holders = Array.from({ length: 20 }, (_, i) => `holder-${i}`)

await t.test('of many takers one gets it, the first time and each time that it is free', async (t) => {
  for (let rounds = 0; rounds < 3; rounds++) {
    const [holder, ...others] = await takeAll('job', holders, 60_000)
    t.ok(holder)
    t.strictSame(others, [])
    t.notOk(await leases.take('job', holder as string, 60_000), 'its holder does not get it twice')
    t.ok(await elsewhere.hold('job', holder as string, 0), 'and gives it back')
  }
})

await t.test('each job has a lease of its own', async (t) => {
  t.ok(await leases.take('one', 'a', 60_000))
  t.ok(await leases.take('other', 'b', 60_000))
})

await t.test('it is free again after its time, for one', async (t) => {
  const begin = performance.now()
  t.ok(await leases.take('timed', 'a', 500))
  if (isEmbedded) {
    clock.advance(499)
    t.strictSame(await takeAll('timed', holders, 60_000), [], 'a millisecond before')
    clock.advance(1)
  }
  let got: string[] = []
  await until(async () => {
    got = await takeAll('timed', holders, 60_000)
    return got.length > 0
  }, 'it is free')
  t.equal(got.length, 1)
  if (!isEmbedded) t.ok(performance.now() - begin > 480, 'not before its time')
})

await t.test('holding moves the end: away, and to now', async (t) => {
  t.ok(await leases.take('moved', 'a', 10_000))
  const before = await untilOf('moved')
  t.ok(await elsewhere.hold('moved', 'a', 40_000))
  const moved = await untilOf('moved') - before
  t.ok(isEmbedded ? moved === 30_000 : moved >= 30_000 && moved < 40_000, `${moved} ms`)
  t.notOk(await leases.take('moved', 'b', 1000))
  t.ok(await leases.hold('moved', 'a', 0))
  t.ok(await leases.take('moved', 'b', 1000))
})

await t.test('what is held stands to its new end, and no longer', embeddedOnly, async (t) => {
  await leases.take('long', 'a', 1000)
  clock.advance(900)
  await leases.hold('long', 'a', 1000)
  clock.advance(999)
  t.notOk(await leases.take('long', 'b', 1000))
  clock.advance(1)
  t.ok(await leases.take('long', 'b', 1000))
})

await t.test('a lost lease is not held, nor one that nobody has', async (t) => {
  t.ok(await leases.take('lost', 'a', 0))
  t.ok(await elsewhere.take('lost', 'b', 60_000))
  const end = await untilOf('lost')
  t.notOk(await leases.hold('lost', 'a', 1))
  t.equal(await untilOf('lost'), end, 'the other\'s end stays where it is')
  t.notOk(await leases.hold('unknown', 'a', 60_000))
  t.ok(await elsewhere.take('unknown', 'b', 60_000), 'which makes none')
})

await t.test('a store that does not answer is nobody\'s lease', async (t) => {
  const fail = async (): Promise<never> => { throw brokenConnection() }
  const leasesOf = (collection: object) => createLeases({ collection: () => collection } as unknown as Db)
  await t.rejects(leasesOf({ updateOne: fail, findOneAndUpdate: fail }).take('job', 'a', 1000), { name: 'MongoNetworkError' })
  await t.rejects(leasesOf({ updateOne: async () => ({ matchedCount: 0 }), insertOne: fail }).take('job', 'a', 1000), { name: 'MongoNetworkError' })
})
