// Console: the service behind the page. Its session is in httpOnly cookies: no script of the page sees a token. Each answer is
// told with the tier that the service names in Server-Timing.
import { createLatchkeyClient, type LatchkeyClient, type Problem } from '../client/index.ts'

export const tiers = ['memory', 'redis', 'mongo', 'none'] as const
/** `none`: the answer names none, such as those to guests and refusals. */
export type Tier = typeof tiers[number]

export interface Answer {
  readonly method: string
  /** Below the address of the service. */
  readonly path: string
  readonly status: number
  readonly tier: Tier
  /** Milliseconds from sending to the head of the answer. */
  readonly ms: number
}

export interface ServiceOptions {
  onAnswer: (answer: Answer) => void
  onSignedOut: (code: string) => void
}

/** The service that this page comes from, at whatever address a proxy shows it. */
export const home = new URL('.', location.href)

export function createService ({ onAnswer, onSignedOut }: ServiceOptions): LatchkeyClient {
  return createLatchkeyClient({
    baseUrl: home.href,
    mode: 'cookie',
    onSignedOut,
    async fetch (request) {
      const from = performance.now()
      const response = await fetch(request).catch((error: unknown) => {
        throw (error as Error).name === 'AbortError' ? error : new Unreachable(error)
      })
      const named = /auth;desc="(\w+)"/.exec(response.headers.get('server-timing') ?? '')?.[1]
      onAnswer({
        method: request.method,
        path: request.url.slice(home.href.length - 1),
        status: response.status,
        tier: tiers.find((tier) => tier === named) ?? 'none',
        ms: performance.now() - from
      })
      return response
    }
  })
}

/** No answer came, or not in time. */
export class Unreachable extends Error {
  constructor (cause: unknown) {
    super('The service cannot be reached. What is shown may be out of date.', { cause })
  }
}

/** The service refused: in the words of its problem document. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor (status: number, problem: Partial<Problem> | string | undefined) {
    const { detail, code = '', requestId, errors = [] } = typeof problem === 'object' ? problem : {}
    const fields = errors.map(({ path, message }) => ` ${path} ${message}.`).join('')
    super(detail === undefined ? `The service answered ${status}, and not in its own words.` : `${detail}${fields} (${code}, request ${requestId ?? 'unknown'})`)
    this.status = status
    this.code = code
  }
}

/**
 * @param signal after which the answer is nobody's any more
 * @throws Refusal, Unreachable, or the signal's reason
 */
export async function dataOf<T> (asked: Promise<{ data?: T, error?: Problem | string, response: Response }>, signal?: AbortSignal): Promise<T> {
  const { data, error, response } = await asked
  signal?.throwIfAborted()
  if (!response.ok) throw new Refusal(response.status, error)
  return data as T
}
