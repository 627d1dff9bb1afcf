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
  /** True if no other tab has it: nobody has to wait for another tab then. */
  readonly isAlone?: boolean
}

/** What is used of `localStorage` and `sessionStorage`. */
export interface WebStorage {
  getItem: (key: string) => string | null
  setItem: (key: string, value: string) => void
  removeItem: (key: string) => void
}

export function inMemory (): TokenStore {
  let state: SignedIn | undefined
  return { get: () => state, set (next) { state = next }, isAlone: true }
}

/**
 * A storage that is full or forbidden loses nothing but the sharing: then the state is kept in memory.
 * @param storage `localStorage` for all tabs, `sessionStorage` for one
 * @param key under which it is kept; another one for each service
 */
export function inStorage (storage: WebStorage, key = 'latchkey'): TokenStore {
  let refused: { state: SignedIn | undefined, stands: string | null } | undefined

  function read (): string | null {
    try {
      return storage.getItem(key)
    } catch {
      return null
    }
  }

  return {
    get () {
      const text = read()
      return refused !== undefined && refused.stands === text ? refused.state : stateIn(text)
    },
    set (state) {
      refused = undefined
      try {
        if (state === undefined) storage.removeItem(key)
        else storage.setItem(key, JSON.stringify(state))
      } catch {
        try {
          storage.removeItem(key) // what stands there is spent
        } catch { /* then it is passed over */ }
        refused = { state, stands: read() }
      }
    }
  }
}

/** @returns undefined where there is nothing, or nothing of ours */
function stateIn (text: string | null): SignedIn | undefined {
  try {
    const state = JSON.parse(text ?? '') as Partial<SignedIn> | null
    return typeof state?.mark === 'string' ? state as SignedIn : undefined
  } catch {
    return undefined
  }
}
