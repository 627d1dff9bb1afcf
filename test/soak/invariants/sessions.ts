// I1, I2, I5, I13, I15, I17: whom a session lets in, and until when.
import type { Call } from '../history.ts'
import { isTried, livesOf } from './endings.ts'
import { createVerdict, grouped, isBroken, isByAccess, isMaybe, isOk, isUse, slackOf, told, type Invariant } from './verdict.ts'

/** I1: what was ended is dead everywhere once its time is over. */
export const revocation: Invariant = (history, rules) => {
  const { verdict, check, measure } = createVerdict()
  const uses = grouped(history.calls.filter(isUse), ({ sid }) => sid)
  for (const life of livesOf(history, rules).values()) {
    const ended = [...life.ended].sort((one, other) => one.t1 - other.t1)
    const [first] = ended
    if (first === undefined) continue
    const due = Math.min(...ended.map((call) => call.t1 + slackOf(call, history, rules)))
    const name = isBroken(history.faults, first.t0, first.t1) ? 'lag while something is broken' : 'lag'
    for (const use of uses.get(life.sid) ?? []) {
      if (use.t0 <= first.t1) continue
      if (isOk(use)) measure(name, use.t0 - first.t1)
      check(!isOk(use) || use.t0 <= due, () => `alive ${(use.t0 - first.t1).toFixed(0)} ms after its end (${told(first)}): ${told(use)}`)
    }
  }
  return verdict
}

/** Known end of each session at a time: what its last answer before said. */
function endsOf (calls: readonly Call[]): (sid: string, time: number) => number {
  const answers = grouped(calls.filter((call) => isOk(call) && call.out?.endsAt !== undefined), ({ out }) => out?.sid)
  return (sid, time) => Math.max(0, ...(answers.get(sid) ?? []).filter(({ t1 }) => t1 <= time).map(({ out }) => out?.endsAt as number))
}

/** I2: nobody is signed out but by somebody. */
export const noFalseLogout: Invariant = (history, rules) => {
  const { verdict, check } = createVerdict()
  const lives = livesOf(history, rules)
  const endOf = endsOf(history.calls)
  for (const call of history.calls) {
    const life = lives.get(call.sid as string)
    if (life === undefined || !isUse(call) || call.op === 'replay') continue
    if (call.status !== 401 && !(call.status === 403 && call.op !== 'password')) {
      check(true, String)
      continue
    }
    const isExpired = call.code === 'token_expired' ? (call.exp ?? 0) <= call.t1 + rules.slackMs : call.code === 'refresh_token_expired' && endOf(life.sid, call.t0) <= call.t1 + rules.slackMs
    const isEnded = ['session_revoked', 'refresh_token_reused'].includes(call.code ?? '') && (isTried(life, call.t1, call) || life.misuses.has(call))
    check(isExpired || isEnded, () => `signed out by nobody: ${told(call)}`)
  }
  return verdict
}

/** I5: whoever asks again because no answer came, inside the grace, is never punished. */
export const honestRetry: Invariant = (history, rules) => {
  const { verdict, check } = createVerdict()
  const lives = livesOf(history, rules)
  for (const refreshes of grouped(history.calls.filter(({ op }) => op === 'refresh'), ({ rt }) => rt).values()) {
    for (const call of refreshes) {
      const life = lives.get(call.sid as string)
      const isAgain = refreshes.some((one) => one.t0 < call.t0 && (isOk(one) || isMaybe(one)))
      if (life === undefined || !isAgain || life.misuses.has(call)) continue
      check(call.status !== 401 || call.code === 'refresh_token_expired' || isTried(life, call.t1, call), () => `punished for asking again: ${told(call)}`)
    }
  }
  return verdict
}

/** I15: nothing lets in after its end. */
export const expiry: Invariant = ({ calls }, { slackMs }) => {
  const { verdict, check } = createVerdict()
  const absolute = new Map(calls.filter((call) => isOk(call) && call.out?.absoluteAt !== undefined).map(({ out }) => [out?.sid, out?.absoluteAt as number]))
  const refreshes = grouped(calls.filter(({ op }) => op === 'refresh' || op === 'replay'), ({ sid }) => sid)
  const endOf = endsOf(calls)
  for (const call of calls) {
    if (isByAccess(call) && call.exp !== undefined) {
      check(!isOk(call) || call.t0 <= call.exp + slackMs, () => `let in ${(call.t0 - (call.exp as number)).toFixed(0)} ms after the token's end: ${told(call)}`)
    } else if (call.op === 'refresh') {
      const isMoved = (refreshes.get(call.sid as string) ?? []).some((one) => one !== call && one.t0 < call.t1 && (isMaybe(one) || one.t1 > call.t0)) // nobody knows until when
      const end = Math.min(absolute.get(call.sid) ?? Infinity, isMoved ? Infinity : endOf(call.sid as string, call.t0) || Infinity)
      check(!isOk(call) || call.t0 <= end + slackMs, () => `refreshed ${(call.t0 - end).toFixed(0)} ms after its end: ${told(call)}`)
    }
  }
  return verdict
}

/** I17: a list of devices has what lives and nothing that was ended. */
export const sessionList: Invariant = (history, rules) => {
  const { verdict, check } = createVerdict()
  const lives = livesOf(history, rules)
  const byUser = grouped([...lives.values()], ({ user }) => user)
  const endOf = endsOf(history.calls)
  for (const call of history.calls) {
    if (call.op !== 'list' || !isOk(call)) continue
    const shown = new Set(call.out?.items)
    for (const life of byUser.get(call.user as string) ?? []) {
      const isLive = life.opened.t1 < call.t0 && !isTried(life, call.t1) && endOf(life.sid, call.t0) > call.t1 + rules.slackMs
      const isOver = life.ended.some((one) => one.t1 + rules.tMs < call.t0)
      if (isLive && !call.out?.isCut) check(shown.has(life.sid), () => `${life.sid} lives and is not shown: ${told(call)}`)
      if (isOver) check(!shown.has(life.sid), () => `${life.sid} is over and is shown: ${told(call)}`)
    }
  }
  return verdict
}

/** I13: whoever asks gets an answer about themselves. */
export const identity: Invariant = (history, rules) => {
  const { verdict, check } = createVerdict()
  const lives = livesOf(history, rules)
  for (const call of history.calls) {
    if (!isOk(call) || call.op === 'register') continue
    if (call.out?.who !== undefined) check(call.out.who === call.user, () => `an answer about ${call.out?.who} for ${call.user}: ${told(call)}`)
    if (call.op === 'refresh' || call.op === 'replay') check(call.out?.sid === call.sid, () => `another session: ${told(call)}`)
    if (call.op === 'list') for (const sid of call.out?.items ?? []) check((lives.get(sid)?.user ?? call.user) === call.user, () => `somebody else's session ${sid}: ${told(call)}`)
  }
  return verdict
}
