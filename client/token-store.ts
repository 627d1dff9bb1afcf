// Client: where the state of being signed in is kept between calls. In memory it is gone with the page; in a web storage all
// tabs share it, and every script of the page can read it.

/** What the client knows of its session. */
export interface SignedIn {
  /** Another one after each change: how one tab sees that another has refreshed. */
  readonly mark: string
  /** Absent in cookie mode, where no script sees a token. */
  readonly accessToken?: string
  readonly refreshToken?: string
}

export interface TokenStore {
  get: () => SignedIn | undefined | Promise<SignedIn | undefined>
  set: (state: SignedIn | undefined) => void | Promise<void>
}

/** What is used of `localStorage` and `sessionStorage`. */
export interface WebStorage {
  getItem: (key: string) => string | null
  setItem: (key: string, value: string) => void
  removeItem: (key: string) => void
}

export function inMemory (): TokenStore {
  let state: SignedIn | undefined
  return { get: () => state, set (next) { state = next } }
}

/**
 * @param storage `localStorage` for all tabs, `sessionStorage` for one
 * @param key under which it is kept
 */
export function inStorage (storage: WebStorage, key = 'latchkey'): TokenStore {
  return {
    get () {
      try {
        return JSON.parse(storage.getItem(key) ?? '') as SignedIn
      } catch {
        return undefined // nothing there, or not ours
      }
    },
    set (state) {
      if (state === undefined) storage.removeItem(key)
      else storage.setItem(key, JSON.stringify(state))
    }
  }
}
