// Group commit: many writes as one. The store behind it answers when a story lets it, so a story sees which items shared a
// write and which were under way at the same time.
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createGroupCommit, type GroupCommit, type GroupCommitOptions } from '../../../src/visit/group-commit.ts'
import { createRandom } from '../random.ts'

interface Item { key: string, n: number }

interface Flight { items: readonly Item[], succeed: () => void, fail: (error: Error) => void }

interface Kit {
  commit: GroupCommit<Item, string>['commit']
  /** Every write so far. */
  flights: Flight[]
  /** Those that have no answer yet. */
  open: () => Flight[]
  /** The keys and numbers of each write. */
  groups: () => string[]
  /** Keys of a write that began while another with the same key was under way. */
  clashes: string[]
  /** Most writes that were under way at a time. */
  most: () => number
}

const textOf = ({ key, n }: Item): string => `${key}${n}`

function createKit (options: Partial<GroupCommitOptions<Item, string>> = {}): Kit {
  const flights: Flight[] = []
  const open = new Set<Flight>()
  const clashes: string[] = []
  let most = 0
  const keysOf = (items: readonly Item[]): string[] => [...new Set(items.map(({ key }) => key))]
  const write = (items: readonly Item[]): Promise<string[]> => new Promise((resolve, reject) => {
    const flight: Flight = {
      items,
      succeed () {
        open.delete(flight)
        resolve(items.map(textOf))
      },
      fail (error) {
        open.delete(flight)
        reject(error)
      }
    }
    const underWay = new Set([...open].flatMap(({ items }) => keysOf(items)))
    clashes.push(...keysOf(items).filter((key) => underWay.has(key)))
    flights.push(flight)
    open.add(flight)
    most = Math.max(most, open.size)
  })
  const { commit } = createGroupCommit<Item, string>({ write, keyOf: ({ key }) => key, patienceMs: 0, ...options })
  return { commit, flights, open: () => [...open], groups: () => flights.map(({ items }) => items.map(textOf).join(' ')), clashes, most: () => most }
}

/** Turns of the loop, enough for whatever is planned to be under way. */
async function turns (): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await nextTurn()
}

const items = (key: string, count: number, from = 0): Item[] => Array.from({ length: count }, (_, at) => ({ key, n: from + at }))

/** What became of them, in order. */
const outcomes = async (promises: readonly Promise<string>[]): Promise<string[]> =>
  (await Promise.allSettled(promises)).map((one) => one.status === 'fulfilled' ? one.value : (one.reason as Error & { code?: string }).code ?? (one.reason as Error).message)

await t.test('what arrives together is one write, and each gets its own result', async (t) => {
  const { commit, flights, groups } = createKit()
  const promises = [...items('a', 2), ...items('b', 2), ...items('a', 1, 2)].map(commit)
  t.equal(flights.length, 0, 'not before the turn is over')
  await turns()
  t.strictSame(groups(), ['a0 a1 b0 b1 a2'])
  flights[0]?.succeed()
  t.strictSame(await outcomes(promises), ['a0', 'a1', 'b0', 'b1', 'a2'])
})

await t.test('nobody is answered before the write is', async (t) => {
  const { commit, flights } = createKit()
  let answered = 0
  const promises = items('a', 3).map(async (item) => { await commit(item); answered++ })
  await turns()
  t.equal(answered, 0)
  flights[0]?.succeed()
  await Promise.all(promises)
  t.equal(answered, 3)
})

await t.test('what comes while its key is under way waits, all of it for the next write, in its order', async (t) => {
  const { commit, flights, groups, open } = createKit()
  const promises = items('a', 1).map(commit)
  await turns()
  for (const item of items('a', 5, 1)) {
    promises.push(commit(item))
    await nextTurn()
  }
  await turns()
  t.strictSame(groups(), ['a0'])
  open()[0]?.succeed()
  await turns()
  t.strictSame(groups(), ['a0', 'a1 a2 a3 a4 a5'])
  flights[1]?.succeed()
  t.strictSame(await outcomes(promises), items('a', 6).map(textOf))
})

await t.test('while a group is under way others wait for it, and go together, but not for longer than they have patience', async (t) => {
  const { commit, flights, groups } = createKit({ patienceMs: 20 })
  const first = commit({ key: 'a', n: 0 })
  await turns()
  const later = ['b', 'c', 'd'].map((key) => commit({ key, n: 0 }))
  await turns()
  t.strictSame(groups(), ['a0'], 'they wait')
  flights[0]?.succeed()
  await first
  await turns()
  t.strictSame(groups(), ['a0', 'b0 c0 d0'], 'and go when it is back')
  const impatient = commit({ key: 'e', n: 0 })
  while (flights.length < 3) await new Promise((resolve) => { setTimeout(resolve, 1) })
  t.strictSame(groups(), ['a0', 'b0 c0 d0', 'e0'], 'one that takes long is not waited for')
  for (const flight of flights) flight.succeed()
  t.strictSame(await Promise.all([...later, impatient]), ['b0', 'c0', 'd0', 'e0'])
})

await t.test('other keys do not wait for it, and overtake it', async (t) => {
  const { commit, flights, groups } = createKit()
  const slow = commit({ key: 'a', n: 0 })
  await turns()
  const later = [...items('a', 1, 1), ...items('b', 1)].map(commit)
  await turns()
  t.strictSame(groups(), ['a0', 'b0'])
  flights[1]?.succeed()
  t.equal(await later[1], 'b0')
  t.strictSame(groups(), ['a0', 'b0'], 'the end of another write frees no key')
  flights[0]?.succeed()
  await turns()
  flights[2]?.succeed()
  t.strictSame(await outcomes([slow, ...later]), ['a0', 'a1', 'b0'])
})

