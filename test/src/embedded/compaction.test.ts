// A log that has grown far beyond its documents is written anew, while everybody goes on reading and writing.
import { cpSync, existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import type { Collection } from 'mongodb'
import { createTestDisk, openStore, type Item, type Step } from './helper.ts'

const text = 'x'.repeat(200_000)

async function openOnTestDisk (t: Test) {
  const dir = join(t.testdir(), 'data')
  const disk = createTestDisk()
  const store = await openStore(dir, { disk })
  await store.items.insertOne({ _id: 'a', text })
  await store.items.insertOne({ _id: 'b' })
  await store.items.insertOne({ _id: 'c' })
  const reopened = async () => {
    await store.client.close()
    const again = await openStore(dir)
    t.teardown(() => again.client.close())
    t.strictSame(again.messages, [])
    return await again.items.find().sort({ _id: 1 }).toArray()
  }
  return { ...store, dir, disk, reopened }
}

/** Five megabytes of log about one document, of which the last may come when the file has been replaced. */
async function bloat (items: Collection<Item>): Promise<void> {
  for (let n = 1; n <= 25; n++) await items.updateOne({ _id: 'a' }, { $set: { n } })
}

const isSmall = (file: string) => statSync(file).size < 10 * text.length

async function until (holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

await t.test('the file shrinks to what it holds', async (t) => {
  const { items, file, reopened } = await openOnTestDisk(t)
  await bloat(items)
  await until(() => isSmall(file))
  t.equal(statSync(file).mode & 0o777, 0o600)
  await items.insertOne({ _id: 'd' })
  t.strictSame(await reopened(), [{ _id: 'a', text, n: 25 }, { _id: 'b' }, { _id: 'c' }, { _id: 'd' }])
  t.notOk(existsSync(`${file}.tmp`))
})

await t.test('nothing is lost that is written while it runs', async (t) => {
  const { items, disk, file, reopened } = await openOnTestDisk(t)
  const held = disk.hold('datasync', '.tmp') // the documents are in the new file, which is not yet in place
  await bloat(items)
  const go = await held
  await items.updateOne({ _id: 'a' }, { $set: { n: 100 } })
  await items.insertOne({ _id: 'd' })
  await items.deleteOne({ _id: 'b' })
  await items.insertOne({ _id: 'e' })
  await items.deleteOne({ _id: 'e' })
  const placing = disk.hold('rename', '.tmp')
  go()
  const place = await placing
  const last = Promise.all([items.updateOne({ _id: 'd' }, { $set: { n: 1 } }), items.deleteOne({ _id: 'c' })])
  place()
  await last
  t.ok(isSmall(file), 'the new file is in use')
  t.strictSame(await reopened(), [{ _id: 'a', text, n: 100 }, { _id: 'd', n: 1 }])
})

await t.test('it lets others have their turn', async (t) => {
  const { items, disk } = await openOnTestDisk(t)
  const { insertedCount } = await items.bulkWrite(Array.from({ length: 2000 }, (_, i) => ({ insertOne: { document: { _id: `i${i}`, text: 'y'.repeat(1000) } } })))
  t.equal(insertedCount, 2000)
  let pieces = 0
  disk.before = (step, path) => { if (step === 'write' && path.endsWith('.tmp')) pieces += 1 }
  const held = disk.hold('datasync', '.tmp')
  await bloat(items)
  ;(await held)()
  t.ok(pieces >= 8, `${pieces} pieces`)
})

await t.test('a write that was on its way when it began, and failed, is in neither file', async (t) => {
  const { items, disk, file, messages, reopened } = await openOnTestDisk(t)
  for (let n = 1; n <= 19; n++) await items.updateOne({ _id: 'a' }, { $set: { n } })
  const held = disk.hold('datasync')
  const last = items.updateOne({ _id: 'a' }, { $set: { n: 20 } }) // with this one the file is long enough
  const go = await held
  const never = items.insertOne({ _id: 'never' })
  disk.before = (step, path) => { if (step === 'datasync' && path === file) disk.fail(['datasync'], file) }
  go()
  await last
  await t.rejects(never, { code: 14031 })
  disk.before = () => {}
  disk.fail([])
  await until(() => messages.length > 0)
  t.match(messages, [`${file}: could not be compacted, goes on growing (`])
  t.strictSame((await reopened()).map(({ _id }) => _id), ['a', 'b', 'c'])
})

await t.test('a write that fails while it runs ends it', async (t) => {
  const { items, disk, file, messages, reopened } = await openOnTestDisk(t)
  const held = disk.hold('datasync', '.tmp')
  await bloat(items)
  const go = await held
  disk.fail(['datasync'], file)
  await t.rejects(items.deleteOne({ _id: 'b' }), { code: 14031 })
  disk.fail([])
  go()
  await until(() => messages.length > 0)
  t.strictSame((await reopened()).map(({ _id }) => _id), ['a', 'b', 'c'])
})

for (const step of ['open', 'write', 'datasync', 'sync', 'rename'] as Step[]) {
  await t.test(`a disk that refuses the new file (${step}) costs nothing but the space`, async (t) => {
    const { items, disk, file, messages, reopened } = await openOnTestDisk(t)
    disk.fail([step], '.tmp')
    await bloat(items)
    await until(() => messages.length > 0)
    t.match(messages, [`${file}: could not be compacted, goes on growing (ENOSPC`])
    t.notOk(existsSync(`${file}.tmp`))
    await items.insertOne({ _id: 'd' })
    t.equal(messages.length, 1, 'it is not tried again with every write')
    t.strictSame((await reopened()).map(({ _id, n }) => [_id, n]), [['a', 25], ['b', undefined], ['c', undefined], ['d', undefined]])
  })
}

await t.test('while the new name is not durable nothing is acknowledged', async (t) => {
  const { items, disk, file, reopened } = await openOnTestDisk(t)
  disk.fail(['syncFolder'])
  await bloat(items).catch(() => {}) // the last ones may come after the swap already
  await until(() => isSmall(file))
  await t.rejects(items.insertOne({ _id: 'd' }), { code: 14031 })
  disk.fail([])
  await items.insertOne({ _id: 'e' })
  t.strictSame((await reopened()).map(({ _id }) => _id), ['a', 'b', 'c', 'e'])
})

await t.test('closing ends it', async (t) => {
  const { items, disk, file, messages, reopened } = await openOnTestDisk(t)
  await items.bulkWrite(Array.from({ length: 2000 }, (_, i) => ({ insertOne: { document: { _id: `i${i}`, text: 'y'.repeat(1000) } } })))
  const held = disk.hold('write', '.tmp')
  await bloat(items)
  const go = await held
  const closed = reopened()
  disk.before = (step, path) => { if (path.endsWith('.tmp') && (step === 'write' || step === 'rename')) t.fail(`${step} of a file that nobody needs`) }
  go()
  t.equal((await closed).length, 2003)
  t.notOk(existsSync(`${file}.tmp`))
  t.strictSame(messages, [])
})

await t.test('a crash at any step loses nothing acknowledged', async (t) => {
  const { items, disk, dir, reopened } = await openOnTestDisk(t)
  const crashed = join(dir, '..', 'crashed')
  const moments: { at: string, acknowledged: number }[] = []
  let acknowledged = 0
  disk.before = (step, path) => { // what the disk would hold if the process ended here
    const at = join(crashed, `${moments.length}-${step}-${basename(path)}`)
    cpSync(dir, at, { recursive: true, filter: (source) => !source.endsWith('.lock') })
    moments.push({ at, acknowledged })
  }
  for (let n = 1; n <= 40; n++) {
    await items.updateOne({ _id: 'a' }, { $set: { n } })
    acknowledged = n
  }
  disk.before = () => {}
  await reopened()
  t.ok(readdirSync(crashed).some((name) => name.endsWith('rename-test.items.jsonl.tmp')), 'it was compacted')
  for (const { at, acknowledged } of moments) {
    const { client, items } = await openStore(at)
    const n = (await items.findOne({ _id: 'a' }))?.n ?? 0
    t.ok(n === acknowledged || n === acknowledged + 1, `${basename(at)}: ${n} of ${acknowledged}`)
    t.equal(await items.countDocuments(), 3)
    await client.close()
  }
})
