// The meter: what is read at a scrape is bounded in time, and a meter that is off does nothing at all.
import t from 'tap'
import { createMeter, readMs, sample, silentMeter, type Instruments, type Sample } from '../../../src/meter/meter.ts'
import { createStillClock } from '../../helper/clock.ts'

function createKit () {
  const clock = createStillClock()
  const added: unknown[][] = []
  const observed: unknown[][] = []
  const scrapes: (readonly Sample[])[] = []
  const instruments: Instruments = {
    add: (...args) => { added.push(args) },
    observe: (...args) => { observed.push(args) },
    show: (samples) => { scrapes.push(samples) },
    text: async () => `scrape ${scrapes.length}`,
    contentType: 'text/plain'
  }
  return { clock, added, observed, scrapes, meter: createMeter(instruments, clock) }
}

await t.test('readers are asked at each scrape, and what they say is shown together', async (t) => {
  const { meter, scrapes } = createKit()
  let held = 1
  meter.read(() => [sample('latchkey_memory_entries', { kind: 'sessions' }, held++)])
  meter.read(async () => [sample('latchkey_store_connected', { store: 'mongo' }, true)])
  t.equal(await meter.scrape(), 'scrape 1')
  t.equal(await meter.scrape(), 'scrape 2')
  t.strictSame(scrapes.map((samples) => samples.map(({ value }) => value)), [[1, 1], [2, 1]])
})

await t.test('a reader that never answers, and one that fails, show nothing and hold nobody up', async (t) => {
  const { meter, scrapes } = createKit()
  meter.read(() => new Promise<never>(() => { /* never */ }))
  meter.read(async () => { throw new Error('away') })
  meter.read(() => { throw new Error('away') })
  meter.read(() => [sample('latchkey_memory_entries', { kind: 'tokens' }, 7)])
  const begin = performance.now()
  await meter.scrape()
  t.ok(performance.now() - begin < readMs + 300)
  t.strictSame(scrapes[0]?.map(({ value }) => value), [7])
})

await t.test('many scrapes at a time are one', async (t) => {
  const { meter, scrapes } = createKit()
  meter.read(async () => [])
  t.strictSame(await Promise.all([meter.scrape(), meter.scrape(), meter.scrape()]), ['scrape 1', 'scrape 1', 'scrape 1'])
  await meter.scrape()
  t.equal(scrapes.length, 2, 'and the next one reads anew')
})

await t.test('statistics are three numbers, read at the scrape', async (t) => {
  const { meter, scrapes } = createKit()
  meter.statistics(async () => ({ activeSessions: 3, cachedProfiles: 2, blacklistedTokens: 1 }))
  await meter.scrape()
  t.strictSame(scrapes[0], [
    { name: 'latchkey_active_sessions', labels: {}, value: 3 },
    { name: 'latchkey_cached_profiles', labels: {}, value: 2 },
    { name: 'latchkey_blacklisted_tokens', labels: {}, value: 1 }
  ])
})

await t.test('a store\'s operations are timed under its name; what it refuses for a reason is no failure', async (t) => {
  const { meter, added, observed, clock } = createKit()
  const users = meter.timedStore('mongo', 'users', {
    async find () { clock.advance(5) },
    async insert () { throw Object.assign(new Error('no answer'), { name: 'MongoNetworkError' }) }
  })
  await users.find()
  await t.rejects(users.insert())
  t.strictSame(observed, [['latchkey_store_seconds', { store: 'mongo', operation: 'users.find' }, 0.005], ['latchkey_store_seconds', { store: 'mongo', operation: 'users.insert' }, 0]])
  t.strictSame(added, [['latchkey_store_failures_total', { store: 'mongo', operation: 'users.insert' }, 1]])
})

await t.test('what is no duration is not observed', (t) => {
  const { meter, observed } = createKit()
  for (const seconds of [NaN, -1, 0]) meter.observe('latchkey_revocation_lag_seconds', {}, seconds)
  t.strictSame(observed, [['latchkey_revocation_lag_seconds', {}, 0]])
  t.end()
})

await t.test('runs of jobs are counted by outcome and timed, and so is what they have done', (t) => {
  const { meter, added, observed } = createKit()
  meter.jobRan('clean-up', 1.5, 'unavailable')
  meter.jobItems('clean-up', 'sessions', 12)
  t.strictSame(added, [['latchkey_job_runs_total', { job: 'clean-up', outcome: 'unavailable' }, 1], ['latchkey_job_items_total', { job: 'clean-up', kind: 'sessions' }, 12]])
  t.strictSame(observed, [['latchkey_job_seconds', { job: 'clean-up' }, 1.5]])
  t.end()
})

await t.test('a meter that is off wraps nothing and keeps nothing', async (t) => {
  const target = { async find () { return 1 } }
  t.equal(silentMeter.timed(target, () => { t.fail('reported') }), target)
  t.equal(silentMeter.timedStore('mongo', 'users', target), target)
  const breaker = { isOpen: () => false }
  t.equal(silentMeter.breaker('limits', breaker), breaker)
  silentMeter.read(() => { throw new Error('asked') })
  silentMeter.statistics(() => { throw new Error('asked') })
  silentMeter.add('latchkey_logins_total', { outcome: 'ok' })
  silentMeter.observe('latchkey_job_seconds', { job: 'x' }, 1)
  silentMeter.jobRan('x', 1, 'ok')
  silentMeter.jobItems('x', 'y', 1)
  t.equal(await silentMeter.scrape(), '')
})
