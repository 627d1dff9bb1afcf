// For the tests of the client: a service, a client of it, and a `fetch` in between that notes what is sent, keeps cookies as a
// browser does, and can be told to fail.
import type { Test } from 'tap'
import { createLatchkeyClient, type LatchkeyClient, type LatchkeyClientOptions } from '../../client/index.ts'
import { register, type Person } from '../helper/people.ts'
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

export interface ClientKit { service: Service, client: LatchkeyClient, network: Network, person: Person, credentials: Pick<Person, 'email' | 'password'>, ends: string[], another: (more?: Partial<LatchkeyClientOptions>) => LatchkeyClient }

/** A client that is signed in. `another` is one more, such as that of another tab. */
export async function signedIn (t: Test, more: Partial<LatchkeyClientOptions> = {}): Promise<ClientKit> {
  const service = await startService(t)
  const { person } = await register(service)
  const network = createNetwork(new Map())
  const ends: string[] = []
  const another: ClientKit['another'] = (evenMore = {}) => createLatchkeyClient({
    baseUrl: service.origin, fetch: network.fetch, onSignedOut (code) { ends.push(code) }, mostWaitSeconds: 0.01, ...more, ...evenMore
  })
  const client = another()
  const credentials = { email: person.email, password: person.password }
  const { error } = await client.signIn(credentials)
  if (error !== undefined) throw new Error(error.code)
  network.sent.length = 0
  return { service, client, network, person, credentials, ends, another }
}

export const problem = (status: number, code: string, headers: Record<string, string> = {}) => (): Response =>
  new Response(JSON.stringify({ status, code }), { status, headers: { 'content-type': 'application/problem+json', ...headers } })

export const minutes = (count: number): number => count * 60_000
