// What MongoDB does to us (REQUIREMENTS 3.2), as far as an engine without a replica set can. Copies answer until they run out,
// everything else is put off with 503; what was acknowledged is there afterwards.
import { newPerson } from '../helper/people.ts'
import { until } from '../helper/service.ts'
import { callerAt, enrol } from './cast.ts'
import type { Cell, Stage } from './cell.ts'
import { verdictSeconds, wait } from './field.ts'

const verdictMs = verdictSeconds * 1000
const toMongo = ({ field: { instances } }: Stage) => instances.map(({ mongo }) => mongo)
/** What one instance may hold open to MongoDB: its pool, and what watches. */
const mostConnections = 60

/** Each door that needs the truth says so, soon. */
async function putsOff ({ field: { instances }, cast, fail }: Stage, withinMs: number): Promise<void> {
  const { person: { email, password }, refreshToken } = cast.prober
  const asked: [string, string, unknown][] = [
    ['login', '/api/auth/login', { email, password }],
    ['register', '/api/auth/register', newPerson()],
    ['refresh', '/api/auth/refresh', { refreshToken }]
  ]
  for (const instance of instances) {
    for (const [what, path, body] of asked) {
      const { status, ms } = await instance.call(path, { method: 'POST', body })
      if (status !== 503) fail(`${what}: ${status}`)
      if (ms > withinMs) fail(`${what} was put off after ${Math.round(ms)} ms`)
    }
    const { status } = await instance.call('/livez')
    if (status !== 200) fail(`/livez: ${status}`)
  }
}

/** Of many registrations of one address at a time, one is accepted (A9). */
async function registersOnce ({ field: { instances }, fail }: Stage): Promise<void> {
  for (let round = 0; round < 3; round++) {
    const person = newPerson()
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => callerAt(instances[n % 2 as 0 | 1]).post('/api/auth/register', { ...person, username: `${person.username}${n}` })))
    const accepted = answers.filter(({ status }) => status === 201).length
    if (accepted > 1) fail(`${accepted} accounts of one address`)
    for (const { status } of answers) if (![201, 409, 503].includes(status)) fail(`register: ${status}`)
  }
}

const diesAndReturns = { strike: ({ field }: Stage) => field.mongo.kill(), heal: ({ field }: Stage) => field.mongo.start() }

