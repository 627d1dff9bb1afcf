// Sends a call, measures it, and puts it into the history. What is not answered within the time of a patient client counts as
// not answered; the service may still be at it.
import { callHttp, type Answer, type Call as HttpCall } from '../helper/http.ts'
import { mark, type Call, type Inst, type Op, type Out, type Recorder } from './history.ts'
import type { Session, User, World } from './world.ts'
import { readValue } from './world.ts'

/** Milliseconds after which a client hangs up. */
const patienceMs = 15_000

export interface Sent { call: Call, status: number, code: string | undefined, json: Answer['json'] }

export interface Request extends HttpCall {
  path: string
  /** For the history. */
  about?: Partial<Pick<Call, 'user' | 'sid' | 'rt' | 'exp' | 'value' | 'target' | 'from'>>
  read?: (json: Answer['json']) => Out
  /** Milliseconds after which the client hangs up. */
  loseAfterMs?: number
}

export interface Caller {
  /** Milliseconds since the run began. */
  now: () => number
  send: (op: Op, inst: Inst, request: Request) => Promise<Sent>
  /** What a login, a refresh or a change of the password has answered. */
  readTokens: (json: Answer['json']) => Out
  openSession: (user: User, json: Answer['json']) => Session
  /** Takes over what a refresh has answered. */
  renew: (session: Session, json: Answer['json']) => void
  readProfile: (json: Answer['json']) => Out
  readPrefs: (json: Answer['json']) => Out
}

export interface CallerOptions { client: string, origins: Record<Inst, string>, recorder: Recorder, world: World, began: { mono: number, wall: number } }

/** End of an access token, seconds since the epoch. */
const endOf = (text: string): number => (JSON.parse(Buffer.from(text.split('.')[1] as string, 'base64url').toString()) as { exp: number }).exp

export function createCaller ({ client, origins, recorder, world, began }: CallerOptions): Caller {
  const now = (): number => performance.now() - began.mono
  const toRun = (wall: number | string): number => new Date(wall).getTime() - began.wall
  const expOf = (text: string): number => toRun(endOf(text) * 1000)
  const whoHas = (key: string | undefined): Pick<Out, 'who'> => key === undefined ? {} : { who: world.byKey.get(key)?.id ?? key }

  return {
    now,
    async send (op, inst, { path, about, read, loseAfterMs, ...request }) {
      const hangUp = new AbortController()
      const timer = setTimeout(() => { hangUp.abort() }, loseAfterMs ?? patienceMs)
      const t0 = now()
      const answer = await callHttp(origins[inst] as string, path, { ...request, signal: hangUp.signal }).catch(() => undefined)
      const t1 = now()
      clearTimeout(timer)
      const [status, json] = [answer?.status ?? 0, answer?.json]
      const isOk = status >= 200 && status < 300
      const call: Call = { kind: 'call', client, op, inst, t0, t1, status, ...(json?.code !== undefined && { code: json.code }), ...about, ...(isOk && read && { out: read(json) }) }
      recorder.add(call)
      return { call, status, code: json?.code, json }
    },
    readTokens: (json) => ({
      who: json.user.id,
      sid: json.session.id,
      exp: expOf(json.accessToken),
      rt: mark(json.refreshToken),
      endsAt: Math.min(toRun(json.session.expiresAt), toRun(json.session.absoluteExpiresAt)),
      absoluteAt: toRun(json.session.absoluteExpiresAt)
    }),
    openSession (user, json) {
      const session: Session = {
        sid: json.session.id,
        user,
        access: { text: json.accessToken, exp: expOf(json.accessToken) },
        olderAccess: [],
        refresh: [{ text: json.refreshToken, at: now() }],
        endsAt: toRun(json.session.expiresAt),
        absoluteAt: toRun(json.session.absoluteExpiresAt),
        isBusy: false,
        hasVisit: false,
        state: 'live',
        diedAt: 0
      }
      user.sessions.push(session)
      return session
    },
    renew (session, json) {
      if (session.refresh.some(({ text }) => text === json.refreshToken)) return // the same answer once more
      session.olderAccess.push(session.access)
      session.access = { text: json.accessToken, exp: expOf(json.accessToken) }
      session.refresh.push({ text: json.refreshToken, at: now() })
      session.endsAt = toRun(json.session.expiresAt)
    },
    readProfile ({ id, fullName, preferences }) {
      const [name, prefs] = [readValue(fullName), readValue(preferences?.language)]
      const foreign = [name.key, prefs.key].find((key) => key !== undefined && world.byKey.get(key)?.id !== id)
      return { who: foreign ?? id, name: name.value, ...(preferences !== undefined && { value: prefs.value }) }
    },
    readPrefs ({ language }) {
      const { value, key } = readValue(language)
      return { ...whoHas(key), value }
    }
  }
}