await t.test('no more writes are under way than may be, and the next begins when one ends', async (t) => {
  for (const flights of [1, 3]) {
    const { commit, open } = createKit({ flights, mostInGroup: 1 })
    const promises = Array.from('abcdefgh', (key) => commit({ key, n: 0 }))
    for (let left = 8; left > 0; left--) {
      await turns()
      t.equal(open().length, Math.min(left, flights), `${left} left`)
      open()[0]?.succeed()
    }
    t.strictSame(await outcomes(promises), Array.from('abcdefgh', (key) => `${key}0`))
  }
})

await t.test('a write has no more items than it may, the others follow', async (t) => {
  const { commit, groups, open } = createKit({ mostInGroup: 2 })
  const promises = items('a', 5).map(commit)
  for (const expected of [['a0 a1'], ['a0 a1', 'a2 a3'], ['a0 a1', 'a2 a3', 'a4']]) {
    await turns()
    t.strictSame(groups(), expected, 'one after the other: they have a key in common')
    open()[0]?.succeed()
  }
  t.strictSame(await outcomes(promises), items('a', 5).map(textOf))
})

await t.test('more than may wait are unavailable at once, and those that wait are not touched', async (t) => {
  const { commit, open } = createKit({ mostWaiting: 3 })
  const promises = items('a', 1).map(commit)
  await turns()
  promises.push(...items('a', 3, 1).map(commit))
  await t.rejects(commit({ key: 'a', n: 4 }), { name: 'LatchkeyError', code: 'unavailable', statusCode: 503 }, 'what is under way does not count')
  await t.rejects(commit({ key: 'b', n: 0 }), { code: 'unavailable' }, 'whatever its key')
  open()[0]?.succeed()
  await turns()
  promises.push(commit({ key: 'a', n: 4 }))
  await turns()
  open()[0]?.succeed()
  await turns()
  open()[0]?.succeed()
  t.strictSame(await outcomes(promises), items('a', 5).map(textOf))
})

await t.test('a write that fails rejects its items and those that wait, with what it failed with', async (t) => {
  const { commit, flights, groups, open } = createKit({ flights: 2 })
  const first = commit({ key: 'a', n: 0 })
  await turns()
  const other = commit({ key: 'b', n: 0 })
  await turns()
  const waiting = [{ key: 'a', n: 1 }, { key: 'b', n: 1 }, { key: 'c', n: 0 }].map(commit)
  await turns()
  const settled = outcomes([first, ...waiting])
  flights[0]?.fail(new Error('away'))
  t.strictSame(await settled, ['away', 'away', 'away', 'away'])
  await turns()
  t.strictSame(groups(), ['a0', 'b0'], 'nothing of it is tried again')
  t.equal(open().length, 1)
  flights[1]?.succeed()
  t.equal(await other, 'b0', 'another that is under way is judged by its own answer')
})

await t.test('after a failure the next one works, of the same key too', async (t) => {
  const { commit, flights, groups, open } = createKit({ flights: 1 })
  for (let round = 0; round < 6; round++) {
    const outcome = outcomes([commit({ key: 'a', n: round })])
    await turns()
    if (round % 3 === 2) open()[0]?.succeed()
    else open()[0]?.fail(new Error('away'))
    t.strictSame(await outcome, [round % 3 === 2 ? `a${round}` : 'away'])
  }
  t.equal(flights.length, 6)
  t.strictSame(groups().at(-1), 'a5')
})

await t.test('a write that throws at once is a failure like another', async (t) => {
  let throws = true
  const { commit } = createGroupCommit<Item, string>({
    write (group) {
      if (throws) throw new Error('at once')
      return Promise.resolve(group.map(textOf))
    },
    keyOf: ({ key }) => key,
    flights: 1
  })
  t.strictSame(await outcomes(items('a', 2).map(commit)), ['at once', 'at once'])
  throws = false
  t.strictSame(await outcomes(items('a', 2).map(commit)), ['a0', 'a1'])
})

await t.test('whatever comes in whatever order: every item is written once, in its key\'s order, and no key is in two writes', async (t) => {
  const random = createRandom()
  const { commit, flights, open, clashes, most } = createKit({ flights: 3, mostInGroup: 4 })
  const next = new Map<string, number>()
  const [promises, expected]: [Promise<string>[], string[]] = [[], []]
  for (let step = 0; step < 600; step++) {
    const key = random.pick(['a', 'b', 'c', 'd', 'e'])
    const n = next.get(key) ?? 0
    next.set(key, n + 1)
    promises.push(commit({ key, n }))
    expected.push(`${key}${n}`)
    if (random.below(3) === 0) await turns()
    if (open().length > 0 && random.below(4) === 0) random.pick(open()).succeed()
  }
  for (await turns(); open().length > 0; await turns()) random.pick(open()).succeed()
  t.strictSame(await outcomes(promises), expected, `seed ${random.seed}`)
  t.strictSame(clashes, [])
  t.equal(most(), 3)
  const written = flights.flatMap(({ items }) => items)
  for (const [key, count] of next) t.strictSame(written.filter((item) => item.key === key).map(({ n }) => n), items(key, count).map(({ n }) => n), key)
  t.ok(flights.every(({ items }) => items.length <= 4))
})
