// An instance whose database operations can be held, and on real engines a second one beside it.
import type { Test } from 'tap'
import { openClient } from './client-of.ts'
import { realEngines } from './engines.ts'
import { createGates, type Gates } from './gates.ts'
import { createDeployment, startService, untilHearing, type Service } from './service.ts'

export interface GatedPair { gates: Gates, service: Service, other: Service }

/** @returns `other` is the same instance where there is no second one */
export async function startGatedPair (t: Test, env: Record<string, string> = {}): Promise<GatedPair> {
  const deployment = createDeployment(t)
  const gates = createGates(await openClient(t, deployment))
  const service = await startService(t, { deployment, env, mongoClient: gates.client })
  if (!realEngines) return { gates, service, other: service }
  const other = await startService(t, { deployment, env })
  await Promise.all([service, other].map(untilHearing))
  return { gates, service, other }
}
