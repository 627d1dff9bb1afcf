// Console: who is here. Signing in, a new account, signing out.
import type { LatchkeyClient, User } from '../client/index.ts'
import { by, textsOf } from './dom.ts'
import { onPress, onSubmit, say } from './notice.ts'
import { dataOf, home, Refusal } from './service.ts'

export interface Person {
  /** Shows this person, or the way to sign in. */
  show: (user: User | undefined) => void
}

/** Signs out; whoever is signed out already is, too. Cookies of a session that has ended go with it: with them one is no guest. */
export async function leave (client: LatchkeyClient): Promise<void> {
  try {
    await dataOf(client.signOut())
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 401) throw error
  }
}

/** @returns undefined where nobody is signed in */
export async function whoIsHere (client: LatchkeyClient): Promise<User | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      return await dataOf(client.api.GET('/api/auth/profile'))
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 401) throw error
      if (error.code === 'token_missing') return undefined
      if (tries > 1) await leave(client) // not at once: another tab may have signed in meanwhile
    }
    if (tries > 2) return undefined
  }
}

/** @param changed called whenever somebody else is here from now on, or nobody */
export function openSignIn (client: LatchkeyClient, changed: (user: User | undefined) => Promise<void>): Person {
  const [signIn, register] = [by<HTMLFormElement>('sign-in-form'), by<HTMLFormElement>('register-form')]

  onSubmit(signIn, async () => {
    const { login = '', password = '' } = textsOf(signIn, ['password'])
    const { user } = await dataOf(client.signIn({ ...(login.includes('@') ? { email: login } : { username: login }), password }))
    signIn.reset()
    await changed(user)
    say(`Welcome back, ${user.username}.`)
  })

  onSubmit(register, async () => {
    const { email = '', username = '', fullName, password = '' } = textsOf(register, ['password'])
    const { user } = await dataOf(client.register({ email, username, password, ...(fullName !== undefined && { fullName }) }))
    register.reset()
    await changed(user)
    say(`Welcome, ${user.username}.`)
  })

  onPress(by<HTMLButtonElement>('sign-out'), async () => {
    await leave(client)
    await changed(undefined)
    say('Signed out.')
  })

  return {
    show (user) {
      by('sign-in').hidden = user !== undefined
      by('who').hidden = user === undefined
      by('name').textContent = user?.fullName ?? user?.username ?? ''
      by('role').textContent = user?.role === 'admin' ? 'admin' : ''
      const avatar = by<HTMLImageElement>('avatar')
      const path = user?.avatarUrl ?? null
      avatar.hidden = path === null
      if (path !== null) avatar.src = new URL(`.${path}`, home).href
    }
  }
}
