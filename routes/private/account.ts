// Door: greets the signed-in account, from the session alone.
import { schemaAt, type Doors } from '../doors.ts'
import { protectedSchema } from './account.schema.ts'

const protectedPaths = ['/api/protected', '/protected']

export default async function account (scope: Doors): Promise<void> {
  for (const path of protectedPaths) {
    scope.get(path, { schema: schemaAt(protectedSchema, protectedPaths, path) }, async (request) => ({ message: `Hello, ${request.user.username}`, user: request.user }))
  }
}
