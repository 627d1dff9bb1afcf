// What clients do with sessions: use them, refresh them, end them. Each takes a session out of what the clients know and puts
// back what came of it.
import type { Caller, Sent } from './caller.ts'
import { isMaybe, isOk, mark, type Inst, type Op } from './history.ts'
import type { Random } from './random.ts'
import { bury, liveOf, type Session, type Token, type User } from './world.ts'

export interface Hands {
  caller: Caller
  random: Random
  /** One of the instances, by chance. */
  where: () => Inst
  /** Tells whoever looks after those that are over. */
  onEnded: (session: Session) => void
}

export const other = (inst: Inst): Inst => inst === 'a' ? 'b' : 'a'
const deadCodes = new Set(['session_revoked', 'refresh_token_reused', 'refresh_token_expired', 'refresh_token_invalid'])
const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })

/** What every call says of the session and the token that it was made with. */
export const aboutOf = ({ sid, user }: Session, token: Token) => ({ sid, user: user.id, exp: token.exp })

export function createSessionOperations ({ caller, random, where, onEnded }: Hands) {
  function note (session: Session, { call, code }: Sent): void {
    if (call.status === 401 && code !== undefined && deadCodes.has(code)) bury(session, caller.now())
  }

  async function login (user: User): Promise<Session | undefined> {
    const number = random.pick(user.candidates) as number
    const body = { ...(random.chance(0.5) ? { email: user.email } : { username: user.username }), password: user.passwords[number] }
    const sent = await caller.send('login', where(), { method: 'POST', path: '/api/auth/login', body, about: { user: user.id, value: number }, read: caller.readTokens })
    if (sent.status !== 200) return undefined
    if (user.candidates.length > 1 && caller.now() - user.unsureSince > 6000) user.candidates = [number]
    return caller.openSession(user, sent.json)
  }

  const reads: Readonly<Partial<Record<Op, { path: string, read: (json: never) => object }>>> = {
    profile: { path: '/api/auth/profile', read: caller.readProfile },
    protected: { path: '/api/protected', read: (json: { user: object }) => caller.readProfile(json.user) },
    'prefs-read': { path: '/api/preferences', read: caller.readPrefs },
    list: { path: '/api/auth/sessions?limit=200', read: (json: { items: { id: string }[], nextCursor: string | null }) => ({ items: json.items.map(({ id }) => id), isCut: json.nextCursor !== null }) }
  }

  async function use (session: Session, op: 'profile' | 'protected' | 'prefs-read' | 'list', inst = where(), token = session.access): Promise<void> {
    const { path, read } = reads[op] as { path: string, read: (json: never) => object }
    note(session, await caller.send(op, inst, { path, token: token.text, about: aboutOf(session, token), read: read as never }))
  }

  function present (session: Session, text: string, inst: Inst, loseAfterMs?: number): Promise<Sent> {
    const about = { sid: session.sid, user: session.user.id, rt: mark(text), exp: session.endsAt }
    return caller.send('refresh', inst, { method: 'POST', path: '/api/auth/refresh', body: { refreshToken: text }, about, read: caller.readTokens, ...(loseAfterMs !== undefined && { loseAfterMs }) })
  }

  /** As an honest client: one at a time, again at once where there was no answer, and what was answered is kept. */
  async function refresh (session: Session): Promise<void> {
    if (session.isBusy) return
    session.isBusy = true
    const text = session.refresh.at(-1)?.text as string
    const inst = where()
    let first: Sent[]
    if (random.chance(0.2)) first = await Promise.all([present(session, text, inst), present(session, text, other(inst))])
    else first = [await present(session, text, inst, random.chance(0.05) ? random.int(0, 8) : undefined)]
    for (let tries = 0, sent = first; ; tries++) {
      for (const one of sent) {
        note(session, one)
        if (isOk(one.call)) caller.renew(session, one.json)
      }
      if (sent.some(({ call }) => !isMaybe(call)) || tries === 4) break
      if (tries > 0) await pause(100)
      sent = [await present(session, text, tries % 2 === 0 ? other(inst) : inst)]
    }
    session.isBusy = false
  }

  async function logout (session: Session, inst = where()): Promise<void> {
    const text = session.refresh.at(-1)?.text as string
    const proof = random.chance(0.3) ? { body: { refreshToken: text } } : { token: session.access.text }
    const sent = await caller.send('logout', inst, { method: 'POST', path: '/api/auth/logout', ...proof, about: aboutOf(session, session.access) })
    if (isOk(sent.call)) end(session)
  }

  function end (session: Session): void {
    bury(session, caller.now())
    onEnded(session)
  }

  async function logoutAll (session: Session, inst = where()): Promise<void> {
    const before = liveOf(session.user)
    const sent = await caller.send('logout-all', inst, { method: 'POST', path: '/api/auth/logout-all', token: session.access.text, about: aboutOf(session, session.access) })
    if (isOk(sent.call) && sent.json.revoked > 0) for (const one of before) end(one)
    else note(session, sent)
  }

  async function endOther (session: Session, target: Session): Promise<void> {
    const sent = await caller.send('delete', where(), { method: 'DELETE', path: `/api/auth/sessions/${target.sid}`, token: session.access.text, about: { ...aboutOf(session, session.access), target: target.sid } })
    if (isOk(sent.call)) end(target)
    else note(session, sent)
  }

  /** A thief presents a refresh token that was used before; the owner finds out. */
  async function replay (session: Session, text: string): Promise<void> {
    const about = { sid: session.sid, user: session.user.id, rt: mark(text) }
    const sent = await caller.send('replay', where(), { method: 'POST', path: '/api/auth/refresh', body: { refreshToken: text }, about, read: caller.readTokens })
    note(session, sent)
    if (sent.status === 401) onEnded(session)
  }

  return { login, use, present, refresh, logout, logoutAll, endOther, replay, note }
}

export type SessionOperations = ReturnType<typeof createSessionOperations>
