// Doors: preferences, of users in their accounts and of guests in a signed cookie. Looking at them creates nothing.
import { schemaAt, type Doors } from '../doors.ts'
import { getPreferencesSchema, setPreferencesSchema } from './preferences.schema.ts'

const paths = ['/api/preferences', '/preferences']

export default async function preferences (scope: Doors): Promise<void> {
  const cookie = scope.visitorCookies.preferences

  for (const path of paths) {
    scope.get(path, { schema: schemaAt(getPreferencesSchema, paths, path) }, async (request, reply) => {
      if (request.latchkeyMember !== null) return await scope.preferences.read(request.latchkeyMember.userId, request.latchkeyMember.accountVersion)
      const read = cookie.read(request.headers.cookie)
      if (read?.isOld) cookie.set(reply, read.value) // or the choice would go with the key that signed it
      return scope.preferences.readGuest(read?.value)
    })

    scope.post(path, { schema: schemaAt(setPreferencesSchema, paths, path) }, async (request, reply) => {
      if (request.latchkeyMember !== null) return await scope.preferences.change(request.latchkeyMember.userId, request.body)
      const { preferences, text } = scope.preferences.changeGuest(cookie.read(request.headers.cookie)?.value, request.body)
      cookie.set(reply, text)
      return preferences
    })
  }
}
