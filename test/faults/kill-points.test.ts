// Story: kill -9 before and after each write of what ends sessions. A client's request stops at its n-th write, for n = 1,
// 2, 3 ... until one comes to its end; then the process is killed with all of them. What the stores hold then, and what a
// restarted and another instance make of it, is an allowed state, and a retry of the client comes to a good end.
import t, { type Test } from 'tap'
import { isLive, type SessionRecord } from '../../src/session/session-rules.ts'
import type { UserRecord } from '../../src/user/user-record.ts'
import { createTestClock } from '../helper/clock.ts'
import { realEngines } from '../helper/engines.ts'
import type { Call } from '../helper/http.ts'
import { login, register, type Login, type Person } from '../helper/people.ts'
import { createDeployment, startService, until, untilHearing } from '../helper/service.ts'
import { startDoomed, writesIn, type Struck } from './doomed-service.ts'

/** Devices of a person, the first of which asks. */
interface Devices { person: Person, acting: Login, others: Login[] }

interface Ending {
  what: string
  /** Writes to MongoDB that the design has: fewer would mean that they are not seen. */
  leastWrites: number
  /** Whether it concerns every session of the account, which then is nobody else's. */
  isOfAccount: boolean
  request: (devices: Devices) => [path: string, call: Call]
  ends: (devices: Devices) => Login[]
}

const all = ({ acting, others }: Devices): Login[] => [acting, ...others]
const allOthers = ({ others }: Devices): Login[] => others
const bySigned = (method: string, path: string) => ({ acting }: Devices): [string, Call] => [path, { method, token: acting.accessToken }]
const passwordAfter = (person: Person): Person => ({ ...person, password: `${person.password}-after` })

const change: Ending = {
  what: 'a change of password',
  leastWrites: 3,
  isOfAccount: true,
  request: ({ person, acting }) => ['/api/auth/profile/password', { method: 'PUT', token: acting.accessToken, body: { currentPassword: person.password, newPassword: passwordAfter(person).password } }],
  ends: all
}
const endings: Ending[] = [
  { what: 'logout', leastWrites: 1, isOfAccount: false, request: bySigned('POST', '/api/auth/logout'), ends: ({ acting }) => [acting] },
  { what: 'logout-all', leastWrites: 2, isOfAccount: true, request: bySigned('POST', '/api/auth/logout-all'), ends: all },
  { what: 'the end of another device', leastWrites: 1, isOfAccount: false, request: (devices) => bySigned('DELETE', `/api/auth/sessions/${devices.others[0]?.sid}`)(devices), ends: allOthers },
  { what: 'the end of all other devices', leastWrites: 1, isOfAccount: true, request: bySigned('DELETE', '/api/auth/sessions'), ends: allOthers }
]

/** Beside them, where there is a Redis: two counters and a tombstone at least. */
const leastInRedis = 3

t.setTimeout(300_000) // many hashes: twenty seconds where nobody else works

const env = { SESSIONS_PER_USER: '1000', LOGIN_LIMIT_PER_ADDRESS: '0', LOGIN_LIMIT_PER_ACCOUNT: '0', BCRYPT_CONCURRENCY: '2' }
const deployment = createDeployment(t)
const clock = createTestClock() // of every instance but the one that is killed
const other = realEngines ? await startService(t, { env, deployment, clock }) : undefined
if (other !== undefined) await untilHearing(other)
const doomed = await startDoomed(t, deployment, env)
const { person: crowd } = await register(doomed) // one account for all whose sessions are looked at one by one

/** The other instance answers for a session from its memory. */
async function knownElsewhere (signedIn: Login): Promise<Login> {
  if (other !== undefined && (await other.get('/api/protected', { token: signedIn.accessToken })).status !== 200) throw new Error('the other instance does not know it')
  return signedIn
}

/** An account of its own with three devices, or two more of the crowd's. */
async function devicesOf (isOfAccount: boolean): Promise<Devices> {
  const { person, ...first } = isOfAccount ? await register(doomed) : { person: crowd, ...await login(doomed, crowd) }
  const others = await Promise.all(Array.from({ length: isOfAccount ? 2 : 1 }, async () => await knownElsewhere(await login(doomed, person))))
  return { person, acting: await knownElsewhere(first), others }
}

