// What a folder holds after it has been closed, torn, damaged or left by another release.
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openStore, type Item } from './helper.ts'

const folder = (t: Test) => join(t.testdir(), 'deep', 'data')

await t.test('everything is there after reopening, with its types', async (t) => {
  const dir = folder(t)
  const kept: Item[] = [
    { _id: 'a', at: new Date(5), bytes: Buffer.from([0, 200, 10]), any: [NaN, Infinity, -Infinity, -0, null, true], text: '\n"\ud800é' },
    { _id: 'b', any: { marks: { $date: 1 }, wrapped: { $object: { $bytes: 'AA==' } } } },
    { _id: 'c', n: 2 }
  ]
  const first = await openStore(dir)
  await first.items.insertOne({ _id: 'gone' })
  for (const item of kept) await first.items.insertOne({ ...item, n: 1 })
  await first.items.updateMany({}, { $unset: { n: '' } })
  await first.items.updateOne({ _id: 'c' }, { $set: { n: 2 } })
  await first.items.deleteOne({ _id: 'gone' })
  await first.client.db('other').collection<Item>('things').insertOne({ _id: 'x' })
  await first.client.close()

  const second = await openStore(dir)
  t.teardown(() => second.client.close())
  t.strictSame(await second.items.find().toArray(), kept)
  t.equal(await second.client.db('other').collection('things').countDocuments(), 1)
  t.strictSame(second.messages, [])
})

await t.test('files and folders are for their owner only', async (t) => {
  const dir = folder(t)
  const { client, items, file } = await openStore(dir)
  t.teardown(() => client.close())
  await items.insertOne({ _id: 'a' })
  const mode = (path: string) => statSync(path).mode & 0o777
  t.equal(mode(dir), 0o700)
  t.equal(mode(join(dir, '..')), 0o700)
  t.equal(mode(file), 0o600)
  t.equal(mode(join(dir, 'latchkey.lock')), 0o600)
})

await t.test('an index guards documents that were there before it', async (t) => {
  const dir = folder(t)
  const first = await openStore(dir)
  await first.items.insertOne({ _id: 'a', key: 'k' })
  await first.client.close()
  const { client, items } = await openStore(dir)
  t.teardown(() => client.close())
  await items.createIndex({ key: 1 }, { unique: true })
  await t.rejects(items.insertOne({ _id: 'b', key: 'k' }), { code: 11000 })
})

/** A closed store with five documents: five batches. */
async function written (t: Test): Promise<{ dir: string, file: string }> {
  const dir = folder(t)
  const { client, items, file } = await openStore(dir)
  for (const _id of 'abcde') await items.insertOne({ _id, key: `ada+${_id}@example.org` })
  await client.close()
  return { dir, file }
}

const ids = async (dir: string) => {
  const { client, items, messages } = await openStore(dir)
  const found = (await items.find().toArray()).map(({ _id }) => _id).join('')
  await items.insertOne({ _id: 'z' }) // it goes on from there
  await client.close()
  const again = await openStore(dir)
  const after = (await again.items.find().toArray()).map(({ _id }) => _id).join('')
  await again.client.close()
  return { found, after, messages: [...messages, ...again.messages] }
}

for (const [what, tail] of Object.entries({ 'half a line': '["0badc0de",{"_id":"f","ke', 'a line that is not what its sum says': '["0badc0de",{"_id":"f"}]\n', 'zeros of a file that grew before its content came': '\0'.repeat(5000) })) {
  await t.test(`a torn end is cut off and said once: ${what}`, async (t) => {
    const { dir, file } = await written(t)
    const { size } = statSync(file)
    appendFileSync(file, tail)
    const { found, after, messages } = await ids(dir)
    t.equal(found, 'abcde')
    t.equal(after, 'abcdez')
    t.equal(messages.length, 1)
    t.match(messages[0], `${file}: cut off an unfinished write at byte ${size};`)
  })
}

await t.test('an unfinished batch of several lines is cut off at its first damage', async (t) => {
  const dir = folder(t)
  const { client, items, file } = await openStore(dir)
  await items.insertOne({ _id: 'a' })
  await Promise.all([...'bcd'].map((_id) => items.insertOne({ _id })))
  const bytes = readFileSync(file)
  await client.close()
  writeFileSync(file, bytes.fill(0, bytes.indexOf('"c"'), bytes.indexOf('"c"') + 3)) // as the power went: no mark after it
  const { found, after } = await ids(dir)
  t.equal(found, 'ab')
  t.equal(after, 'abz')
})

