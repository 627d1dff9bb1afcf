// Writes without end and tells which writes were acknowledged, until it is killed.
import { openStore } from './helper.ts'

const [dir = '', round = ''] = process.argv.slice(2)
const { client, items } = await openStore(dir)
await items.createIndex({ key: 1 }, { unique: true })
const padding = 'x'.repeat(2000) // so that the log is compacted now and then
const counters = client.db('test').collection<{ _id: string, n: number, padding: string }>('counters')

async function write (writer: number): Promise<void> {
  const _id = `${round}-${writer}`
  for (let n = 1; ; n++) {
    await items.insertOne({ _id: `${_id}-${n}`, key: `${_id}-${n}` })
    if (n > 5) await items.deleteOne({ _id: `${_id}-${n - 5}` })
    await counters.updateOne({ _id }, { $inc: { n: 1 }, $set: { padding } }, { upsert: true })
    process.send?.({ writer, n })
  }
}

await Promise.all(Array.from({ length: 20 }, (_, writer) => write(writer)))
