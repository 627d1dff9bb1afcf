// Goes through every door of a service once as a user who has just registered, and through those of visitors as a guest:
// every operation of the OpenAPI document, so that none is forgotten.
import type { Call } from './http.ts'
import { login, newPerson, register, type Login, type Person } from './people.ts'
import { avatarPath, smallPng, uploadCall } from './pictures.ts'
import type { Caller } from './service.ts'
import { visitorAt } from './visitors.ts'

interface User extends Login { person: Person, second: Login }

const uploadOfPicture = uploadCall([{ filename: 'me.png', type: 'image/png', content: smallPng() }])

/** What a door wants beside the token. */
const wanted: Record<string, (user: User) => Call> = {
  'POST /api/auth/register': () => ({ body: newPerson() }),
  'POST /api/auth/login': ({ person: { email, password } }) => ({ body: { email, password } }),
  'POST /api/auth/refresh': ({ refreshToken }) => ({ body: { refreshToken } }),
  'PUT /api/auth/profile': () => ({ body: { fullName: 'Ada King' } }),
  'PUT /api/auth/profile/password': ({ person: { password } }) => ({ body: { currentPassword: password, newPassword: `${password}-after` } }),
  'POST /api/auth/profile/avatar': () => uploadOfPicture,
  'POST /api/session/page': () => ({ body: { pageId: '/a' } }),
  'POST /api/session/action': () => ({ body: { action: 'look' } }),
  'POST /api/preferences': () => ({ body: { theme: 'dark' } })
}

/** @returns the doors that refused the user, with what they answered */
export async function callEveryDoor (caller: Caller): Promise<string[]> {
  const { paths } = (await caller.get('/openapi.json')).json as { paths: Record<string, Record<string, unknown>> }
  const refused: string[] = []
  for (const [template, operations] of Object.entries(paths)) {
    for (const method of Object.keys(operations).map((name) => name.toUpperCase())) {
      const registered = await register(caller)
      const { accessToken: token, person } = registered
      const user = { ...registered, second: await login(caller, person) }
      await visitorAt(caller, { token }).page('/before')
      const path = template.includes('/avatars/')
        ? (await caller.call(avatarPath, { ...uploadOfPicture, token })).json.avatarUrl
        : template.replace('{code}', 'not_found').replace('{id}', user.second.sid)
      const call = wanted[`${method} ${template}`]?.(user)
      const { status } = await caller.call(path, { ...call, method, token })
      if (status >= 400) refused.push(`${method} ${template} ${status}`)
      if (!/^\/api\/(session|preferences)/.test(template)) continue
      const guest = visitorAt(caller)
      await guest.page('/before')
      await guest.call(method, path, call?.body)
    }
  }
  return refused
}
