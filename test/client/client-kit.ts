// For the tests of the client: a service, a client of it, and a `fetch` in between that notes what is sent, keeps cookies as a
// browser does, and can be told to fail.
import file, { type Test } from 'tap'
import { createLatchkeyClient, type LatchkeyClient, type LatchkeyClientOptions, type WebStorage } from '../../client/index.ts'
import { newPerson, type Person } from '../helper/people.ts'
import { startService, type Service } from '../helper/service.ts'

type Instead = (request: Request) => Response | Promise<Response>

export interface Network {
  fetch: (request: Request) => Promise<Response>
  /** What was sent, such as `POST /api/auth/refresh`. */
  readonly sent: string[]
  /** Answers the next requests that match, instead of the service. */
  answer: (match: RegExp, ...answers: Instead[]) => void
}

/** @param cookies a jar, shared by the tabs of one browser */
export function createNetwork (cookies?: Map<string, string>): Network {
  const sent: string[] = []
  const rules: { match: RegExp, answers: Instead[] }[] = []
  return {
    sent,
    answer (match, ...answers) { rules.push({ match, answers }) },
    async fetch (request) {
      const what = `${request.method} ${new URL(request.url).pathname}`
      sent.push(what)
      const instead = rules.find(({ match, answers }) => match.test(what) && answers.length > 0)?.answers.shift()
      if (instead !== undefined) return await instead(request)
      if (cookies === undefined || request.credentials !== 'include') return await fetch(request)
      const one = new Request(request)
      one.headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '))
      const response = await fetch(one)
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (/Max-Age=0/i.test(line)) cookies.delete(name)
        else cookies.set(name, value)
      }
      return response
    }
  }
}

export interface ClientKit { service: Service, client: LatchkeyClient, network: Network, person: Person, credentials: Pick<Person, 'email' | 'password'>, ends: string[], cookies: Map<string, string>, another: (more?: Partial<LatchkeyClientOptions>) => LatchkeyClient }

let shared: Promise<Service> | undefined

/** A client with an account of its own that is signed in, at the one service of this file. `another` is one more, such as that of another tab. */
export async function signedIn (more: Partial<LatchkeyClientOptions> = {}): Promise<ClientKit> {
  const service = await (shared ??= startService(file, { env: { LOGIN_LIMIT_PER_ACCOUNT: '0', LOGIN_LIMIT_PER_ADDRESS: '0' } }))
  const person = newPerson()
  const cookies = new Map<string, string>()
  const network = createNetwork(cookies)
  const ends: string[] = []
  const another: ClientKit['another'] = (evenMore = {}) => createLatchkeyClient({
    baseUrl: service.origin, fetch: network.fetch, onSignedOut (code) { ends.push(code) }, mostWaitSeconds: 0.01, ...more, ...evenMore
  })
  const client = another()
  const credentials = { email: person.email, password: person.password }
  let { error } = await client.register(person)
  for (let tries = 1; error?.code === 'unavailable' && tries < 5; tries++) { // a busy machine: the queue of hashes is full
    await new Promise((resolve) => { setTimeout(resolve, 1000) });
    ({ error } = await client.register(person))
  }
  if (error !== undefined) throw new Error(error.code)
  network.sent.length = 0
  return { service, client, network, person, credentials, ends, cookies, another }
}

export const problem = (status: number, code: string, headers: Record<string, string> = {}) => (): Response =>
  new Response(JSON.stringify({ status, code }), { status, headers: { 'content-type': 'application/problem+json', ...headers } })

export const minutes = (count: number): number => count * 60_000

/** A web storage, shared by whoever is given it. */
export function createStorage (): WebStorage & { kept: Map<string, string> } {
  const kept = new Map<string, string>()
  return { kept, getItem: (key) => kept.get(key) ?? null, setItem (key, value) { kept.set(key, value) }, removeItem (key) { kept.delete(key) } }
}

interface Locks {
  request: (name: string, options: { signal?: AbortSignal, mode?: string }, work: () => Promise<unknown>) => Promise<unknown>
  query?: () => Promise<{ held: { name: string }[] }>
}

/** The part of the Web Locks API that the client uses: each name is held by one at a time, or shared. */
export function createLocks (): Locks & { asked: string[] } {
  const asked: string[] = []
  const lines = new Map<string, Promise<unknown>>()
  const shared: string[] = []
  return {
    asked,
    async request (name, { signal, mode }, work) {
      signal?.throwIfAborted()
      if (mode === 'shared') {
        shared.push(name)
        return await work()
      }
      asked.push(name)
      const turn = (lines.get(name) ?? Promise.resolve()).then(work, work)
      lines.set(name, turn)
      return await turn
    },
    query: async () => ({ held: shared.map((name) => ({ name })) })
  }
}

/** For the time of a test, this process is a browser that has these. */
export function withLocks (t: Test, locks: Locks): void {
  t.intercept(globalThis as { navigator?: unknown }, 'navigator', { value: { locks } })
}

export const refreshes = (sent: readonly string[]): number => sent.filter((what) => what === 'POST /api/auth/refresh').length
