// When all is over: the counters are compared, every account is signed in to, every token that was ever given is tried once
// more, and the stores are looked at without changing anything.
import type { Db } from 'mongodb'
import { callHttp } from '../helper/http.ts'
import type { Deployment } from './deployment.ts'
import { mark, type Census, type Inst, type SessionFound, type VisitFound } from './history.ts'
import { createRandom } from './random.ts'
import type { Rules } from './rules.ts'
import type { Client } from './workload.ts'
import type { World } from './world.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })

interface SessionDocument { _id: string, userId: string, generation: number, tokenVersion: number, expiresAt: Date, revokedAt: Date | null }
interface UserDocument { _id: string, emailKey: string, tokenVersion: number }
interface VisitDocument { _id: string, userId: string | null, state: string, pages: { pageId: string }[], lastSeenAt: Date, endTime: Date | null }
interface LogDocument { _id: string, entry: { pageId?: string, at: Date } | null }

const liveIn = async (db: Db): Promise<number> => await db.collection<SessionDocument>('usersession').countDocuments({ revokedAt: null, expiresAt: { $gt: new Date() } })

/** Asks until the count that is told is right: it is put right by a job. */
async function compareCounters ({ db, instances }: Deployment, { cleanUpMs }: Rules): Promise<Census['stats']> {
  const giveUpAt = performance.now() + 2 * cleanUpMs + 5000
  for (;;) {
    const before = await liveIn(db)
    const answer = await callHttp(instances.a.origin, '/api/auth/health')
    const after = await liveIn(db)
    const stats = { told: Number(answer.json.sessionStats?.activeSessions), least: Math.min(before, after), most: Math.max(before, after) }
    if ((stats.told >= stats.least && stats.told <= stats.most) || performance.now() > giveUpAt) return stats
    await pause(250)
  }
}

/** Every account with its password, and with each of its sessions every refresh token, the oldest last. */
async function tryEverything ({ caller, sessions, accounts: _ }: Client, world: World, seed: number, rules: Rules): Promise<void> {
  const random = createRandom(seed, 'probe')
  const known = [...world.byKey.values()]
  const all = known.flatMap((user) => user.sessions)
  const where = (): Inst => random.chance(0.5) ? 'a' : 'b'
  for (const user of known) {
    for (const value of user.candidates) {
      await caller.send('login', where(), { method: 'POST', path: '/api/auth/login', from: '127.0.0.7', body: { email: user.email, password: user.passwords[value] }, about: { user: user.id, value }, read: caller.readTokens })
    }
  }
  for (const { sid, user, refresh } of all) {
    for (const { text } of [...refresh].reverse()) {
      await caller.send('refresh', where(), { method: 'POST', path: '/api/auth/refresh', body: { refreshToken: text }, about: { sid, user: user.id, rt: mark(text) }, read: caller.readTokens })
    }
  }
  await pause(rules.tMs)
  for (const session of all) for (const inst of ['a', 'b'] as const) await sessions.use(session, 'protected', inst)
}

async function visitsIn (db: Db, { visitIdleMs, archiveMs }: Rules): Promise<VisitFound[]> {
  const logs = new Map<string, { n: number, tag: string, at: number }[]>()
  for (const { _id, entry } of await db.collection<LogDocument>('visitlog').find().toArray()) {
    const [visit, kind, n] = _id.split(':') as [string, string, string]
    if (kind === 'page' && entry?.pageId !== undefined) logs.set(visit, [...logs.get(visit) ?? [], { n: Number(n), tag: entry.pageId, at: entry.at.getTime() }])
  }
  const lateBefore = Date.now() - visitIdleMs - 3 * archiveMs
  return (await db.collection<VisitDocument>('visits').find().toArray()).map(({ _id, userId, state, pages, lastSeenAt, endTime }) => {
    const log = state === 'archived' ? [] : (logs.get(_id) ?? []).sort((one, other) => one.n - other.n)
    const lastAt = Math.max(lastSeenAt.getTime(), ...log.map(({ at }) => at))
    return {
      visit: _id,
      user: userId,
      state,
      pages: [...pages.map(({ pageId }) => pageId), ...log.map(({ tag }) => tag)],
      isLate: state === 'ended' ? (endTime?.getTime() ?? 0) < lateBefore : state === 'running' && lastAt < lateBefore,
      hasEnd: endTime !== null
    }
  })
}

/** Waits until the job has archived what is due: after a fault it may have to move first. */
async function archivedVisits (db: Db, rules: Rules): Promise<VisitFound[]> {
  const giveUpAt = performance.now() + rules.jobMovesMs
  for (;;) {
    const visits = await visitsIn(db, rules)
    if (!visits.some(({ isLate }) => isLate) || performance.now() > giveUpAt) return visits
    await pause(500)
  }
}

async function sessionsIn (db: Db): Promise<SessionFound[]> {
  const versions = new Map((await db.collection<UserDocument>('users').find().toArray()).map(({ _id, tokenVersion }) => [_id, tokenVersion]))
  const found = await db.collection<SessionDocument>('usersession').find().toArray()
  return found.map(({ _id, userId, generation, tokenVersion, expiresAt, revokedAt }) =>
    ({ sid: _id, user: userId, generation, isLive: revokedAt === null && expiresAt.getTime() > Date.now() && versions.get(userId) === tokenVersion }))
}

/** @param client that is not one of the workload's */
export async function probeAll (deployment: Deployment, client: Client, { world, rules, seed }: { world: World, rules: Rules, seed: number }): Promise<Census> {
  const { db } = deployment
  const stats = await compareCounters(deployment, rules)
  await tryEverything(client, world, seed, rules)
  const accounts: Record<string, number> = {}
  for (const { emailKey } of await db.collection<UserDocument>('users').find().toArray()) accounts[emailKey] = (accounts[emailKey] ?? 0) + 1
  return { kind: 'census', at: client.caller.now(), sessions: await sessionsIn(db), accounts, visits: await archivedVisits(db, rules), stats }
}
