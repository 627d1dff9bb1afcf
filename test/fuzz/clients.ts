// The kinds of clients that a property speaks as. What one run ends (a session, a visit, a password) the next one has again.
import type { Answer, Call } from '../helper/http.ts'
import { cookiesOf, login, newPerson, register, type Login, type Person } from '../helper/people.ts'
import type { Service } from '../helper/service.ts'
import { visitorAt } from '../helper/visitors.ts'
import { promptly } from './fuzz-kit.ts'
import { rightPassword } from './lawful.ts'

/** `nobody` brings nothing, `guest` the cookies of a visitor; the others an access token, each in another way. */
export const kinds = ['nobody', 'guest', 'bearer', 'header', 'cookie'] as const
export type Kind = typeof kinds[number]

export interface Clients {
  /** What a client of this kind sends beside its request: of a session that lives, and of a visit that runs. */
  headersOf: (kind: Kind) => Promise<Record<string, string>>
}

const somebody = (): Person => ({ ...newPerson(), password: rightPassword })

interface SignedIn extends Login { person: Person }

export async function createClients (service: Service): Promise<Clients> {
  let user: SignedIn = await register(service, somebody())
  let cookie = await cookieOf(user.person)

  async function cookieOf ({ email, password }: Person): Promise<string> {
    const answer: Answer = await service.post('/api/auth/login', { email, password, transport: 'cookie' })
    return Object.entries(cookiesOf(answer)).map(([name, { value }]) => `${name}=${String(value)}`).join('; ')
  }

  const isIn = async (call: Call): Promise<boolean> => (await promptly(service.get('/api/protected', call))).status === 200

  /** Signs in anew, or as somebody else if the password, the name or the address is another now. */
  async function renew (): Promise<void> {
    try {
      user = { ...await login(service, user.person), person: user.person }
    } catch {
      user = await register(service, somebody())
    }
    cookie = await cookieOf(user.person)
  }

  return {
    async headersOf (kind) {
      if (kind === 'nobody') return {}
      if (kind === 'guest') {
        const guest = visitorAt(service)
        await guest.call('POST', '/api/session')
        await guest.call('POST', '/api/preferences', { theme: 'dark' })
        return { cookie: [...guest.jar].map(([name, value]) => `${name}=${value}`).join('; ') }
      }
      if (!await isIn({ token: user.accessToken }) || (kind === 'cookie' && !await isIn({ headers: { cookie } }))) await renew()
      if (kind === 'cookie') return { cookie }
      return kind === 'bearer' ? { authorization: `Bearer ${user.accessToken}` } : { 'x-access-token': user.accessToken }
    }
  }
}