const stories = await Promise.all([change, ...endings].map(async (ending) => ({ ending, struck: await doomed.strikeEach(() => devicesOf(ending.isOfAccount), ending.request) })))
await doomed.kill()
const restarted = await startService(t, { env, deployment, clock })
const instances = other === undefined ? [restarted] : [restarted, other]

/** What was found right after the kill, before anybody had asked: whether the sessions live. */
const found = new Map<Struck<Devices>, boolean>()

/** Whether the truth says that a session lives. */
async function isAlive ({ sid, userId }: Login): Promise<boolean> {
  const session = await restarted.db.collection<SessionRecord>('usersession').findOne({ _id: sid })
  return session !== null && isLive(session, await restarted.db.collection<UserRecord>('users').findOne({ _id: userId }), clock.wall())
}

/** Whether all of them live or all are over, by the truth; a mixture fails. */
async function areAlive (t: Test, sessions: readonly Login[], where: string): Promise<boolean> {
  const alive = await Promise.all(sessions.map(isAlive))
  t.equal(new Set(alive).size, 1, `${where}: all of them or none`)
  return alive[0] as boolean
}

const whereOf = ({ stopped }: Struck<Devices>): string => stopped ?? 'answered'

for (const { ending, struck } of stories) {
  await t.test(`killed at each write of ${ending.what}, the truth knows all of the sessions as alive or all as over`, async (t) => {
    t.ok(writesIn(struck) >= ending.leastWrites + (other === undefined ? 0 : leastInRedis), `it makes ${writesIn(struck)} writes`)
    for (const one of struck) {
      const alive = await areAlive(t, ending.ends(one.subject), whereOf(one))
      if (one.stopped === undefined) t.notOk(alive, 'what was acknowledged was done')
      found.set(one, alive)
    }
    t.strictSame(new Set(struck.map((one) => found.get(one))), new Set([true, false]), 'both worlds were met')
  })
}

await t.test('within VERDICT_TTL_SECONDS every instance says what the truth says', async (t) => {
  clock.advance(60_000)
  for (const { ending, struck } of stories) {
    for (const one of struck) {
      for (const { accessToken } of ending.ends(one.subject)) {
        for (const instance of instances) t.equal((await instance.get('/api/protected', { token: accessToken })).status, found.get(one) ? 200 : 401, `${ending.what}: ${whereOf(one)}`)
      }
    }
  }
})

await t.test('a password change that was killed leaves one password, and never two or none', async (t) => {
  for (const one of stories[0]?.struck ?? []) {
    const { person } = one.subject
    const isOld = found.get(one) as boolean
    const passwords = [[person, isOld], [passwordAfter(person), !isOld]] as const
    for (const [{ email, password }, isRight] of passwords) t.equal((await restarted.post('/api/auth/login', { email, password })).status, isRight ? 200 : 401, whereOf(one))
  }
})

for (const { ending, struck } of stories) {
  await t.test(`a retry of ${ending.what} comes to a good end`, async (t) => {
    for (const one of struck) {
      const [path, call] = ending.request(one.subject)
      const { status } = await restarted.call(path, call)
      if (ending !== change || found.get(one)) t.ok([200, 204].includes(status), `${whereOf(one)}: ${status}`)
      else t.equal(status, 401, `${whereOf(one)}: it was done, and the device that asks is signed out`)
      t.notOk(await areAlive(t, ending.ends(one.subject), whereOf(one)), 'the truth says that they are over')
      for (const { accessToken, refreshToken } of ending.ends(one.subject)) {
        t.equal((await restarted.post('/api/auth/refresh', { refreshToken })).status, 401)
        for (const instance of instances) await until(async () => (await instance.get('/api/protected', { token: accessToken })).status === 401, 'every instance hears of it', 2000)
      }
    }
  })
}

await t.test('whose change was undone by the kill signs in with the new password after the retry', async (t) => {
  for (const one of stories[0]?.struck.filter((one) => found.get(one)) ?? []) {
    const { person } = one.subject
    t.equal((await restarted.post('/api/auth/login', { email: person.email, password: person.password })).status, 401)
    const { accessToken } = await login(restarted, passwordAfter(person))
    t.equal((await restarted.get('/api/protected', { token: accessToken })).status, 200)
  }
})
