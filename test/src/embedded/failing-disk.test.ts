// A disk that is full or broken: nothing is promised that is not kept, nothing stays that was not promised.
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { isDuplicateKey, isStoreFault } from '../../../src/errors.ts'
import { createTestDisk, openStore, type Step } from './helper.ts'

async function openOnTestDisk (t: Test) {
  const dir = t.testdir()
  const disk = createTestDisk()
  const store = await openStore(dir, { disk })
  await store.items.createIndex({ key: 1 }, { unique: true })
  await store.items.createIndex({ n: 1 })
  await store.items.insertOne({ _id: 'a', key: 'ka', n: 1 })
  await store.items.insertOne({ _id: 'b', key: 'kb', n: 1 })
  const reopened = async () => {
    await store.client.close()
    const again = await openStore(dir)
    t.teardown(() => again.client.close())
    return await again.items.find().toArray()
  }
  return { ...store, disk, reopened, before: await store.items.find().toArray() }
}

async function rejectedAsFault (t: Test, writes: Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(writes)) {
    t.equal(outcome.status, 'rejected')
    if (outcome.status === 'rejected') t.ok(isStoreFault(outcome.reason) && outcome.reason.code === 14031, String(outcome.reason))
  }
}

for (const steps of [['write'], ['datasync'], ['write', 'truncate']] as Step[][]) {
  await t.test(`writes that the disk refuses (${steps.join(' and ')}) leave nothing behind, in memory or in the file`, async (t) => {
    const { items, disk, file, before, reopened } = await openOnTestDisk(t)
    const bytes = readFileSync(file)
    disk.fail(steps)
    await rejectedAsFault(t, [
      items.insertOne({ _id: 'c', key: 'kc' }),
      items.updateOne({ _id: 'a' }, { $set: { key: 'new', n: 2 } }),
      items.updateOne({ _id: 'a' }, { $inc: { n: 5 } }),
      items.insertOne({ _id: 'd', key: 'ka' }),
      items.deleteOne({ _id: 'b' }),
      items.bulkWrite([{ insertOne: { document: { _id: 'b', key: 'kb2' } } }, { updateOne: { filter: { _id: 'b' }, update: { $inc: { n: 1 } } } }])
    ])
    t.strictSame(new Set(await items.find().toArray()), new Set(before))
    t.equal(await items.countDocuments({ n: 1 }), 2, 'the indexes know')
    if (!steps.includes('truncate')) t.strictSame(readFileSync(file), bytes)

    disk.fail([])
    await t.rejects(items.insertOne({ _id: 'x', key: 'kb' }), { code: 11000 }, 'the key of the document that was not deleted is still taken')
    await items.insertOne({ _id: 'c', key: 'kc' })
    t.strictSame(await reopened(), [...before, { _id: 'c', key: 'kc' }])
  })
}

await t.test('writes that came while others were failing go with them, because they saw them', async (t) => {
  const { items, disk, before, reopened } = await openOnTestDisk(t)
  const held = disk.hold('datasync')
  disk.fail(['datasync'])
  const first = items.updateOne({ _id: 'a' }, { $set: { n: 2 } })
  first.catch(() => disk.fail([])) // the next sync would succeed
  const go = await held
  const writes = [
    first,
    items.updateOne({ _id: 'a', n: 2 }, { $set: { n: 3 } }),
    items.findOneAndUpdate({ _id: 'a', n: 1 }, { $set: { n: 4 } }), // finds nothing, for it is 3 now
    items.insertOne({ _id: 'a2', key: 'kb' }) // a duplicate, as things stand
  ]
  go()
  await rejectedAsFault(t, writes)
  t.strictSame(await reopened(), before)
})

await t.test('a write that finds nothing to do answers only when what it saw is durable', async (t) => {
  const { items, disk } = await openOnTestDisk(t)
  const order: string[] = []
  const held = disk.hold('datasync')
  const winner = items.findOneAndUpdate({ _id: 'a', n: 1 }, { $inc: { n: 1 } }).then(() => order.push('winner'))
  const go = await held
  const others = [
    items.findOneAndUpdate({ _id: 'a', n: 1 }, { $inc: { n: 1 } }).then((found) => order.push(`loser ${found}`)),
    items.insertOne({ _id: 'a' }).catch((error) => order.push(`duplicate ${isDuplicateKey(error)}`))
  ]
  await items.findOne({ _id: 'a' }) // reads do not wait
  order.push('go')
  go()
  await Promise.all([winner, ...others])
  t.strictSame(order, ['go', 'winner', 'loser null', 'duplicate true'])
})

await t.test('many writes share one sync', async (t) => {
  const { items, disk } = await openOnTestDisk(t)
  let syncs = 0
  disk.before = (step) => { if (step === 'datasync') syncs += 1 }
  await Promise.all(Array.from({ length: 100 }, (_, i) => items.insertOne({ _id: `many${i}`, key: `many${i}` })))
  t.equal(syncs, 1)
})

await t.test('a write that the disk takes bit by bit is written whole', async (t) => {
  const { items, disk, before, reopened } = await openOnTestDisk(t)
  disk.bytesAtOnce = 7
  await items.insertOne({ _id: 'c', text: 'longer than seven' })
  t.strictSame(await reopened(), [...before, { _id: 'c', text: 'longer than seven' }])
})

for (const step of ['open', 'write', 'sync', 'rename', 'syncFolder'] as Step[]) {
  await t.test(`a collection whose file cannot be made (${step}) takes its first write when it can`, async (t) => {
    const dir = t.testdir()
    const disk = createTestDisk()
    const { client, items } = await openStore(dir, { disk })
    disk.fail([step])
    await rejectedAsFault(t, [items.insertOne({ _id: 'a' })])
    t.equal(await items.countDocuments(), 0)
    disk.fail([])
    await items.insertOne({ _id: 'a' })
    await client.close()
    const again = await openStore(dir)
    t.teardown(() => again.client.close())
    t.strictSame(await again.items.find().toArray(), [{ _id: 'a' }])
    t.strictSame(again.messages, [])
  })
}

await t.test('a store that cannot be closed properly keeps what it acknowledged', async (t) => {
  const { disk, before, messages, reopened } = await openOnTestDisk(t)
  disk.fail(['write'])
  t.strictSame(await reopened(), before)
  t.match(messages, [/closed without a last mark/])
})
