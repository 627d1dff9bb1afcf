// What clients do with accounts and visits: make them, change them, note pages. Values that are written are numbered, and one
// client at a time writes those of an account, so that what may be read afterwards is known.
import { randomBytes } from 'node:crypto'
import { isMaybe, isOk, type Inst } from './history.ts'
import { aboutOf, other, type Hands, type SessionOperations } from './session-operations.ts'
import { bury, fullNameOf, languageOf, liveOf, type Session, type User, type World } from './world.ts'

const newPassword = (): string => `Soak-${randomBytes(12).toString('hex')}`

export function createAccountOperations ({ caller, random, where, onEnded }: Hands, { note, use }: SessionOperations, world: World, client: string) {
  /** @returns undefined where nobody knows whether there is such an account now */
  async function register (key: string, { isContested = false } = {}): Promise<User | undefined> {
    const [email, password] = [`${key}@soak.example`, newPassword()]
    const attempt = (address: string, inst = where()) => caller.send('register', inst, {
      method: 'POST', path: '/api/auth/register', body: { email: address, username: key, password }, about: { user: email }, read: caller.readTokens
    })
    const inst = where()
    const sent = isContested ? await Promise.all([attempt(email, inst), attempt(email.toUpperCase(), other(inst))]) : [await attempt(email, inst)]
    const won = sent.find(({ call }) => isOk(call))
    if (won === undefined) return undefined
    const user: User = { id: won.json.user.id, key, email, username: key, passwords: [password], candidates: [0], unsureSince: 0, isChanging: false, sessions: [], prefs: 0, name: 0 }
    world.byKey.set(key, user)
    caller.openSession(user, won.json)
    return user
  }

  async function changePassword (session: Session): Promise<void> {
    const { user } = session
    if (user.isChanging || user.candidates.length > 1) return
    user.isChanging = true
    const [from, to] = [user.candidates[0] as number, user.passwords.push(newPassword()) - 1]
    const before = liveOf(user)
    user.candidates = [from, to] // while it is under way, either may be right
    const body = { currentPassword: user.passwords[from], newPassword: user.passwords[to] }
    const sent = await caller.send('password', where(), { method: 'PUT', path: '/api/auth/profile/password', token: session.access.text, body, about: { ...aboutOf(session, session.access), value: to, target: String(from) }, read: caller.readTokens })
    if (isOk(sent.call)) {
      user.candidates = [to]
      for (const one of before) {
        bury(one, caller.now())
        onEnded(one)
      }
      caller.openSession(user, sent.json)
    } else if (isMaybe(sent.call) || sent.status === 401) user.unsureSince = caller.now()
    else user.candidates = [from]
    note(session, sent)
    user.isChanging = false
  }

  /** Half of what is written is looked at on the other instance, right before, so that a copy stands there, and right after. */
  async function lookedAt (session: Session, write: (inst: Inst) => Promise<void>): Promise<void> {
    const inst = where()
    const isLookedAt = random.chance(0.5)
    if (isLookedAt) await use(session, 'profile', other(inst))
    await write(inst)
    if (isLookedAt) await use(session, 'profile', other(inst))
  }

  const writePrefs = (session: Session): Promise<void> => lookedAt(session, async (inst) => {
    const value = ++session.user.prefs
    note(session, await caller.send('prefs-write', inst, { method: 'POST', path: '/api/preferences', token: session.access.text, body: { language: languageOf(session.user, value) }, about: { ...aboutOf(session, session.access), value }, read: caller.readPrefs }))
  })

  const writeName = (session: Session): Promise<void> => lookedAt(session, async (inst) => {
    const value = ++session.user.name
    note(session, await caller.send('profile-write', inst, { method: 'PUT', path: '/api/auth/profile', token: session.access.text, body: { fullName: fullNameOf(session.user, value) }, about: { ...aboutOf(session, session.access), value }, read: caller.readProfile }))
  })

  /** One page, or several at once by way of both instances. */
  async function notePages (session: Session): Promise<void> {
    session.hasVisit = true
    const inst = where()
    const count = random.chance(0.3) ? random.int(2, 4) : 1
    await Promise.all(Array.from({ length: count }, async (_, i) => {
      const target = `/${session.user.key}/${client}/${++world.pages}`
      const about = { ...aboutOf(session, session.access), target }
      note(session, await caller.send('page', i % 2 === 0 ? inst : other(inst), { method: 'POST', path: '/api/session/page', token: session.access.text, body: { pageId: target }, about }))
    }))
  }

  const readVisit = ({ id, pagesVisited, nextCursor, sessionDuration }: { id: string, pagesVisited: string[], nextCursor: string | null, sessionDuration: number }) =>
    ({ visit: id, items: pagesVisited, isCut: nextCursor !== null, seconds: sessionDuration })

  async function readPages (session: Session): Promise<void> {
    note(session, await caller.send('visit-read', where(), { path: '/api/session?limit=200', token: session.access.text, about: aboutOf(session, session.access), read: readVisit as never }))
  }

  async function endVisit (session: Session): Promise<void> {
    session.hasVisit = false
    note(session, await caller.send('visit-end', where(), { method: 'DELETE', path: '/api/session?limit=200', token: session.access.text, about: aboutOf(session, session.access), read: readVisit as never }))
  }

  return { register, changePassword, writePrefs, writeName, notePages, readPages, endVisit }
}

export type AccountOperations = ReturnType<typeof createAccountOperations>
