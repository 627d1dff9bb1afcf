// Copies as text: what one instance writes another reads, and what somebody else wrote is no copy.
import t from 'tap'
import { readCopy, writeCopy, type Codec, type WrittenCopy } from '../../../src/cache/copy-text.ts'
import { createRandom } from '../random.ts'

const codec: Codec<{ name: string }> = {
  encode: JSON.stringify,
  decode (text) {
    try {
      const value = JSON.parse(text) as { name?: unknown } | null
      return typeof value?.name === 'string' ? { name: value.name } : undefined
    } catch {
      return undefined
    }
  }
}

await t.test('a copy begins with the time of its reading, then its ends, then the value', async (t) => {
  t.equal(writeCopy({ readAt: 1, endsAt: 22, expiresAt: 333, value: { name: 'a|b' } }, codec), '1|22|333|{"name":"a|b"}')
})

await t.test('what was written is read again', async (t) => {
  const random = createRandom()
  let wrong: WrittenCopy<{ name: string }> | undefined
  for (let round = 0; round < 500 && wrong === undefined; round++) {
    const time = (): number => Math.floor(random.next() * 8.64e15)
    const copy = { readAt: time(), endsAt: time(), expiresAt: time(), value: { name: random.text('ab|"\\0123 \n\u{1F600}é', random.below(20)) } }
    if (JSON.stringify(readCopy(writeCopy(copy, codec), codec)) !== JSON.stringify(copy)) wrong = copy
  }
  t.equal(wrong, undefined, `seed ${random.seed}`)
})

await t.test('a text of another hand or version is no copy', async (t) => {
  const foreign = [
    '', 'x', '|||', '1|2|3', '1|2|3|', '1|2|{"name":"a"}', '|2|3|{"name":"a"}', '1|2|3|4|{"name":"a"}', '-1|2|3|{"name":"a"}', '1.5|2|3|{"name":"a"}',
    ' 1|2|3|{"name":"a"}', '1e3|2|3|{"name":"a"}', `${'9'.repeat(17)}|2|3|{"name":"a"}`, '1|2|3|{"name":1}', '1|2|3|null', '1|2|3|{', '{"name":"a"}', 'xxxxxx{"name":"1|2|3|"}', 'tombstone'
  ]
  for (const text of foreign) t.equal(readCopy(text, codec), undefined, text)
})

await t.test('a text of any length is judged at once', async (t) => {
  for (const text of ['9'.repeat(1_000_000), '1|'.repeat(500_000), '1|2|3|' + '['.repeat(1_000_000)]) {
    const begin = performance.now()
    t.equal(readCopy(text, codec), undefined)
    t.ok(performance.now() - begin < 5000) // one that backtracks takes minutes
  }
})
