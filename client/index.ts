// The client of a Latchkey service, for Node.js 20 and later and for browsers: every operation typed from the service's
// OpenAPI document, and a `fetch` that stays signed in. It knows nothing of the server's code.
import createApi, { type Client } from 'openapi-fetch'
import type { components, paths } from './api-types.ts'
import { createSessionFetch } from './session-fetch.ts'
import { inMemory, inStorage, type TokenStore, type WebStorage } from './token-store.ts'

export type { components, operations, paths } from './api-types.ts'
export { inMemory, inStorage, type SignedIn, type TokenStore, type WebStorage } from './token-store.ts'

type Schemas = components['schemas']
export type User = Schemas['PublicUser']
export type Problem = Schemas['Problem']

/** What was answered: `data` of a success, else the problem with its `code`. */
export type Result<T> = { data: T, error?: never, response: Response } | { data?: never, error: Problem, response: Response }

export interface Credentials { email?: string, username?: string, password: string }
export interface Account { email: string, username: string, password: string, fullName?: string }

export interface LatchkeyClientOptions {
  /** Address of the service, with the prefix under which it is mounted; in a page also a path, such as `/auth`. */
  baseUrl: string
  /** `bearer` keeps the tokens here; `cookie` leaves them to httpOnly cookies, for browsers. `bearer` without it. */
  mode?: 'bearer' | 'cookie'
  /** Where tokens are kept: in memory without it; in cookie mode a mark without secrets, in `localStorage` where there is one. */
  store?: TokenStore
  /** Instead of the global `fetch`. */
  fetch?: (input: Request) => Promise<Response>
  /** Origins of APIs beside the service's own that `fetch` sends the access token to. */
  origins?: readonly string[]
  /**
   * Is told when the session ends without a sign-out here, with the `code` of the refusal: time to show the sign-in page.
   * `token_missing` is a sign-out in another tab, or cookies that are gone.
   */
  onSignedOut?: (code: string) => void
  /** Times that a 503 is asked for again, 3 without it; what may not be sent twice never is. */
  retries?: number
  /** Most seconds that are waited before that, 30 without it. */
  mostWaitSeconds?: number
}

export interface LatchkeyClient {
  /** Every operation of the service: `api.GET('/api/auth/sessions')`. */
  readonly api: Client<paths>
  /** Like the global `fetch`, for your own API: it brings the access token, and refreshes it once when it has run out. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  register: (account: Account) => Promise<Result<Schemas['TokenAnswer']>>
  signIn: (credentials: Credentials) => Promise<Result<Schemas['TokenAnswer']>>
  /** Ends the session at the service and, as soon as that has answered, here. */
  signOut: () => Promise<Result<Schemas['RevokedAnswer']>>
}

/** @throws TypeError when `baseUrl` or one of `origins` is no address */
export function createLatchkeyClient (options: LatchkeyClientOptions): LatchkeyClient {
  const { mode = 'bearer', fetch = (request) => globalThis.fetch(request), origins = [], onSignedOut = () => { /* nobody asks */ }, retries = 3, mostWaitSeconds = 30 } = options
  const { location } = globalThis as { location?: { href: string } }
  const { origin, pathname } = new URL(options.baseUrl, location?.href)
  const baseUrl = (origin + pathname).replace(/\/$/, '')
  const store = options.store ?? (mode === 'cookie' ? inStorageIfAny(`latchkey ${baseUrl}`) : inMemory())
  const sessionFetch = createSessionFetch({ baseUrl, mode, store, fetch, origins, onSignedOut, retries, mostWaitSeconds })
  const api = createApi<paths>({ baseUrl, fetch: sessionFetch })
  const transport = mode === 'cookie' ? 'cookie' : 'body'

  return {
    api,
    fetch: async (input, init) => await sessionFetch(new Request(input, init)),
    register: async (account) => await api.POST('/api/auth/register', { body: { ...account, transport } }) as Result<Schemas['TokenAnswer']>,
    signIn: async (credentials) => await api.POST('/api/auth/login', { body: { ...credentials, transport } }) as Result<Schemas['TokenAnswer']>,
    async signOut () {
      const refreshToken = (await store.get())?.refreshToken
      return await api.POST('/api/auth/logout', { body: refreshToken === undefined ? {} : { refreshToken } }) as Result<Schemas['RevokedAnswer']>
    }
  }
}

/** A browser may forbid a page even to ask for its storage. */
function inStorageIfAny (key: string): TokenStore {
  try {
    const { localStorage } = globalThis as { localStorage?: WebStorage }
    return localStorage === undefined ? inMemory() : inStorage(localStorage, key)
  } catch {
    return inMemory()
  }
}
