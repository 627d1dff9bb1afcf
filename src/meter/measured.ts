// Room `meter`: times the methods of anything from outside, so that what is timed knows nothing of it.
import type { Clock } from '../clock.ts'
import { isStoreFault, LatchkeyError, type ErrorCode } from '../errors.ts'

/** `ok`, or the code that a client would be told. */
export type Outcome = 'ok' | ErrorCode

/** Told of each call that has come to its end; must not throw. */
export type Report = (method: string, seconds: number, outcome: Outcome) => void

/**
 * The same object with its promises timed. What a method answers at once is passed on and not reported, as is every
 * member that is no function.
 * @param target methods that need no `this`, as all factories of the house make them
 */
export function measured<T extends object> (target: T, clock: Clock, report: Report): T {
  const timed = (name: string, method: (...args: unknown[]) => unknown) => (...args: unknown[]): unknown => {
    const begin = clock.mono()
    const answer = method(...args)
    if (!(answer instanceof Promise)) return answer
    const tell = (outcome: Outcome) => { report(name, (clock.mono() - begin) / 1000, outcome) }
    answer.then(() => { tell('ok') }, (error: unknown) => { tell(codeOf(error)) })
    return answer
  }
  return Object.fromEntries(Object.entries(target).map(([name, member]: [string, unknown]) =>
    [name, typeof member === 'function' ? timed(name, member as (...args: unknown[]) => unknown) : member])) as T
}

/** The code that plugins/errors.ts would make of it. */
function codeOf (error: unknown): ErrorCode {
  if (error instanceof LatchkeyError) return error.code
  return isStoreFault(error) ? 'unavailable' : 'internal_error'
}
