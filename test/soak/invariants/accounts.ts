// I7, I8, I14: accounts stay, passwords count from when they were acknowledged, and guesses are counted.
import type { Call } from '../history.ts'
import { createVerdict, grouped, isBroken, isMaybe, isOk, told, type Invariant } from './verdict.ts'

/** I7: whoever was registered can sign in, and nobody else has the address. */
export const registration: Invariant = ({ calls, census }) => {
  const { verdict, check } = createVerdict()
  const loggedIn = new Set(calls.filter((call) => call.op === 'login' && isOk(call)).map(({ user }) => user))
  for (const [address, attempts] of grouped(calls.filter(({ op }) => op === 'register'), ({ user }) => user)) {
    const won = attempts.filter(isOk)
    check(won.length <= 1, () => `registered ${won.length} times: ${won.map(told).join(' / ')}`)
    if (census === undefined) continue
    const count = census.accounts[address] ?? 0
    if (won.length > 0) check(loggedIn.has(won[0]?.out?.who), () => `an account cannot be signed in to: ${told(won[0] as Call)}`)
    const isThere = won.length > 0 || attempts.some(({ status }) => status === 409)
    check(isThere ? count === 1 : count <= (attempts.some(isMaybe) ? 1 : 0), () => `${count} accounts: ${attempts.map(told).join(' / ')}`)
  }
  return verdict
}

/** Numbers that the password may have while `call` is made: the last one acknowledged, and those that were being tried. */
function candidates (changes: readonly Call[], call: Call): Set<number> {
  const last = changes.filter((change) => change !== call && isOk(change) && change.t1 < call.t0).sort((one, other) => one.t1 - other.t1).at(-1)
  const open = changes.filter((change) => change !== call && change.t0 <= call.t1 && (last === undefined || change.t1 > last.t1) && (isOk(change) || isMaybe(change) || change.status === 401))
  return new Set([last?.value ?? 0, ...open.map(({ value }) => value as number)])
}

/** I8: from its acknowledgement on a new password is the only one. */
export const passwords: Invariant = ({ calls }) => {
  const { verdict, check } = createVerdict()
  const changes = grouped(calls.filter(({ op }) => op === 'password'), ({ user }) => user)
  for (const call of calls) {
    const used = call.op === 'login' ? call.value : call.op === 'password' ? Number(call.target) : undefined
    if (used === undefined) continue
    const possible = candidates(changes.get(call.user as string) ?? [], call)
    if (isOk(call)) check(possible.has(used), () => `password ${used} is good, of ${[...possible].join(' ')}: ${told(call)}`)
    else if (call.code === 'invalid_credentials' || call.code === 'current_password_invalid') check(possible.size > 1 || !possible.has(used), () => `password ${used} is refused: ${told(call)}`)
  }
  return verdict
}

/**
 * I14: guesses that were looked at are counted. Half as many again as the limit are let through at most; where something was
 * broken, the limit for each life of a counter: Redis' until it forgets, and that of each process.
 */
export const limiter: Invariant = ({ calls, faults, samples }, { loginLimit }) => {
  const { verdict, check, measure } = createVerdict()
  const lives = samples.filter(({ phase }) => phase === 'end').reduce((sum, { lives }) => sum + lives, 0)
  for (const guesses of grouped(calls.filter(({ op }) => op === 'guess'), ({ user, from }) => `${user} ${from}`).values()) {
    const seen = guesses.filter(({ status }) => status === 401 || status === 200)
    const [first, last] = [guesses[0] as Call, guesses.at(-1) as Call]
    const broken = isBroken(faults, first.t0, last.t1)
    const most = broken ? loginLimit * (1 + faults.filter(({ losesRedis }) => losesRedis).length + lives) : loginLimit * 1.5
    measure(broken ? 'guesses looked at while something is broken' : 'guesses looked at', seen.length)
    check(seen.length <= most, () => `${seen.length} guesses of ${guesses.length} were looked at, ${most} may be`)
  }
  return verdict
}
