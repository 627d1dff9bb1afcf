// TTL indexes: documents go when their time has come, by the clock that was handed in.
import t from 'tap'
import { createStillClock } from '../../helper/clock.ts'
import { openStore } from './helper.ts'

await t.test('a document goes at its date plus the seconds of the index, not before', async (t) => {
  const clock = createStillClock()
  const { client, items } = await openStore(null, { clock })
  t.teardown(() => client.close())
  await items.createIndex({ at: 1 }, { expireAfterSeconds: 60 })
  const now = clock.wall()
  await items.insertOne({ _id: 'due', at: new Date(now) })
  await items.insertOne({ _id: 'later', at: new Date(now + 1) })
  await items.insertOne({ _id: 'never' })
  await items.insertOne({ _id: 'no date', any: 5 })
  clock.advance(59_999)
  t.equal(await client.expire(), 0)
  clock.advance(1)
  t.equal(await client.expire(), 1)
  t.equal(await items.findOne({ _id: 'due' }), null)
  clock.advance(1)
  t.equal(await client.expire(), 1)
  t.equal(await items.countDocuments(), 2)
})

await t.test('what expired is gone from the indexes and from the file', async (t) => {
  const dir = t.testdir()
  const { client, items } = await openStore(dir)
  await items.createIndexes([{ key: { at: 1 }, expireAfterSeconds: 0 }, { key: { key: 1 }, unique: true }])
  await items.insertOne({ _id: 'a', at: new Date(0), key: 'k' })
  t.equal(await client.expire(), 1)
  await items.insertOne({ _id: 'b', key: 'k' })
  await client.close()
  const again = await openStore(dir)
  t.teardown(() => again.client.close())
  t.strictSame(await again.items.find().toArray(), [{ _id: 'b', key: 'k' }])
})

await t.test('a sweep of many documents lets others have their turn and misses none', async (t) => {
  const { client, items } = await openStore(null)
  t.teardown(() => client.close())
  await items.createIndex({ at: 1 }, { expireAfterSeconds: 0 })
  await items.bulkWrite(Array.from({ length: 5000 }, (_, i) => ({ insertOne: { document: { _id: `i${i}`, at: new Date(i % 2 === 0 ? 0 : '2040-01-01') } } })))
  const sweep = { turns: 0, over: false }
  const others = (async () => {
    for (; !sweep.over; sweep.turns += 1) await new Promise((resolve) => setImmediate(resolve))
  })()
  t.equal(await client.expire(), 2500)
  sweep.over = true
  await others
  t.ok(sweep.turns >= 5, `${sweep.turns} turns`)
  t.equal(await items.countDocuments(), 2500)
})

await t.test('a timer sweeps every minute and keeps no process alive', async (t) => {
  const timers: { sweep: () => void, ms: number, unref: boolean, cleared: boolean }[] = []
  const setInterval = (sweep: () => void, ms: number) => {
    const timer = { sweep, ms, unref: false, cleared: false }
    timers.push(timer)
    return { unref () { timer.unref = true; return timer } }
  }
  t.intercept(globalThis, 'setInterval', { value: setInterval })
  t.intercept(globalThis, 'clearInterval', { value: (timer: { cleared: boolean }) => { timer.cleared = true } })
  const { client, items } = await openStore(null)
  const [timer] = timers
  t.match(timers, [{ ms: 60_000, unref: true }])
  await items.createIndex({ at: 1 }, { expireAfterSeconds: 0 })
  await items.insertOne({ _id: 'a', at: new Date(0) })
  timer?.sweep()
  while (await items.countDocuments() > 0) await new Promise((resolve) => setImmediate(resolve))
  await client.close()
  t.equal(timer?.cleared, true)
})
