// The doors that need no identity. The list is the map: a file that is not named here is not open.
import type { Parts } from '../../src/config/parts.ts'
import type { Doors } from '../doors.ts'
import avatar from './avatar.ts'
import consoleDoors from './console.ts'
import health from './health.ts'
import login from './login.ts'
import logout from './logout.ts'
import metrics from './metrics.ts'
import operation from './operation.ts'
import refresh from './refresh.ts'
import register from './register.ts'

export default async function publicDoors (scope: Doors, { parts }: { parts: Parts }): Promise<void> {
  if (parts.has('auth')) {
    await register(scope)
    await login(scope)
    await refresh(scope)
    await logout(scope)
    await avatar(scope)
  }
  await operation(scope)
  await health(scope)
  await metrics(scope)
  if (parts.has('console')) await consoleDoors(scope)
}
