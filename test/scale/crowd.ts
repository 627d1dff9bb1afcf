// What the doors cost while the stores are full, and what Redis is asked to do by them.
import { callEveryDoor } from '../helper/every-door.ts'
import { callHttp, type Call } from '../helper/http.ts'
import { loginOf, type Login } from '../helper/people.ts'
import { looksAtAll, watchRedis } from '../helper/redis-commands.ts'
import { until, type Caller } from '../helper/service.ts'
import { emailOf, password, type Stores } from './fill.ts'
import type { Instances } from './instances.ts'
import { ask, inMs, quantile, watch, type Note } from './measure.ts'

export const health = '/api/auth/health'
const minutes = 60_000

/** How many times each door is asked. */
const times = 300

export async function signIn (origin: string, n: number): Promise<Login & { ms: number }> {
  const answer = await ask(origin, '/api/auth/login', { method: 'POST', body: { email: emailOf(n), password } })
  return { ...loginOf(answer), ms: answer.ms }
}

export const callerOf = (origin: string): Caller => ({
  call: (path, call) => callHttp(origin, path, call),
  get: (path, call) => callHttp(origin, path, call),
  post: (path, body, call) => callHttp(origin, path, { method: 'POST', ...(body !== undefined && { body }), ...call })
})

/** @param counted sessions and users that the stores were filled with */
export async function measureCrowd ({ origins, linesOf }: Instances, { redis }: Stores, { sessions, users, note, say }: { sessions: number, users: number, note: Note, say: (text: string) => void }): Promise<void> {
  const [origin, other] = origins
  const first = await signIn(origin, 0)
  say('the job counts the sessions anew')
  const counts = () => linesOf('statistics').filter((line) => 'activeSessions' in line)
  const counting = await watch(origin, { '/livez': {}, '/api/protected': { token: first.accessToken } }, () => counts().length > 0)
  note('check, until all sessions are counted anew', `${inMs(counting['/api/protected'] ?? [])}; /livez beside it ${inMs(counting['/livez'] ?? [])}`)
  const { activeSessions } = counts()[0] as unknown as { activeSessions: number }
  note('sessions that the job has counted', String(activeSessions), { text: `${sessions} and a login`, isMet: Math.abs(activeSessions - sessions) <= 1 })

  await measureHealth(origin, sessions, note)
  const people: (Login & { ms: number })[] = []
  for (let n = 0; n < 100; n++) people.push(await signIn(origins[n % 2] as string, Math.floor(n * users / 100)))
  note('login (bcrypt cost 10)', inMs(people.map(({ ms }) => ms)))
  const each = async (what: string, path: string, callOf: (one: Login) => Call): Promise<void> => {
    const taken: number[] = []
    for (let n = 0; n < times; n++) taken.push((await ask(origins[n % 2] as string, path, callOf(people[n % people.length] as Login))).ms)
    note(what, inMs(taken))
  }
  await each('check, of a hundred tokens in turn', '/api/protected', ({ accessToken }) => ({ token: accessToken }))
  await each('profile', '/api/auth/profile', ({ accessToken }) => ({ token: accessToken }))
  await each('list of devices', '/api/auth/sessions', ({ accessToken }) => ({ token: accessToken }))
  const refreshed: number[] = []
  for (const { refreshToken } of people) refreshed.push((await ask(other, '/api/auth/refresh', { method: 'POST', body: { refreshToken } })).ms)
  note('refresh', inMs(refreshed))

  say('every door is called, and Redis tells what it is asked')
  const commands = await watchRedis(`redis://${redis.options.host}:${redis.options.port}`)
  const refused = (await Promise.all(origins.map((one) => callEveryDoor(callerOf(one))))).flat()
  await until(() => commands.seen.length > 0, 'Redis tells', minutes)
  commands.stop()
  const all = commands.seen.filter(looksAtAll)
  note('doors called under MONITOR that answered 4xx', refused.join(', ') || 'none')
  note('commands of every door that look at all keys', all.length === 0 ? `none of ${commands.seen.length}` : [...new Set(all.map(([name]) => name))].join(', '), { text: 'no KEYS, no SCAN', isMet: commands.seen.length > 100 && all.length === 0 })
}

async function measureHealth (origin: string, sessions: number, note: Note): Promise<void> {
  const { status, json } = await callHttp(origin, health)
  if (status !== 200) return note(health, `answers ${status}`, { text: '200', isMet: false })
  const found = Number(json.sessionStats?.activeSessions)
  note('active sessions that health tells', String(found), { text: `${sessions} within 1 %`, isMet: Math.abs(found - sessions) <= sessions / 100 })
  let asked = 0
  const taken = await watch(origin, { '/livez': {}, [health]: {} }, () => asked++ === times)
  const medianMs = quantile(taken[health] ?? [], 0.5)
  note('health, nothing beside it', `${inMs(taken[health] ?? [])}; /livez in the same run ${inMs(taken['/livez'] ?? [])}`, { text: 'median under 5 ms', isMet: medianMs < 5 })
}
