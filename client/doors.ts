// Client: the doors of the service that change what a client knows of its session.

export const refreshDoor = '/api/auth/refresh'
export const passwordDoor = '/api/auth/profile/password'

/** They answer with tokens. */
const givesTokens = new Set(['/api/auth/login', '/api/auth/register', refreshDoor, passwordDoor])
/** They end the session that they are asked with. */
const takesTokens = new Set(['/api/auth/logout', '/api/auth/logout-all'])

/** Methods that may be sent twice (RFC 9110 section 9.2.2), and doors that may, too. */
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const repeatableDoors = new Set(['/api/auth/login', refreshDoor, ...takesTokens])

/** What there is to know of a request before it is sent. */
export interface Door {
  /** Of the service; undefined for every other address. */
  path: string | undefined
  givesTokens: boolean
  takesTokens: boolean
  mayRepeat: boolean
}

/** @param home address of the service, without a slash at the end */
export function doorOf ({ method, url }: Request, home: string): Door {
  const { origin, pathname } = new URL(url)
  const path = `${origin}${pathname}`.startsWith(`${home}/`) ? `${origin}${pathname}`.slice(home.length) : undefined
  const isOneOf = (doors: Set<string>): boolean => path !== undefined && doors.has(path)
  return {
    path,
    givesTokens: method !== 'GET' && isOneOf(givesTokens),
    takesTokens: method !== 'GET' && isOneOf(takesTokens),
    mayRepeat: repeatable.has(method) || isOneOf(repeatableDoors)
  }
}
