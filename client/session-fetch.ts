// Client: a `fetch` that is signed in. It brings the access token, refreshes once when that has run out, however many calls
// and tabs find out at the same time, and tells an end of the session from a service that cannot answer at the moment.
import type { SignedIn, TokenStore } from './token-store.ts'

export type Fetch = (input: Request) => Promise<Response>

export interface SessionFetchOptions {
  /** Address of the service, without a slash at the end. */
  baseUrl: string
  mode: 'bearer' | 'cookie'
  store: TokenStore
  fetch: Fetch
  /** Origins beside the service's own that are sent the token. */
  origins: readonly string[]
  /** Is told once when the session ends without a sign-out, with the `code` of the refusal. */
  onSignedOut: (code: string) => void
  /** Times that an answer 503 is asked for again. */
  retries: number
  /** Most seconds that are waited before that, whatever Retry-After says. */
  mostWaitSeconds: number
}

/** Doors that answer with tokens. */
const givesTokens = new Set(['/api/auth/login', '/api/auth/register', '/api/auth/refresh', '/api/auth/profile/password'])
const takesTokens = new Set(['/api/auth/logout', '/api/auth/logout-all'])
const refreshPath = '/api/auth/refresh'
/** Methods that may be sent twice (RFC 9110 section 9.2.2), and doors that may, too. */
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const repeatableDoors = new Set(['/api/auth/login', refreshPath, ...takesTokens])

type Locks = { request: <T>(name: string, work: () => Promise<T>) => Promise<T> }

/** A function like `fetch`. It rejects as `fetch` does where no answer comes, and the session stays. */
export function createSessionFetch (options: SessionFetchOptions): Fetch {
  const { baseUrl, mode, store, fetch, origins, onSignedOut, retries, mostWaitSeconds } = options
  const home = new URL(baseUrl)
  const trusted = new Set([home.origin, ...origins])
  let refreshing: Promise<Response | undefined> | undefined

  /** Path of a door of the service; undefined for every other address. */
  function doorOf ({ url }: Request): string | undefined {
    const { origin, pathname } = new URL(url)
    const base = home.pathname.replace(/\/$/, '')
    return origin === home.origin && pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : undefined
  }

  /** Sends it, and again while the service says 503. */
  async function send (request: Request, state: SignedIn | undefined): Promise<Response> {
    const door = doorOf(request)
    const mayRepeat = repeatable.has(request.method) || (door !== undefined && repeatableDoors.has(door))
    for (let tries = 0; ; tries++) {
      const one = new Request(request.clone(), mode === 'cookie' ? { credentials: 'include' } : {})
      if (state?.accessToken !== undefined && !one.headers.has('authorization')) one.headers.set('authorization', `Bearer ${state.accessToken}`)
      const response = await fetch(one)
      if (response.status !== 503 || !mayRepeat || tries >= retries) return response
      await response.body?.cancel()
      const seconds = Number(response.headers.get('retry-after')) || 1
      await wait(Math.min(seconds, mostWaitSeconds) * 1000, request.signal)
    }
  }

  /** Keeps what an answer says of the session. */
  async function learn (request: Request, response: Response): Promise<Response> {
    const door = doorOf(request)
    if (door === undefined || !response.ok) return response
    if (takesTokens.has(door)) await store.set(undefined)
    if (givesTokens.has(door) && request.method !== 'GET') {
      const { accessToken, refreshToken = (await store.get())?.refreshToken } = await response.clone().json() as Partial<SignedIn>
      await store.set({ mark: globalThis.crypto.randomUUID(), ...(accessToken !== undefined && { accessToken, ...(refreshToken !== undefined && { refreshToken }) }) })
    }
    return response
  }

  async function end (code: string, used: SignedIn | undefined): Promise<void> {
    if ((await store.get())?.mark !== used?.mark) return // somebody signed in meanwhile
    await store.set(undefined)
    onSignedOut(code)
  }

  /** @returns the answer that stands in the way; undefined if there are fresh tokens */
  async function refresh (used: SignedIn | undefined): Promise<Response | undefined> {
    const state = await store.get()
    if (state?.mark !== used?.mark) return undefined // another tab was first
    const request = new Request(`${baseUrl}${refreshPath}`, {
      method: 'POST',
      ...(mode === 'bearer' && { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ refreshToken: state?.refreshToken }) })
    })
    const response = await learn(request, await send(request, undefined))
    if (response.ok) return undefined
    if (response.status === 401) await end(await codeOf(response), used)
    return response
  }

  /** One at a time, in all calls and, where the browser has the Web Locks API, in all tabs. */
  async function refreshOnce (used: SignedIn | undefined): Promise<Response | undefined> {
    const locks = (globalThis as { navigator?: { locks?: Locks } }).navigator?.locks
    refreshing ??= (locks === undefined ? refresh(used) : locks.request(`latchkey ${baseUrl}`, () => refresh(used)))
      .finally(() => { refreshing = undefined })
    return (await refreshing)?.clone()
  }

  return async (request) => {
    if (!trusted.has(new URL(request.url).origin)) return await fetch(request)
    const used = await store.get()
    const response = await send(request, used)
    const door = doorOf(request)
    const isAnswer = door !== undefined && door !== '/api/auth/profile/password' && (givesTokens.has(door) || takesTokens.has(door))
    if (response.status !== 401 || isAnswer || (mode === 'bearer' && used === undefined)) return await learn(request, response)
    const code = await codeOf(response)
    if (code === 'token_expired') return await refreshOnce(used) ?? await learn(request, await send(request, await store.get()))
    if (code === 'session_revoked' || code === 'token_invalid') await end(code, used)
    return response
  }
}

/** The `code` of a refusal, without taking its body away. */
async function codeOf (response: Response): Promise<string> {
  try {
    const { code } = await response.clone().json() as { code?: unknown }
    return typeof code === 'string' ? code : ''
  } catch {
    return ''
  }
}

/** @throws the signal's reason as soon as it is aborted */
async function wait (ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
  signal.throwIfAborted()
}
