// Judges every answer that a client of the matrix gets (R-a, R-b): what was asked for, or 503 with Retry-After as a problem;
// never late, never a hang, and never a session that was ended longer ago than it may take to be felt.
import type { Answer, Call } from '../helper/http.ts'
import { verdictSeconds, type Instance } from './field.ts'

export type Kind = 'check' | 'ended check' | 'login' | 'refresh' | 'end' | 'page' | 'guest page' | 'preferences' | 'register' | 'probe'

/** What became of a request: done, put off (503; it may have happened or not), broken off with its instance, or wrong. */
export type Outcome = 'done' | 'off' | 'broken' | 'wrong'

export interface Asked { outcome: Outcome, answer?: Answer, begin: number }

export interface Judge {
  /** @param good statuses beside 503 */
  ask: (kind: Kind, instance: Instance, path: string, call: Call, good: readonly number[]) => Promise<Asked>
  /** An ended session was let in this long after its end, in milliseconds. */
  ranOn: (ms: number) => void
  wrong: (what: string) => void
  /** The fault begins, is over. */
  struck: () => void
  healed: () => void
  state: { strikeAt: number, healAt: number }
  result: () => Judged
}

export interface Judged {
  count: number
  /** Checks of live sessions: how many, and how many were put off. */
  checks: number
  checksOff: number
  checkP99Ms: number
  off: number
  broken: number
  slowest: { kind: string, ms: number }
  /** Longest that an ended session was let in. */
  lagMs: number
  wrong: string[]
}

/** Every answer within 5 s (R-b). */
const answerMs = 5000
const hangMs = 8000
/** T: seconds within which a revocation is felt where the channel is cut. */
const cutMs = 3000
/** What a copy may be older than its limit by, for the time that a request takes on a busy machine. */
const slackMs = 500

export interface Rules { revocationWithin?: 'verdict' | undefined, refusesAfterVerdict?: true | undefined }

export function createJudge ({ revocationWithin, refusesAfterVerdict }: Rules): Judge {
  const boundMs = slackMs + (revocationWithin === 'verdict' ? verdictSeconds * 1000 : cutMs)
  const state = { strikeAt: Infinity, healAt: Infinity }
  const checkTimes: number[] = []
  const seen: Judged = { count: 0, checks: 0, checksOff: 0, checkP99Ms: 0, off: 0, broken: 0, slowest: { kind: '', ms: 0 }, lagMs: 0, wrong: [] }
  const wrong = (what: string): void => { seen.wrong.push(what) }

  function outcomeOf (kind: Kind, { status, headers, json, text }: Answer, good: readonly number[]): Outcome {
    if (good.includes(status)) return 'done'
    const isPutOff = status === 503 && Number(headers['retry-after']) >= 1 && json?.code === 'unavailable' && headers['set-cookie'] === undefined
    if (isPutOff && String(headers['content-type']).startsWith('application/problem+json')) return 'off'
    wrong(`${kind}: ${status} ${text.slice(0, 160)}`)
    return 'wrong'
  }

  return {
    async ask (kind, instance, path, call, good) {
      const begin = performance.now()
      let answer: Answer
      try {
        answer = await within(hangMs, instance.call(path, call))
      } catch (error) {
        if (instance.wasDownSince(begin)) {
          seen.broken++
          await new Promise((resolve) => { setTimeout(resolve, 100) })
          return { outcome: 'broken', begin }
        }
        const { code, message, reusedSocket } = error as Error & { code?: string, reusedSocket?: boolean }
        if (code === 'ECONNRESET' && reusedSocket) return { outcome: 'broken', begin } // the idle connection was closed as it was taken
        wrong(`${kind} on ${instance.name}: ${code ?? message}`)
        return { outcome: 'wrong', begin }
      }
      seen.count++
      const outcome = outcomeOf(kind, answer, good)
      if (outcome === 'off') seen.off++
      if (!instance.wasDownSince(begin)) {
        if (answer.ms > seen.slowest.ms) seen.slowest = { kind, ms: answer.ms }
        if (answer.ms > answerMs) wrong(`${kind} on ${instance.name}: after ${Math.round(answer.ms)} ms`)
        if (kind === 'check') {
          seen.checks++
          checkTimes.push(answer.ms)
          if (outcome === 'off') seen.checksOff++
        }
      }
      const isTooLate = refusesAfterVerdict && begin > state.strikeAt + verdictSeconds * 1000 + slackMs && performance.now() < state.healAt
      if (kind === 'check' && outcome === 'done' && isTooLate) wrong('a check was answered 200 after every copy had run out')
      return { outcome, answer, begin }
    },
    ranOn (ms) {
      seen.lagMs = Math.max(seen.lagMs, ms)
      if (ms > boundMs) wrong(`a session was let in ${Math.round(ms)} ms after its end`)
    },
    wrong,
    struck () { state.strikeAt = performance.now() },
    healed () { state.healAt = performance.now() },
    state,
    result () {
      checkTimes.sort((one, other) => one - other)
      return { ...seen, checkP99Ms: checkTimes[Math.floor(checkTimes.length * 0.99)] ?? 0 }
    }
  }
}

function within<T> (ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => { reject(new Error(`no answer within ${ms} ms`)) }, ms)
    work.then(resolve, reject).finally(() => { clearTimeout(timer) }).catch(() => { /* rejected above */ })
  })
}