await t.test('damage in what had been written safely is refused, with file and byte and nothing of the content', async (t) => {
  const { dir, file } = await written(t)
  const bytes = readFileSync(file)
  const at = bytes.indexOf('ada+c')
  bytes[at] = 'A'.charCodeAt(0) // still JSON, but not what was written
  writeFileSync(file, bytes)
  const line = bytes.lastIndexOf('\n', at) + 1
  await t.rejects(openStore(dir), { code: 'EUNREADABLE', message: `${file} is damaged at byte ${line}, which had been written safely. Restore the file from a backup, or move it away to start without it.` })
  t.strictSame(readFileSync(file), bytes, 'it is left as it was')
  writeFileSync(file, bytes.fill('a', at, at + 1))
  t.equal((await ids(dir)).found, 'abcde', 'the refusal released the folder')
})

await t.test('the last document is as safe as any other once the store was closed', async (t) => {
  const { dir, file } = await written(t)
  const bytes = readFileSync(file)
  writeFileSync(file, bytes.fill('A', bytes.indexOf('ada+e'), bytes.indexOf('ada+e') + 1))
  await t.rejects(openStore(dir), /is damaged at byte/)
})

await t.test('a file of another kind or a later version is refused', async (t) => {
  const { dir, file } = await written(t)
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('"version":1', '"version":2'))
  await t.rejects(openStore(dir), { code: 'EUNREADABLE', message: `${file} has version 2 of the file format; this release reads version 1.` })
  for (const other of ['', 'no newline', text.slice(5)]) {
    writeFileSync(file, other)
    await t.rejects(openStore(dir), { code: 'EUNREADABLE', message: `${file} is not a file of Latchkey's document store, or is damaged at byte 0.` })
  }
})

await t.test('what a crashed compaction left is removed, other files are left alone', async (t) => {
  const { dir, file } = await written(t)
  writeFileSync(`${file}.tmp`, 'half a file')
  writeFileSync(join(dir, 'notes.txt'), 'mine')
  mkdirSync(join(dir, 'folder'))
  t.equal((await ids(dir)).found, 'abcde')
  t.notOk(existsSync(`${file}.tmp`))
  t.ok(existsSync(join(dir, 'notes.txt')))
})

await t.test('documents larger than a read are read whole', async (t) => {
  const dir = folder(t)
  const { client, items } = await openStore(dir)
  const text = 'ü'.repeat(3 << 20)
  await items.insertOne({ _id: 'big', text })
  await items.insertOne({ _id: 'small' })
  await client.close()
  const again = await openStore(dir)
  t.teardown(() => again.client.close())
  t.equal((await again.items.findOne({ _id: 'big' }))?.text, text)
  t.equal(await again.items.countDocuments(), 2)
})

await t.test('a dropped database is empty, also after reopening', async (t) => {
  const { dir } = await written(t)
  const { client, items } = await openStore(dir)
  await items.createIndex({ key: 1 }, { unique: true })
  t.equal(await client.db('test').dropDatabase(), true)
  t.equal(await items.countDocuments(), 0)
  await items.insertOne({ _id: 'a', key: 'k' })
  await items.insertOne({ _id: 'b', key: 'k' })
  await client.close()
  const again = await openStore(dir)
  t.teardown(() => again.client.close())
  t.equal(await again.items.countDocuments(), 2)
})

await t.test('after close writes are refused as a fault of the store, and closing again is fine', async (t) => {
  for (const dir of [null, folder(t)]) {
    const { client, items } = await openStore(dir)
    await items.insertOne({ _id: 'a' })
    const pending = items.insertOne({ _id: 'b' })
    await Promise.all([client.close(), client.close()])
    await pending
    await t.rejects(items.insertOne({ _id: 'c' }), { name: 'MongoServerError', code: 91 })
    await t.rejects(client.db('test').collection<Item>('later').insertOne({ _id: 'c' }), { code: 91 })
    await t.rejects(client.db('test').command({ ping: 1 }), { code: 91 })
    t.equal(await items.countDocuments(), 2)
  }
})
