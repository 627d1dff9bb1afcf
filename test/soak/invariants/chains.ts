// I3, I4, I6: from one refresh token there is one way on.
import type { Call } from '../history.ts'
import { createVerdict, grouped, isMaybe, isOk, told, type Invariant } from './verdict.ts'

const isRefresh = ({ op }: Call): boolean => op === 'refresh' || op === 'replay'

/** Client that tries every token once more when all is over. */
export const probe = 'probe'

/** I3: one token has one successor, and of all the tokens of a session one at most is good in the end. */
export const noFork: Invariant = ({ calls }) => {
  const { verdict, check } = createVerdict()
  const good = calls.filter((call) => isRefresh(call) && isOk(call))
  for (const [rt, answers] of grouped(good, ({ rt }) => rt)) {
    const successors = new Set(answers.map(({ out }) => out?.rt))
    check(successors.size === 1, () => `${rt} has ${successors.size} successors: ${answers.map(told).join(' / ')}`)
  }
  for (const [sid, probes] of grouped(calls.filter(({ client, op }) => client === probe && op === 'refresh'), ({ sid }) => sid)) {
    const worked = new Set(probes.filter(isOk).map(({ rt }) => rt))
    check(worked.size <= 1, () => `${worked.size} tokens of ${sid} are good in the end`)
  }
  return verdict
}

/** I4: as many rotations as tokens that were handed out, and one more for each call without an answer at most. */
export const oneRotation: Invariant = ({ calls, census }) => {
  const { verdict, check } = createVerdict()
  const refreshes = grouped(calls.filter(isRefresh), ({ sid }) => sid)
  for (const { sid, generation } of census?.sessions ?? []) {
    const own = refreshes.get(sid) ?? []
    const handed = new Set(own.filter(isOk).map(({ out }) => out?.rt)).size
    const open = own.filter(isMaybe).length
    check(generation >= handed && generation <= handed + open, () => `${sid} was rotated ${generation} times; ${handed} tokens were handed out, ${open} calls had no answer`)
  }
  return verdict
}

/** I6: a token that was used before gets nothing once the grace is over, and never if its successor was used. */
export const thiefLoses: Invariant = ({ calls }, { graceMs, slackMs }) => {
  const { verdict, check } = createVerdict()
  const rotations = grouped(calls.filter((call) => isRefresh(call) && isOk(call)), ({ rt }) => rt)
  for (const call of calls) {
    if (call.op !== 'replay') continue
    const spent = (rotations.get(call.rt as string) ?? []).filter(({ t1 }) => t1 < call.t0)
    const isOld = spent.some(({ t1 }) => call.t0 > t1 + graceMs + slackMs)
    const isTwoBack = spent.some(({ out }) => (rotations.get(out?.rt as string) ?? []).some(({ t1 }) => t1 < call.t0))
    if (isOld || isTwoBack) check(!isOk(call), () => `a spent token was taken: ${told(call)}`)
    if (call.status === 401) check(['refresh_token_reused', 'session_revoked', 'refresh_token_expired'].includes(call.code ?? ''), () => `a token of ours is not known: ${told(call)}`)
  }
  return verdict
}
