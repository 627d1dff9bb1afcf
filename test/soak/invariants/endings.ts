// When each session of a history was opened, and when it was ended: surely (an answer said so), or perhaps (somebody tried).
// What ends all sessions of a user ends those that were surely open before it began, and perhaps those that were being opened.
import { grouped, isMaybe, isOk, opens } from './verdict.ts'
import type { Call, Fault, History } from '../history.ts'
import type { Rules } from '../rules.ts'

export interface Life {
  sid: string
  user: string
  opened: Call
  /** Revocations that were acknowledged: the calls that were told so. */
  ended: Call[]
  /** Calls that may have ended it, those among them. */
  tries: Call[]
  /** Refreshes of its own that may have been taken for a thief's. */
  misuses: Set<Call>
}

/** Whether something may have ended it before `time`, `beside` that call. */
export const isTried = ({ tries }: Life, time: number, beside?: Call): boolean => tries.some((call) => call !== beside && call.t0 <= time)

/**
 * When the service was through with a call. One whose client hung up is done all the same, by an instance that was frozen when it goes
 * on: seen as a session that ended 1.3 s after a thaw, since the client had refreshed elsewhere twice meanwhile.
 */
const doneAt = (call: Call, faults: readonly Fault[], slackMs: number): number => !isMaybe(call)
  ? call.t1
  : Math.max(call.t1, ...faults.filter(({ name, inst, t0, healed }) => name === 'instance frozen' && inst === call.inst && t0 <= call.t1 && call.t0 <= healed).map(({ t1 }) => t1 + slackMs))

/** Refresh tokens that were presented again when that might have been a thief's doing: after the grace, or a successor was used. */
function misused (refreshes: readonly Call[], faults: readonly Fault[], { graceMs, slackMs }: Rules): Call[] {
  const presented = new Map<string, Call[]>()
  const successors = new Map<string, Set<string>>()
  for (const call of refreshes) {
    presented.set(call.rt as string, [...presented.get(call.rt as string) ?? [], call])
    if (isOk(call) && call.out?.rt !== undefined) successors.set(call.rt as string, (successors.get(call.rt as string) ?? new Set()).add(call.out.rt))
  }
  return refreshes.filter((call) => {
    const done = doneAt(call, faults, slackMs)
    const before = (presented.get(call.rt as string) ?? []).filter((one) => one !== call && one.t0 < done && (isOk(one) || isMaybe(one)))
    const isLate = before.some(({ t0 }) => done - t0 > graceMs - slackMs)
    const isOvertaken = [...successors.get(call.rt as string) ?? []].some((next) => (presented.get(next) ?? []).some(({ t0 }) => t0 < done))
    return isLate || isOvertaken
  })
}

type Lives = ReadonlyMap<string, Life>

function openedIn (calls: readonly Call[]): Lives {
  const lives = new Map<string, Life>()
  for (const call of calls) {
    const { sid, who } = call.out ?? {}
    if (opens(call) && isOk(call) && sid !== undefined && who !== undefined) lives.set(sid, { sid, user: who, opened: call, ended: [], tries: [], misuses: new Set() })
  }
  return lives
}

/** Logout, the end of one device, and the theft that was found out. */
function noteSingle (lives: Lives, calls: readonly Call[]): void {
  for (const call of calls) {
    const isEnding = call.op === 'logout' || call.op === 'delete'
    const isTheft = call.op === 'replay' || (call.status === 401 && call.code === 'refresh_token_reused')
    const life = lives.get((call.op === 'delete' ? call.target : call.sid) as string)
    if (life === undefined || !(isTheft || (isEnding && (isOk(call) || isMaybe(call))))) continue
    life.tries.push(call)
    if (isEnding ? isOk(call) : call.status === 401) life.ended.push(call)
  }
}

/** Logout of all devices, and a change of the password (which is made even if the caller has been signed out meanwhile). */
function noteWide (lives: Lives, calls: readonly Call[]): void {
  const byUser = grouped([...lives.values()], ({ user }) => user)
  const wide = calls.filter((call) => (call.op === 'logout-all' || call.op === 'password') && (isOk(call) || isMaybe(call) || (call.op === 'password' && call.status === 401)))
  const touched = (call: Call): Life[] => (byUser.get(call.user as string) ?? []).filter(({ opened }) => opened !== call && opened.t0 <= call.t1)
  for (const call of wide) for (const life of touched(call)) life.tries.push(call)
  for (const call of wide.filter(isOk)) {
    const caller = lives.get(call.sid as string)
    // a session that is over ends no others
    if (call.op === 'logout-all' && (caller === undefined || isTried(caller, call.t1, call))) continue
    // a new password ends whatever an older one opens beside it, too (I8)
    const isOlder = ({ opened }: Life): boolean => call.op === 'password' && (opened.value ?? 0) < (call.value as number)
    for (const life of touched(call)) if (life.opened.t1 < call.t0 || isOlder(life)) life.ended.push(call)
  }
}

export function livesOf ({ calls, faults }: History, rules: Rules): Map<string, Life> {
  const lives = openedIn(calls)
  noteSingle(lives, calls)
  for (const [sid, refreshes] of grouped(calls.filter(({ op }) => op === 'refresh'), ({ sid }) => sid)) {
    const life = lives.get(sid)
    for (const call of misused(refreshes, faults, rules)) {
      life?.misuses.add(call)
      life?.tries.push(call)
    }
  }
  noteWide(lives, calls)
  return lives as Map<string, Life>
}
