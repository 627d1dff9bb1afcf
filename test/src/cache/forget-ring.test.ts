// The ring of recent forgets: it may say "forgotten" too often, never too seldom.
import t from 'tap'
import { createForgetRing } from '../../../src/cache/forget-ring.ts'
import { createRandom } from '../random.ts'

await t.test('a key forgotten after the mark is told, one forgotten before is not', async (t) => {
  const ring = createForgetRing()
  ring.add('a', 0)
  const mark = ring.mark()
  t.notOk(ring.forgottenSince(mark, 'a'))
  ring.add('b', 0)
  t.ok(ring.forgottenSince(mark, 'b'))
  t.notOk(ring.forgottenSince(mark, 'a'))
  t.notOk(ring.forgottenSince(ring.mark(), 'b'), 'a mark taken now is behind it')
})

await t.test('when everything was forgotten, every key was', async (t) => {
  const ring = createForgetRing()
  const before = ring.mark()
  ring.addAll()
  const after = ring.mark()
  t.ok(ring.forgottenSince(before, 'a'))
  t.notOk(ring.forgottenSince(after, 'a'))
  ring.add('b', 0)
  t.ok(ring.forgottenSince(before, 'a'), 'and stays so for the older mark')
  t.notOk(ring.forgottenSince(after, 'a'))
})

await t.test('when more was forgotten than it remembers, it says forgotten', async (t) => {
  const ring = createForgetRing(4)
  const mark = ring.mark()
  for (const key of ['a', 'b', 'c', 'd']) ring.add(key, 0)
  t.notOk(ring.forgottenSince(mark, 'e'), 'exactly as many as it remembers')
  ring.add('f', 0)
  t.ok(ring.forgottenSince(mark, 'e'), 'one more')
  t.ok(ring.forgottenSince(mark, 'a'))
  t.notOk(ring.forgottenSince(ring.mark(), 'e'))
})

await t.test('it knows when a key was last forgotten, and 0 for one it does not know', async (t) => {
  const ring = createForgetRing(2)
  t.equal(ring.lastForgotten('a'), 0)
  ring.add('a', 1000)
  ring.add('b', 2000)
  t.equal(ring.lastForgotten('a'), 1000)
  ring.add('a', 3000)
  t.equal(ring.lastForgotten('a'), 3000)
  t.equal(ring.lastForgotten('b'), 2000)
  t.equal(ring.lastForgotten('c'), 0)
  ring.addAll()
  t.equal(ring.lastForgotten('b'), 2000, 'forgetting everything is no revocation of one')
})

await t.test('it remembers as many keys as it says, and is bounded', async (t) => {
  const ring = createForgetRing(100)
  for (let key = 1; key <= 10_000; key++) ring.add(`k${key}`, key)
  const known = Array.from({ length: 10_000 }, (_, at) => at + 1).filter((key) => ring.lastForgotten(`k${key}`) === key)
  t.ok(known.length >= 100 && known.length <= 200, `${known.length} keys`)
  t.equal(known[0], 10_001 - known.length, 'the latest')
  t.equal(known.at(-1), 10_000)
})

await t.test('no forget is ever missed, whatever the order of marks and forgets', async (t) => {
  const random = createRandom()
  let wrong: string | undefined
  for (let round = 0; round < 300 && wrong === undefined; round++) {
    const size = 1 + random.below(8)
    const ring = createForgetRing(size)
    const story: string[] = [] // what was forgotten; '*' for everything
    const marks: { mark: number, at: number }[] = []
    for (let step = 0; step < 60 && wrong === undefined; step++) {
      const dice = random.below(10)
      if (dice < 3) marks.push({ mark: ring.mark(), at: story.length })
      else if (dice < 9) {
        story.push(`k${random.below(5)}`)
        ring.add(story.at(-1) as string, step)
      } else {
        story.push('*')
        ring.addAll()
      }
      for (const { mark, at } of marks) {
        const since = story.slice(at)
        for (let key = 0; key < 5; key++) {
          const expected = since.includes(`k${key}`) || since.includes('*') || since.length > size
          if (ring.forgottenSince(mark, `k${key}`) !== expected) wrong = `size ${size}, k${key} since ${since.join(' ')}`
        }
      }
    }
  }
  t.equal(wrong, undefined, `seed ${random.seed}`)
})