export const mongoCells: Cell[] = [
  {
    id: 'F-M1',
    fault: 'MongoDB is down when both instances start',
    required: 'they live and are not ready; what needs the truth is put off within 2 s',
    recoverWithinMs: 10_000,
    standsMs: 2000,
    async strike ({ field: { mongo, instances } }) {
      await Promise.all(instances.map((instance) => instance.kill()))
      await mongo.kill()
      for (const instance of instances) await instance.start()
    },
    async meanwhile (stage) {
      await putsOff(stage, 2000)
      for (const instance of stage.field.instances) {
        const { status } = await instance.call('/readyz')
        if (status !== 503) stage.fail(`readiness: ${status}`)
      }
    },
    heal: ({ field }) => field.mongo.start()
  },
  {
    id: 'F-M2',
    fault: 'MongoDB dies under load (kill -9) and stays away beyond T_fault',
    required: 'copies answer until they run out, then 503; nothing is acknowledged that is not done',
    recoverWithinMs: 10_000,
    standsMs: verdictMs + 3000,
    refusesAfterVerdict: true,
    ...diesAndReturns,
    meanwhile: (stage) => putsOff(stage, 2000)
  },
  {
    id: 'F-M3',
    fault: 'MongoDB dies and restarts with its data at once',
    required: 'every acknowledged account, session, page and preference is there',
    recoverWithinMs: 10_000,
    standsMs: 0,
    short: true,
    ...diesAndReturns
  },
  {
    id: 'F-M4',
    fault: 'MongoDB restarts empty',
    required: 'every old token is refused within T_fault, never with a 500; people can register, and each once',
    recoverWithinMs: verdictMs,
    standsMs: 0,
    losesAccounts: true,
    async strike ({ field: { mongo } }) {
      await mongo.kill()
      mongo.empty()
    },
    heal: ({ field }) => field.mongo.start(),
    async afterwards (stage) {
      const { field: { instances }, cast, fail, judge } = stage
      const old = [...cast.live, ...cast.refreshers]
      const left = judge.state.healAt + verdictMs + 500 - performance.now()
      for (const { accessToken: token } of old) {
        for (const instance of instances) await until(async () => (await instance.call('/api/protected', { token })).status === 401, 'an old token is refused', Math.max(1000, left)).catch((error: unknown) => { fail(String(error)) })
      }
      for (const { refreshToken } of old) {
        const { status } = await instances[0].call('/api/auth/refresh', { method: 'POST', body: { refreshToken } })
        if (status !== 401) fail(`an old refresh token: ${status}`)
      }
      await registersOnce(stage)
      await enrol(instances)
    }
  },
  {
    id: 'F-M5',
    fault: 'every answer of MongoDB is 2 s late (proxy)',
    required: 'checks from copies go on; everything else within 4 s or 503; no more connections than the pool has',
    recoverWithinMs: 5000,
    standsMs: 8000,
    strike (stage) { for (const proxy of toMongo(stage)) proxy.set('delay', { ms: 2000 }) },
    async meanwhile (stage) {
      for (const proxy of toMongo(stage)) if (proxy.live() > mostConnections) stage.fail(`${proxy.live()} connections`)
    },
    heal (stage) { for (const proxy of toMongo(stage)) proxy.set('pass') }
  },
  {
    id: 'F-M6',
    fault: 'MongoDB hangs (SIGSTOP, SIGCONT) beyond T_fault',
    required: 'as F-M5, with 503',
    recoverWithinMs: 10_000,
    standsMs: verdictMs + 2000,
    refusesAfterVerdict: true,
    strike ({ field }) { field.mongo.freeze() },
    async meanwhile (stage) {
      await putsOff(stage, 4000)
      for (const proxy of toMongo(stage)) if (proxy.live() > mostConnections) stage.fail(`${proxy.live()} connections`)
    },
    heal ({ field }) { field.mongo.thaw() }
  },
  {
    id: 'F-M7/half-open',
    fault: 'nothing comes back from MongoDB any more, connections stay',
    required: 'given up within 5 s; nothing is applied twice',
    recoverWithinMs: 10_000,
    standsMs: 7000,
    strike (stage) { for (const proxy of toMongo(stage)) proxy.set('mute') },
    heal (stage) { for (const proxy of toMongo(stage)) proxy.set('pass') }
  },
  {
    id: 'F-M7/partial',
    fault: 'connections end in the middle of a command or an answer (after 1 to 400 bytes, every 150 ms)',
    required: 'nothing is applied twice: one rotation for each successor, each page once',
    recoverWithinMs: 10_000,
    standsMs: 0,
    async strike (stage) {
      let turn = 0
      for (const end = performance.now() + 6000; performance.now() < end;) {
        for (const proxy of toMongo(stage)) proxy.set('cut', { bytes: 1 + Math.floor(Math.random() * 400), dir: turn++ % 2 === 0 ? 's2c' : 'c2s' })
        await wait(150)
      }
    },
    heal (stage) { for (const proxy of toMongo(stage)) proxy.set('pass') }
  },
  {
    id: 'F-M12',
    fault: 'the unique indexes are dropped, and the instances restart',
    required: 'they are made again before anybody can register; no address has two accounts',
    recoverWithinMs: 5000,
    standsMs: 0,
    async strike ({ field: { db, instances } }) {
      await db.collection('users').dropIndexes()
      await Promise.all(instances.map((instance) => instance.kill()))
      await Promise.all(instances.map((instance) => instance.start()))
    },
    meanwhile: registersOnce,
    heal () { /* nothing is left to do */ }
  },
  {
    id: 'F-M13',
    fault: 'Redis and MongoDB die together and stay away beyond T_fault',
    required: 'memory answers until its copies run out, then 503; never a 401; health within 1 s',
    recoverWithinMs: 15_000,
    standsMs: verdictMs + 3000,
    refusesAfterVerdict: true,
    async strike ({ field: { redis, mongo } }) { await Promise.all([redis.kill(), mongo.kill()]) },
    async meanwhile ({ field: { instances }, fail }) {
      for (const instance of instances) {
        for (const path of ['/livez', '/readyz', '/api/auth/health']) {
          const { status, ms } = await instance.call(path)
          if (status !== (path === '/livez' ? 200 : 503)) fail(`${path}: ${status}`)
          if (ms > 1000) fail(`${path} after ${Math.round(ms)} ms`)
        }
      }
    },
    async heal ({ field: { redis, mongo } }) { await Promise.all([redis.start(), mongo.start()]) }
  }
]
