// The doors for guests and users alike. A token that is present counts: a bad one is refused, never taken for a guest.
import type { Parts } from '../../src/config/parts.ts'
import type { Doors } from '../doors.ts'
import notes from './notes.ts'
import preferences from './preferences.ts'
import session from './session.ts'

export default async function visitorDoors (scope: Doors, { parts }: { parts: Parts }): Promise<void> {
  scope.addHook('onRequest', scope.identify)
  if (parts.has('visits')) {
    await session(scope)
    await notes(scope)
  }
  if (parts.has('preferences')) await preferences(scope)
}
