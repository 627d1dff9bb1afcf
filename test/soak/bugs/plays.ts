// For each bug a short play in which it shows: what has to happen at the same time happens again and again, on purpose.
// Without the bug nothing is wrong with any of them.
import { faultKinds, type FaultKind } from '../faults.ts'
import { isOk, type Inst } from '../history.ts'
import { rules, type Rules } from '../rules.ts'
import { breakOnce } from '../schedule.ts'
import type { Stage } from '../stage.ts'
import type { Client } from '../workload.ts'
import type { Session, User } from '../world.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })
/** Does something several times, one after the other. */
async function repeat (count: number, work: () => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done++) await work()
}

/** Copies live for much longer than T, and tokens for longer than those. */
const longCopies: Rules = { ...rules, faultMs: 12_000, accessMs: 60_000, idleMs: 90_000, absoluteMs: 120_000 }

interface Scene { stage: Stage, client: Client, user: User }

export interface Play { rules: Rules, act: (scene: Scene) => Promise<void> }

async function logIn ({ client, user }: Scene): Promise<Session> {
  for (let tries = 0; tries < 5; tries++) {
    const session = await client.sessions.login(user)
    if (session !== undefined) return session
    await pause(500)
  }
  throw new Error('the play cannot begin: no login')
}

/** Asks with tokens of a session on both instances for a while. */
async function keepAsking ({ client }: Scene, session: Session, forMs: number, insts: readonly Inst[] = ['a', 'b']): Promise<void> {
  const until = client.caller.now() + forMs
  while (client.caller.now() < until) {
    for (const token of [session.access, ...session.olderAccess]) {
      await Promise.all(insts.map((inst) => client.sessions.use(session, 'protected', inst, token)))
    }
    await pause(150)
  }
}

/**
 * A reading of the truth is on its slow way to Redis while its session is ended elsewhere; then an instance that has heard
 * nothing of it starts. That Redis forgets and that the network takes a tenth of a second is no fault: T holds.
 */
async function overtakeFills (scene: Scene): Promise<void> {
  const { client, stage: { deployment, recorder, now } } = scene
  const ended: Session[] = []
  for (const afterMs of [115, 135, 155, 175]) {
    const sessions: Session[] = []
    await repeat(6, async () => sessions.push(await logIn(scene)))
    await deployment.withRedis((redis) => redis.flushall())
    deployment.network.a.redis.set('delay', { ms: 100, dir: 'c2s' })
    const checks = Promise.all(sessions.map((session) => client.sessions.use(session, 'protected', 'a')))
    await pause(afterMs)
    await client.sessions.logoutAll(sessions[0] as Session, 'b')
    await checks
    deployment.network.a.redis.set('pass')
    ended.push(...sessions)
  }
  const killed = faultKinds.find(({ name }) => name === 'instance killed') as FaultKind
  await breakOnce(killed, { deployment, recorder, now, inst: 'a', lastingMs: 0 })
  await pause(rules.tMs - 1000)
  await repeat(8, async () => {
    await Promise.all(ended.map((session) => client.sessions.use(session, 'protected', 'a')))
    await pause(300)
  })
}

async function refreshTogether (scene: Scene): Promise<void> {
  const { client } = scene
  let session = await logIn(scene)
  await repeat(25, async () => {
    const text = session.refresh.at(-1)?.text as string
    const sent = await Promise.all((['a', 'b', 'a', 'b', 'a', 'b'] as const).map((inst) => client.sessions.present(session, text, inst)))
    const last = sent.filter(({ call }) => isOk(call)).at(-1)
    if (last === undefined) session = await logIn(scene)
    else client.caller.renew(session, last.json)
  })
}

async function endAndAsk (scene: Scene): Promise<void> {
  const sessions: Session[] = []
  await repeat(3, async () => sessions.push(await logIn(scene)))
  await Promise.all(sessions.map(async (session) => {
    await scene.client.sessions.refresh(session)
    await keepAsking(scene, session, 500)
    await scene.client.sessions.logout(session, 'a')
    await keepAsking(scene, session, rules.tMs + 2000)
  }))
}

async function outliveToken (scene: Scene): Promise<void> {
  const session = await logIn(scene)
  await keepAsking(scene, session, session.access.exp - scene.client.caller.now() + 3000)
}

async function notePagesTogether (scene: Scene): Promise<void> {
  const session = await logIn(scene)
  await repeat(30, () => Promise.all([scene.client.accounts.notePages(session), scene.client.accounts.notePages(session)]))
}

/** By the name of the bug. */
export const plays: Readonly<Record<string, Play>> = {
  'fill-without-nx': { rules: longCopies, act: overtakeFills },
  'read-then-write-rotation': { rules: longCopies, act: refreshTogether },
  'blacklist-by-token-text': { rules: longCopies, act: endAndAsk },
  'swallowed-publish-error': { rules: longCopies, act: endAndAsk },
  'no-expiry-check-on-a-cached-verdict': { rules: { ...longCopies, accessMs: 3000 }, act: outliveToken },
  'non-atomic-page-append': { rules: longCopies, act: notePagesTogether }
}
