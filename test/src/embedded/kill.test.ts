// kill -9 in the middle of writing, again and again, on the same folder.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { kill, nextMessage, openStore, start } from './helper.ts'

await t.test('kill -9 loses nothing that was acknowledged', async (t) => {
  const dir = t.testdir()
  const acknowledged = new Map<string, number>() // by round and writer: how far it had got
  for (let round = 0; round < 4; round++) {
    const child = start('kill-child.ts', dir, String(round))
    child.on('message', ({ writer, n }: { writer: number, n: number }) => acknowledged.set(`${round}-${writer}`, n))
    await nextMessage(child)
    await new Promise((resolve) => setTimeout(resolve, 100 + 200 * round)) // how long it lives is chance anyway
    await kill(child)

    const { client, items } = await openStore(dir) // at once: the lock of the dead is no lock
    const counters = client.db('test').collection<{ _id: string, n: number }>('counters')
    for (const [writer, n] of acknowledged) {
      t.ok(await items.findOne({ _id: `${writer}-${n}`, key: `${writer}-${n}` }) ?? (await counters.findOne({ _id: writer }))?.n === n + 5, `${writer}-${n}`)
      const counted = (await counters.findOne({ _id: writer }))?.n ?? 0
      t.ok(counted >= n, `${writer} counted ${counted} of ${n}`)
      const left = await items.countDocuments({ key: { $regex: `^${writer}-` } })
      t.ok(left >= 1 && left <= 7, `${writer} has left ${left}`)
    }
    t.notOk(existsSync(join(dir, 'test.counters.jsonl.tmp')))
    await client.close()
  }
  t.equal(acknowledged.size, 80)
})
