// Visitors of the tests: guests who keep their cookies as a browser does, and users who come with a token and nothing else.
import type { Answer, Call } from './http.ts'
import { cookiesOf } from './people.ts'
import type { Caller, Service } from './service.ts'

export interface Visitor {
  /** Cookies by name, as they were set last. */
  readonly jar: Map<string, string>
  call: (method: string, path: string, body?: unknown, call?: Call) => Promise<Answer>
  page: (pageId: string) => Promise<Answer>
  action: (action: string, more?: object) => Promise<Answer>
  show: (query?: string) => Promise<Answer>
  end: () => Promise<Answer>
}

export interface VisitorOptions {
  token?: string | undefined
  jar?: Map<string, string>
}

/** @param services one, or several that the visitor is sent to in turn */
export function visitorAt (services: Caller | readonly Caller[], { token, jar = new Map() }: VisitorOptions = {}): Visitor {
  const all = [services].flat()
  let turn = 0
  const call = async (method: string, path: string, body?: unknown, more: Call = {}): Promise<Answer> => {
    const service = all[turn++ % all.length] as Caller
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await service.call(path, { method, ...(body !== undefined && { body }), ...(token !== undefined && { token }), ...more, headers: { ...(cookie !== '' && { cookie }), ...more.headers } })
    for (const [name, set] of Object.entries(cookiesOf(answer))) {
      if (set['max-age'] === '0') jar.delete(name)
      else jar.set(name, String(set['value']))
    }
    return answer
  }
  return {
    jar,
    call,
    page: (pageId) => call('POST', '/api/session/page', { pageId }),
    action: (action, more = {}) => call('POST', '/api/session/action', { action, ...more }),
    show: (query = '') => call('GET', `/api/session${query}`),
    end: () => call('DELETE', '/api/session')
  }
}

/** Every item of a paged list, following `nextCursor`. */
export async function wholeList<T> (visitor: Visitor, path: string, itemsOf: (answer: Answer) => T[]): Promise<T[]> {
  const items: T[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const answer: Answer = await visitor.call('GET', `${path}${path.includes('?') ? '&' : '?'}limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`)
    items.push(...itemsOf(answer))
    cursor = answer.json.nextCursor ?? null
  }
  return items
}

/** Archived visits of a deployment, as documents. */
export const archivedIn = async ({ db }: Service, filter: object = {}) => await db.collection('visits').find({ state: 'archived', ...filter }).toArray()
