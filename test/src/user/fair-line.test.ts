// The line before the hashing threads: nobody can stand before everybody.
import t from 'tap'
import { createFairLine, type FairLine } from '../../../src/user/fair-line.ts'

/** Adds `a1` for source `a`. @returns who had to make way */
const add = (line: FairLine<string>, ...names: string[]): string[] => names.flatMap((name) => line.add(name.charAt(0), name) ?? [])

function drain (line: FairLine<string>): string[] {
  const served = []
  for (let one = line.next(); one !== undefined; one = line.next()) served.push(one)
  return served
}

await t.test('one source is served in the order in which it came', async (t) => {
  const line = createFairLine<string>(3)
  add(line, 'a1', 'a2', 'a3')
  t.equal(line.length, 3)
  t.strictSame(drain(line), ['a1', 'a2', 'a3'])
  t.equal(line.length, 0)
  t.equal(line.next(), undefined)
})

await t.test('sources take turns, however many each of them sends', async (t) => {
  const line = createFairLine<string>(10)
  add(line, 'a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2')
  t.strictSame([line.next(), line.next()], ['a1', 'b1'])
  add(line, 'd1')
  t.strictSame(drain(line), ['c1', 'a2', 'b2', 'd1', 'a3', 'a4'])
})

await t.test('who comes again after his turn stands behind the others', async (t) => {
  const line = createFairLine<string>(10)
  add(line, 'a1', 'b1')
  t.equal(line.next(), 'a1')
  add(line, 'a2')
  t.strictSame(drain(line), ['b1', 'a2'])
})

await t.test('where the line is full, the last of the longest source makes way for a shorter one', async (t) => {
  const line = createFairLine<string>(4)
  add(line, 'a1', 'a2', 'a3', 'b1')
  t.equal(line.ahead('a'), Infinity, 'the longest has no place')
  t.strictSame(add(line, 'c1'), ['a3'])
  t.strictSame(add(line, 'd1'), ['a2'])
  for (const source of 'abcde') t.equal(line.ahead(source), Infinity, `one each: there is no place for ${source}`)
  t.strictSame(drain(line), ['a1', 'b1', 'c1', 'd1'])
})

await t.test('nobody makes way for a source that would be as long as himself', async (t) => {
  const line = createFairLine<string>(3)
  add(line, 'a1', 'a2', 'b1')
  t.equal(line.ahead('b'), Infinity)
  t.equal(line.ahead('c'), 2, 'a third would be shorter than the longest')
})

await t.test('how many are ahead counts only those whose turn comes first', async (t) => {
  const line = createFairLine<string>(100)
  t.equal(line.ahead('a'), 0)
  add(line, ...Array.from({ length: 50 }, (_, i) => `a${i}`))
  t.equal(line.ahead('a'), 50, 'behind himself')
  t.equal(line.ahead('b'), 1, 'behind one of the others')
  add(line, 'b1', 'b2')
  t.equal(line.ahead('b'), 5)
  t.equal(line.ahead('c'), 2)
})

await t.test('who waits no more is out of the line, and his source with him', async (t) => {
  const line = createFairLine<string>(2)
  add(line, 'a1', 'b1')
  line.remove('a', 'a1')
  line.remove('a', 'a1')
  line.remove('b', 'b2')
  t.equal(line.length, 1)
  t.strictSame(add(line, 'c1'), [], 'his place is free')
  t.strictSame(drain(line), ['b1', 'c1'])
})

await t.test('without places nobody waits', async (t) => {
  t.equal(createFairLine<string>(0).ahead('a'), Infinity)
})
