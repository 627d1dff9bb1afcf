// People of the tests: each has a name, an address and a password of their own, marked for the leak test.
import { randomBytes } from 'node:crypto'
import type { Answer } from './http.ts'
import { emailMark, passwordMark } from './evidence.ts'
import type { Caller } from './service.ts'

export interface Person { username: string, email: string, password: string }

/** What a client keeps of a login. */
export interface Login { accessToken: string, refreshToken: string, sid: string, userId: string, answer: Answer }

export function newPerson (): Person {
  const name = randomBytes(6).toString('hex')
  return { username: `u-${name}`, email: `${name}@${emailMark}`, password: `${passwordMark}${name}` }
}

export const loginOf = (answer: Answer): Login => ({
  accessToken: answer.json.accessToken,
  refreshToken: answer.json.refreshToken,
  sid: answer.json.session?.id,
  userId: answer.json.user?.id,
  answer
})

/** As an honest client asks: on a busy machine the queue of hashes may be full, or a store late, and 503 says so. */
export async function patiently (ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await ask()
    if (answer.status !== 503 || tries === 5) return answer
    await new Promise((resolve) => { setTimeout(resolve, Number(answer.headers['retry-after']) * 1000) })
  }
}

export async function register (service: Caller, person: Person = newPerson()): Promise<Login & { person: Person }> {
  const answer = await patiently(() => service.post('/api/auth/register', person))
  if (answer.status !== 201) throw new Error(`register: ${answer.status} ${answer.text}`)
  return { ...loginOf(answer), person }
}

export async function login (service: Caller, { email, password }: Person): Promise<Login> {
  const answer = await patiently(() => service.post('/api/auth/login', { email, password }))
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.text}`)
  return loginOf(answer)
}

/** The tier that answered a guarded request. */
export const tierOf = (answer: Answer): string | undefined => /desc="(\w+)"/.exec(String(answer.headers['server-timing']))?.[1]

/** Cookies that an answer sets, name to attributes; the value stands under `value`. */
export function cookiesOf (answer: Answer): Record<string, Record<string, string | true>> {
  const lines = answer.headers['set-cookie'] ?? []
  return Object.fromEntries(lines.map((line) => {
    const [pair, ...attributes] = line.split(/; */) as [string, ...string[]]
    const at = pair.indexOf('=')
    const read = attributes.map((attribute) => attribute.split('=', 2) as [string, string?]).map(([name, value]) => [name.toLowerCase(), value ?? true])
    return [pair.slice(0, at), { value: pair.slice(at + 1), ...Object.fromEntries(read) }]
  }))
}
