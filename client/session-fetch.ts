// Client: a `fetch` that is signed in. It brings the access token, refreshes once when that has run out, however many calls
// and tabs find out at the same time, and tells an end of the session from a service that cannot answer at the moment.
import { doorOf, passwordDoor, refreshDoor } from './doors.ts'
import { createSend, orAborted, type Fetch, type SendOptions } from './send.ts'
import type { SignedIn, TokenStore } from './token-store.ts'
import { createTurns, pause } from './turns.ts'

export interface SessionFetchOptions extends SendOptions {
  /** Address of the service, without a slash at the end. */
  baseUrl: string
  store: TokenStore
  /** Origins beside the service's own that are sent the token. */
  origins: readonly string[]
  /** Is told once when the session ends without a sign-out here, with the `code` of the refusal. */
  onSignedOut: (code: string) => void
}

/** The service answers within 5 s; what was lost is asked for again while it still gives the same successor (10 s). */
const lostAfterMs = 8000

/** A function like `fetch`. It rejects as `fetch` does where no answer comes, and the session stays. */
export function createSessionFetch (options: SessionFetchOptions): Fetch {
  const { baseUrl, mode, store, fetch, origins, onSignedOut } = options
  const trusted = new Set([baseUrl, ...origins].map((address) => new URL(address).origin))
  const send = createSend(options)
  const turns = createTurns(mode === 'cookie' || store.isAlone !== true ? `latchkey ${baseUrl}` : undefined)
  let refreshing: { mark: string | undefined, done: Promise<Response | undefined> } | undefined
  let seen: string | undefined // the mark of the session that this client last knew
  let ended: string | undefined // the mark of the one whose end was told
  let isTold = false // whether it is known here that the last one is over
  const leaving = new Set<Promise<unknown>>() // sign-outs here that are under way

  async function known (): Promise<SignedIn | undefined> {
    const state = await store.get()
    if (state === undefined) return undefined
    seen = state.mark
    isTold = false
    return state
  }

  /** Sends a request with what is known by then, and keeps what the answer says of the session. */
  async function exchange (request: Request): Promise<{ used: SignedIn | undefined, response: Response }> {
    const door = doorOf(request, baseUrl)
    const changes = door.givesTokens || door.takesTokens
    const once = async (): ReturnType<typeof exchange> => {
      const used = await known()
      const response = await send(request, { mayRepeat: door.mayRepeat, isSecret: changes, token: used?.accessToken })
      if (response.ok && door.takesTokens) await forget()
      if (response.ok && door.givesTokens && (door.path !== refreshDoor || await stands(used))) await keep(response)
      return { used, response }
    }
    if (!changes) return await once()
    const done = turns.take(once)
    if (door.takesTokens) {
      leaving.add(done)
      void done.catch(() => { /* whoever asked is told */ }).finally(() => { leaving.delete(done) })
    }
    return await orAborted(done, request.signal)
  }

  async function keep (response: Response): Promise<void> {
    const { accessToken, refreshToken = (await store.get())?.refreshToken } = await response.clone().json() as Partial<SignedIn>
    if (mode === 'bearer' && accessToken === undefined) throw new TypeError('An answer without tokens, of something else than the service')
    await store.set({ mark: `${Date.now()} ${Math.random()}`, ...(accessToken !== undefined && { accessToken, ...(refreshToken !== undefined && { refreshToken }) }) })
    await known()
  }

  async function forget (): Promise<void> {
    seen = undefined
    isTold = true
    await store.set(undefined)
  }

  /** Whether nobody has signed in, refreshed or signed out since. */
  async function stands (used: SignedIn | undefined): Promise<boolean> {
    return (await store.get())?.mark === used?.mark
  }

  /** Waits until what another tab has written is seen here. */
  async function overtaken (used: SignedIn): Promise<void> {
    for (let waits = 0; waits < 200 && await stands(used); waits++) await pause(10)
  }

  async function end (code: string, used: SignedIn | undefined): Promise<void> {
    if (!await stands(used)) return
    const mark = used?.mark ?? seen
    // nobody was signed in, or it was told; dead cookies may come along after that, and say it each time
    if (mark === undefined ? code === 'token_missing' || isTold : mark === ended) return
    ended = mark
    await forget()
    onSignedOut(code)
  }

  /** @returns the answer that stands in the way; undefined if there are fresh tokens */
  async function refresh (used: SignedIn | undefined): Promise<Response | undefined> {
    if (used !== undefined && await turns.isSpent(used.mark)) await overtaken(used)
    if (!await stands(used)) return undefined // another tab was first
    const body = mode === 'bearer' && { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ refreshToken: used?.refreshToken }) }
    const response = await send(new Request(`${baseUrl}${refreshDoor}`, { method: 'POST', ...body }), { mayRepeat: true, isSecret: true, lostAfterMs })
    if (response.ok) {
      if (await stands(used)) await keep(response)
      if (used !== undefined) await turns.spend(used.mark)
      return undefined
    }
    const code = await codeOf(response)
    if (response.status === 401 && /^(refresh_token_|token_|session_revoked$)/.test(code)) await end(code, used)
    return response
  }

  async function refreshOnce (used: SignedIn | undefined): Promise<Response | undefined> {
    if (refreshing === undefined || refreshing.mark !== used?.mark) {
      const one = { mark: used?.mark, done: turns.take(async () => await refresh(used)).finally(() => { if (refreshing === one) refreshing = undefined }) }
      refreshing = one
    }
    return (await refreshing.done)?.clone()
  }

  async function answerTo (request: Request, mayRefresh: boolean): Promise<Response> {
    const { used, response } = await exchange(request)
    const { path, givesTokens } = doorOf(request, baseUrl)
    if (response.status !== 401 || request.headers.has('authorization') || !trusted.has(new URL(response.url || request.url).origin)) return response
    if (path === '/api/auth/logout' || (givesTokens && path !== passwordDoor)) return response // it is about what was sent
    const code = request.method === 'HEAD' && used !== undefined ? 'token_expired' : await codeOf(response) // a HEAD is told no code
    if (code === 'token_expired' && mayRefresh && (mode === 'cookie' || used !== undefined)) {
      return await orAborted(refreshOnce(used), request.signal) ?? await answerTo(request, false)
    }
    if (code === 'session_revoked' || code === 'token_invalid' || code === 'token_missing') {
      await orAborted(Promise.allSettled(leaving), request.signal) // who signs out knows
      await end(code, used)
    }
    return response
  }

  return async (request) => trusted.has(new URL(request.url).origin) ? await answerTo(request, true) : await fetch(request)
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
