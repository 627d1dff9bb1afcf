// The doors behind a live session. The hooks are added once, here: whatever is opened in these scopes is guarded. Doors
// that need to know the login are kept apart, so that the others' check makes nothing.
import type { Doors } from '../doors.ts'
import account from './account.ts'
import avatar from './avatar.ts'
import devices from './devices.ts'
import profile from './profile.ts'

export default async function privateDoors (scope: Doors): Promise<void> {
  await scope.register(async (doors: Doors) => {
    doors.addHook('onRequest', doors.authenticate)
    await account(doors)
  })
  await scope.register(async (doors: Doors) => {
    doors.addHook('onRequest', doors.authenticateMember)
    await profile(doors)
    await avatar(doors)
    await devices(doors)
  })
}
