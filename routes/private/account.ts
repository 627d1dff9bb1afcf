// Doors: the signed-in account.
import { schemaAt, type Doors } from '../doors.ts'
import { profileSchema, protectedSchema } from './account.schema.ts'

const profilePaths = ['/api/auth/profile', '/profile']
const protectedPaths = ['/api/protected', '/protected']

export default async function account (scope: Doors): Promise<void> {
  for (const path of profilePaths) {
    scope.get(path, { schema: schemaAt(profileSchema, profilePaths, path) }, async (request) => await scope.accounts.profile(request.user.id))
  }

  for (const path of protectedPaths) {
    scope.get(path, { schema: schemaAt(protectedSchema, protectedPaths, path) }, async (request) => ({ message: `Hello, ${request.user.username}`, user: request.user }))
  }
}
