// The runner: a job runs once per interval, whichever of the instances looks first; it keeps the lease while it runs, and
// leaves it standing until the next run, or for the length of a lease when it throws.
import t, { type Test } from 'tap'
import { createJobRunner, leaseMs, type Job } from '../../../src/job/job-runner.ts'
import { createLeases, type Leases } from '../../../src/job/lease.ts'
import { createStillClock } from '../../helper/clock.ts'
import { mongodbUri } from '../../helper/engines.ts'
import { until } from '../../helper/service.ts'
import { openDb } from '../visit/visit-kit.ts'

const clock = createStillClock()
const db = await openDb(t, clock)
const isEmbedded = mongodbUri === undefined
const embeddedOnly = { skip: !isEmbedded && 'its clock is the system\'s' }
const everyMs = isEmbedded ? 60_000 : 400

type Run = (job: Job) => Promise<boolean>

const runner = (holder: string): Run => createJobRunner({ leases: createLeases(db), holder, clock })
const pair: [Run, Run] = [runner('a'), runner('b')]

/** Both instances look. @returns how many of them ran the job */
const look = async (job: Job): Promise<number> => (await Promise.all(pair.map((run) => run(job)))).filter(Boolean).length

/** Until the next interval has come, and the job has run in it. */
async function runNext (t: Test, job: Job): Promise<void> {
  if (isEmbedded) {
    clock.advance(everyMs - 1)
    t.equal(await look(job), 0, 'a millisecond before the interval is over')
    clock.advance(1)
  }
  let ran = 0
  await until(async () => (ran = await look(job)) > 0, 'it is due')
  t.equal(ran, 1)
}

await t.test('two instances run a job once per interval', async (t) => {
  const times: number[] = []
  const job = { name: 'once', everyMs, run: async () => { times.push(performance.now()) } }
  t.equal(await look(job), 1)
  t.equal(await look(job), 0)
  for (let intervals = 0; intervals < 2; intervals++) await runNext(t, job)
  t.equal(times.length, 3)
  if (!isEmbedded) for (const [i, time] of times.slice(1).entries()) t.ok(time - (times[i] as number) > everyMs - 20, 'a whole interval later')
})

await t.test('a job that throws is told, and is tried again when a lease has gone by and not before, however long its interval is', async (t) => {
  let runs = 0
  const job = { name: 'throws', everyMs: isEmbedded ? 3_600_000 : everyMs, run: async () => { if (++runs === 1) throw new Error('it failed') } }
  await t.rejects(pair[0](job), { message: 'it failed' })
  t.equal(await look(job), 0)
  if (isEmbedded) {
    clock.advance(leaseMs - 1)
    t.equal(await look(job), 0)
    clock.advance(1)
    t.equal(await look(job), 1)
  } else await runNext(t, job)
  t.equal(runs, 2)
})

await t.test('the interval is counted from the beginning of a run', embeddedOnly, async (t) => {
  let takesMs = 20_000
  const job = { name: 'counted', everyMs, run: async () => { clock.advance(takesMs) } }
  t.equal(await look(job), 1)
  clock.advance(everyMs - takesMs - 1)
  t.equal(await look(job), 0)
  clock.advance(1)
  takesMs = everyMs - 1 - leaseMs // the lease is held all the same
  t.equal(await look(job), 1)
  clock.advance(everyMs - takesMs)
  takesMs = everyMs + 1
  t.equal(await pair[0](job), true)
  t.equal(await pair[1](job), true, 'one that took longer than that is due at once')
})

/** A job that runs until it is told to end. */
function longJob (name: string): { job: Job, begun: Promise<void>, end: () => void } {
  let [begin, end] = [() => { /* set below */ }, () => { /* set below */ }]
  const begun = new Promise<void>((resolve) => { begin = resolve })
  const ended = new Promise<void>((resolve) => { end = resolve })
  const run = async (): Promise<void> => {
    begin()
    await ended
  }
  return { begun, end, job: { name, everyMs, run } }
}

await t.test('while one runs the job, the other does not', async (t) => {
  const { job, begun, end } = longJob('running')
  const running = pair[0](job)
  await begun
  t.equal(await pair[1](job), false)
  end()
  t.equal(await running, true)
})

await t.test('a holder that died is followed within the length of a lease, and takes nothing back', embeddedOnly, async (t) => {
  const { job, begun, end } = longJob('dead')
  const dead = pair[0](job) // its renewals do not come: no timer fires in a still test
  await begun
  clock.advance(leaseMs - 1)
  t.equal(await pair[1]({ ...job, run: async () => {} }), false)
  clock.advance(1)
  t.equal(await pair[1]({ ...job, run: async () => {} }), true)
  clock.advance(everyMs - 1)
  end()
  t.equal(await dead, true)
  clock.advance(1)
  t.equal(await pair[1]({ ...job, run: async () => {} }), true, 'the end of the dead one moved nothing')
})

await t.test('a run that is longer than a lease renews it, also after a renewal that failed, and stops with the run', async (t) => {
  const held: number[] = []
  const leases: Leases = {
    take: async () => true,
    async hold (_name, _holder, ms) {
      held.push(ms)
      if (held.length === 2) throw new Error('MongoDB does not answer')
      return true
    }
  }
  const { job, begun, end } = longJob('long')
  const timers: { beat: () => void, ms: number }[] = []
  t.intercept(globalThis, 'setInterval', { value: (beat: () => void, ms: number) => timers.push({ beat, ms }) })
  t.intercept(globalThis, 'clearInterval', { value: (id: number) => { delete timers[id - 1] } })
  const running = createJobRunner({ leases, holder: 'a', clock })(job)
  await begun
  t.match(timers, [{ ms: leaseMs / 3 }], 'three times in the length of a lease')
  for (let beats = 0; beats < 3; beats++) timers[0]?.beat()
  t.strictSame(held, [leaseMs, leaseMs, leaseMs])
  end()
  t.equal(await running, true)
  t.strictSame(held.slice(3), [everyMs])
  t.equal(timers[0], undefined)
})

await t.test('without an answer about the lease the job does not run', async (t) => {
  const fail = async (): Promise<never> => { throw new Error('MongoDB does not answer') }
  let runs = 0
  const run = createJobRunner({ leases: { take: fail, hold: fail }, holder: 'a', clock })
  await t.rejects(run({ name: 'silent', everyMs, run: async () => { runs++ } }), { message: 'MongoDB does not answer' })
  t.equal(runs, 0)
})
