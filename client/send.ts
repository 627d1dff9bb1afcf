// Client: how a request is sent. A service that cannot answer at the moment is asked again where that counts once, and what
// holds a secret is sent to the address that it was meant for and nowhere else.

export type Fetch = (input: Request) => Promise<Response>

/** How one request is sent. */
export interface Manner {
  /** Whether it may be sent again. */
  mayRepeat: boolean
  /** Whether its body holds a password or a token, which no redirect may carry elsewhere. */
  isSecret: boolean
  /** Sent as a bearer token where the request brings no authorization of its own. */
  token?: string | undefined
  /** Milliseconds after which an answer counts as lost, and is asked for again as an answer 503 is. */
  lostAfterMs?: number
}

export interface SendOptions {
  mode: 'bearer' | 'cookie'
  fetch: Fetch
  /** Times that it is sent again. */
  retries: number
  /** Most seconds that are waited before that, whatever Retry-After says. */
  mostWaitSeconds: number
}

export function createSend ({ mode, fetch, retries, mostWaitSeconds }: SendOptions): (request: Request, manner: Manner) => Promise<Response> {
  return async (request, { mayRepeat, isSecret, token, lostAfterMs }) => {
    const pause = async (ms: number): Promise<void> => { await wait(Math.min(ms, mostWaitSeconds * 1000), request.signal) }
    for (let tries = 0; ; tries++) {
      const isLast = !mayRepeat || tries >= retries
      const one = new Request(request.clone(), {
        ...(mode === 'cookie' && { credentials: 'include' }),
        ...(isSecret && { redirect: 'error' }),
        ...(lostAfterMs !== undefined && { signal: AbortSignal.timeout(lostAfterMs) })
      })
      if (token !== undefined && !one.headers.has('authorization')) one.headers.set('authorization', `Bearer ${token}`)
      try {
        const response = await fetch(one)
        if (response.status !== 503 || isLast) return response
        await response.body?.cancel()
        await pause(askedToWaitMs(response))
      } catch (error) {
        if (lostAfterMs === undefined || isLast) throw error
        await pause(200 * 2 ** tries)
      }
    }
  }
}

/** Retry-After, in seconds or as a date, which is compared with the clock of who wrote it where that is known. */
function askedToWaitMs ({ headers }: Response): number {
  const asked = headers.get('retry-after') ?? ''
  const ms = /^\d+$/.test(asked) ? Number(asked) * 1000 : Date.parse(asked) - (Date.parse(headers.get('date') ?? '') || Date.now())
  return Number.isNaN(ms) ? 1000 : Math.max(ms, 0)
}

/** @throws the signal's reason as soon as it is aborted */
async function wait (ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  await orAborted(new Promise<void>((resolve) => { timer = setTimeout(resolve, ms) }), signal).finally(() => { clearTimeout(timer) })
}

/** Waits for what goes on for others too. @throws the signal's reason as soon as it is aborted */
export async function orAborted<T> (awaited: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const abort = (): void => { reject(signal.reason) }
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    awaited.then(resolve, reject).finally(() => { signal.removeEventListener('abort', abort) })
  })
}
