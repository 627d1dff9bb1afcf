// Who does what, how often: eight clients that share ten users and have some of their own, and those who go on
// asking with tokens of sessions that are over (REQUIREMENTS section 4).
import { createAccountOperations } from './account-operations.ts'
import { createCaller } from './caller.ts'
import type { Inst, Recorder } from './history.ts'
import { createRandom } from './random.ts'
import type { Rules } from './rules.ts'
import { createSessionOperations, type Hands } from './session-operations.ts'
import { liveOf, type Session, type User, type World } from './world.ts'

const weights = {
  profile: 60, refresh: 10, login: 5, logout: 3, 'logout-all': 1, delete: 2, password: 1, 'prefs-write': 4, 'prefs-read': 5, page: 7, 'visit-read': 3, 'visit-end': 1, list: 2, 'profile-write': 2, register: 1, replay: 1
}

export const clientNames = Array.from({ length: 8 }, (_, i) => `c${i}`)
const hotUsers = 10
const ownUsers = 2

/** Milliseconds after the end of a session at which its token is tried again, on both instances. */
const lookAgain = [0, 50, 300, 1500, 3100, 5200]

const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })

export interface WorkloadOptions { seed: number, origins: Record<Inst, string>, recorder: Recorder, world: World, rules: Rules, began: { mono: number, wall: number }, isOver: () => boolean }

export function createClient (client: string, { seed, isOver, rules, ...options }: WorkloadOptions) {
  const random = createRandom(seed, client)
  const caller = createCaller({ client, ...options })
  const lookers: Promise<unknown>[] = []
  const where = (): Inst => random.chance(0.5) ? 'a' : 'b'
  const hands: Hands = {
    caller,
    random,
    where,
    onEnded (session) {
      if (random.chance(0.5)) lookers.push(look(session))
    }
  }
  const sessions = createSessionOperations(hands)
  const accounts = createAccountOperations(hands, sessions, options.world, client)

  /** Whether a session that is over is let in: the newest token and one before it. */
  async function look (session: Session): Promise<void> {
    const begin = caller.now()
    const token = random.chance(0.5) ? session.access : session.olderAccess.at(-1) ?? session.access
    for (const at of lookAgain) {
      await pause(begin + at - caller.now())
      await Promise.all((['a', 'b'] as const).map((inst) => sessions.use(session, 'protected', inst, token)))
    }
  }

  const ownOf = (): User[] => options.world.owned.get(client) ?? []
  const isMine = (user: User): boolean => options.world.hot.indexOf(user) % clientNames.length === clientNames.indexOf(client) || ownOf().includes(user)
  const someUser = (filter = (_user: User) => true): User | undefined => random.pick((random.chance(0.7) ? options.world.hot : ownOf()).filter(filter))

  /** A session of somebody, logged in to if need be; sometimes one that is over. */
  async function someSession (user = someUser()): Promise<Session | undefined> {
    if (user === undefined) return undefined
    const over = user.sessions.filter(({ state, diedAt }) => state === 'dead' && caller.now() - diedAt < 2 * rules.faultMs)
    if (over.length > 0 && random.chance(0.08)) return random.pick(over)
    const live = liveOf(user)
    const session = live.length < 2 ? await sessions.login(user) : random.pick(live)
    if (session !== undefined && session.access.exp < caller.now() + 200 && random.chance(0.8)) await sessions.refresh(session)
    return session
  }

  /** One that has noted pages, if there is any. */
  async function someVisit (): Promise<Session | undefined> {
    return random.pick((someUser()?.sessions ?? []).filter(({ state, hasVisit }) => state === 'live' && hasVisit)) ?? await someSession()
  }

  async function replayOne (): Promise<void> {
    const spent = (someUser()?.sessions ?? []).filter(({ refresh }) => refresh.length > 2 || (refresh.length === 2 && caller.now() - (refresh[1]?.at ?? Infinity) > rules.graceMs + 500))
    const session = random.pick(spent)
    const text = random.pick(session?.refresh.slice(0, session.refresh.length > 2 ? -2 : -1) ?? [])?.text
    if (session !== undefined && text !== undefined) await sessions.replay(session, text)
  }

  async function act (): Promise<void> {
    const op = random.weighted(weights)
    if (op === 'register') await accounts.register(`${client.replace('c', 'u')}r${random.int(0, 1e6)}`, { isContested: random.chance(0.4) })
    else if (op === 'replay') await replayOne()
    else if (op === 'login') await sessions.login(someUser() as User)
    else await actWith(op)
  }

  async function actWith (op: Exclude<keyof typeof weights, 'register' | 'replay' | 'login'>): Promise<void> {
    const isWriting = ['password', 'prefs-write', 'profile-write'].includes(op)
    const session = op.startsWith('visit-') ? await someVisit() : await someSession(isWriting ? someUser(isMine) : undefined)
    if (session === undefined) return
    switch (op) {
      case 'profile': {
        const token = session.olderAccess.length > 0 && random.chance(0.15) ? session.olderAccess.at(-1) : undefined
        return await sessions.use(session, random.chance(0.5) ? 'profile' : 'protected', where(), token ?? session.access)
      }
      case 'prefs-read': case 'list': return await sessions.use(session, op)
      case 'refresh': return await sessions.refresh(session)
      case 'logout': return await sessions.logout(session)
      case 'logout-all': return await sessions.logoutAll(session)
      case 'delete': return await sessions.endOther(session, random.pick(liveOf(session.user)) ?? session)
      case 'password': return await accounts.changePassword(session)
      case 'prefs-write': return await accounts.writePrefs(session)
      case 'profile-write': return await accounts.writeName(session)
      case 'page': {
        await accounts.notePages(session)
        return random.chance(0.4) ? await accounts.readPages(session) : undefined
      }
      case 'visit-read': return await accounts.readPages(session)
      case 'visit-end': return await accounts.endVisit(session)
    }
  }

  return {
    caller,
    sessions,
    accounts,
    async prepare () {
      const made: (User | undefined)[] = []
      for (let i = 0; i < ownUsers; i++) made.push(await accounts.register(`${client.replace('c', 'u')}p${i}`))
      options.world.owned.set(client, made.filter((user) => user !== undefined))
    },
    async run () {
      while (!isOver()) {
        await act()
        await pause(random.int(20, 70))
      }
      await Promise.all(lookers)
    }
  }
}

export type Client = ReturnType<typeof createClient>

export async function prepareHot (client: Client, world: World): Promise<void> {
  for (let i = 0; i < hotUsers; i++) {
    const user = await client.accounts.register(`u${i}h`)
    if (user === undefined) throw new Error('an account could not be made')
    world.hot.push(user)
    await client.sessions.login(user)
  }
}
