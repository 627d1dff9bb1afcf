// The bounded map under everything that random work can do to it, beside a plain model of what it promises.
import t from 'tap'
import { createBoundedMap, homeless, type BoundedMap, type Home } from '../../../src/cache/bounded-map.ts'
import { createRandom } from '../random.ts'

interface Thing { home: Home, readonly name: string }

const thing = (name: string): Thing => ({ home: homeless(), name })

/** Puts in `k0`, `k1`, ... and gives the things back. */
const filled = (map: BoundedMap<Thing>, count: number, prefix = 'k'): Thing[] => Array.from({ length: count }, (_, at) => {
  const value = thing(`${prefix}${at}`)
  map.set(value.name, value)
  return value
})

await t.test('a value is found under its key until it is taken out', async (t) => {
  const map = createBoundedMap<Thing>(10)
  const value = thing('a')
  t.notOk(value.home.live, 'homeless before')
  t.equal(map.get('a'), undefined)
  map.set('a', value)
  t.equal(map.get('a'), value)
  t.ok(value.home.live)
  t.equal(map.size(), 1)
  map.delete('a')
  t.equal(map.get('a'), undefined)
  t.equal(map.size(), 0)
  t.notOk(value.home.live)
  map.delete('a')
  t.equal(map.size(), 0, 'what is not there can be taken out again')
})

await t.test('it never holds more than its capacity, whatever is done', async (t) => {
  const random = createRandom()
  for (const capacity of [0, 1, 2, 3, 4, 7, 50, 257]) {
    const map = createBoundedMap<Thing>(capacity)
    const most = capacity === 1 ? 2 : capacity
    let held = 0
    for (let step = 0; step < 5000; step++) {
      const key = `k${random.below(capacity * 3 + 3)}`
      const value = map.get(key)
      const dice = random.below(100)
      if (dice < 60) map.set(key, thing(key))
      else if (dice < 85 && value !== undefined) map.touch(key, value)
      else if (dice < 99) map.delete(key)
      else map.clear()
      held = Math.max(held, map.size())
    }
    t.ok(held <= most, `capacity ${capacity}: held ${held}, seed ${random.seed}`)
    if (capacity > 1) t.ok(held > capacity / 2, `capacity ${capacity} is used`)
  }
})

await t.test('a value says of itself whether the map still holds it', async (t) => {
  const random = createRandom()
  for (const capacity of [1, 2, 3, 8, 33]) {
    const map = createBoundedMap<Thing>(capacity)
    const all: Thing[] = []
    let liar: string | undefined
    for (let step = 0; step < 3000 && liar === undefined; step++) {
      const key = `k${random.below(capacity * 2 + 2)}`
      const value = map.get(key)
      const dice = random.below(100)
      if (dice < 55) {
        const fresh = thing(key)
        all.push(fresh)
        map.set(key, fresh)
      } else if (dice < 80 && value !== undefined) map.touch(key, value)
      else if (dice < 99) map.delete(key)
      else map.clear()
      liar = all.find((one) => one.home.live !== (map.get(one.name) === one))?.name
      if (all.filter((one) => one.home.live).length !== map.size()) liar ??= 'the map, about its size'
    }
    t.equal(liar, undefined, `capacity ${capacity}, seed ${random.seed}`)
  }
})

await t.test('what was used lately stays: at least the last half of the capacity', async (t) => {
  const random = createRandom()
  for (const capacity of [2, 3, 10, 65]) {
    const map = createBoundedMap<Thing>(capacity)
    let recent: string[] = []
    let lost: string | undefined
    for (let step = 0; step < 3000 && lost === undefined; step++) {
      const key = `k${random.below(capacity * 2)}`
      const value = map.get(key)
      if (value === undefined) map.set(key, thing(key))
      else map.touch(key, value)
      recent = [key, ...recent.filter((one) => one !== key)].slice(0, Math.floor(capacity / 2))
      lost = recent.find((one) => map.get(one) === undefined)
    }
    t.equal(lost, undefined, `capacity ${capacity}, seed ${random.seed}`)
  }
})

await t.test('a touch promotes: the used value outlives its generation, the unused one dies', async (t) => {
  const map = createBoundedMap<Thing>(4)
  const [used, unused] = filled(map, 2) as [Thing, Thing]
  filled(map, 1, 'next') // begins a generation
  map.touch('k0', used)
  filled(map, 1, 'last') // drops the first generation
  t.equal(map.get('k0'), used)
  t.ok(used.home.live)
  t.equal(map.get('k1'), undefined)
  t.notOk(unused.home.live)
})

await t.test('a read promotes nothing: looking is not using', async (t) => {
  const map = createBoundedMap<Thing>(4)
  filled(map, 2)
  filled(map, 1, 'next')
  map.get('k0')
  filled(map, 2, 'last')
  t.equal(map.get('k0'), undefined)
})

await t.test('a generation dies by one write, however many die with it', async (t) => {
  const map = createBoundedMap<Thing>(2000)
  const first = filled(map, 1000)
  const homes = new Set(first.map((value) => value.home))
  t.equal(homes.size, 1, 'they share one home')
  filled(map, 1000, 'second')
  t.ok(first.every((value) => value.home.live))
  filled(map, 1, 'third')
  t.ok(first.every((value) => !value.home.live))
  t.equal(map.size(), 1001)
})

await t.test('a replaced value dies, the one in its place lives', async (t) => {
  const map = createBoundedMap<Thing>(4)
  const [before, after] = [thing('a'), thing('a')]
  map.set('a', before)
  map.set('a', after)
  t.notOk(before.home.live)
  t.ok(after.home.live)
  t.equal(map.size(), 1)
  map.set('a', after)
  t.ok(after.home.live, 'put in place of itself it stays alive')
  filled(map, 2)
  map.set('a', before)
  t.ok(before.home.live, 'a value may come back')
  t.notOk(after.home.live, 'also when the other sat in the older generation')
  t.equal(map.get('a'), before)
})

await t.test('a deleted value stays dead when its generation is still alive, and harms nobody there', async (t) => {
  const map = createBoundedMap<Thing>(10)
  const [gone, stays] = filled(map, 2) as [Thing, Thing]
  map.delete('k0')
  t.notOk(gone.home.live)
  t.ok(stays.home.live)
})

await t.test('clear ends everything at once, and the map goes on', async (t) => {
  const map = createBoundedMap<Thing>(4)
  const all = filled(map, 4)
  map.clear()
  t.ok(all.every((value) => !value.home.live))
  t.equal(map.size(), 0)
  t.ok(filled(map, 2).every((value) => value.home.live))
})

await t.test('a map without capacity holds nothing', async (t) => {
  const map = createBoundedMap<Thing>(0)
  const [value] = filled(map, 1) as [Thing]
  t.equal(map.get('k0'), undefined)
  t.notOk(value.home.live)
  t.equal(map.size(), 0)
})
