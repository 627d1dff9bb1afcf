// The doors behind `authenticate`. The hook is added once, here: whatever is opened in this scope is guarded.
import type { Doors } from '../doors.ts'
import account from './account.ts'
import avatar from './avatar.ts'

export default async function privateDoors (scope: Doors): Promise<void> {
  scope.addHook('onRequest', scope.authenticate)
  await account(scope)
  await avatar(scope)
}
