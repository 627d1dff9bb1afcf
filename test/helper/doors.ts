// The doors of the real app, as they were opened.
import type { RouteOptions } from 'fastify'
import type { Test } from 'tap'
import { randomBytes } from 'node:crypto'
import { createConfig } from '../../src/config/config.ts'
import { readEnvironment } from '../../src/config/environment.ts'
import { createStandalone } from '../../src/standalone.ts'
import { createDeployment } from './service.ts'

export interface Door { method: string, url: string, operationId: string | undefined, security: object[], guarded: boolean, hidden: boolean, schema: Record<string, unknown> }

/** Every door with a schema of its own: aliases included, the answers to other methods and the docs page not. */
export async function doorsOf (t: Test): Promise<Door[]> {
  const config = createConfig(readEnvironment({ ...createDeployment(t, {}).env, LOG_LEVEL: 'silent' }), { randomBytes })
  const app = createStandalone(config)
  t.teardown(() => app.close())
  const doors: Door[] = []
  app.addHook('onRoute', ({ method, url, schema }: RouteOptions) => {
    const { operationId, security = [], hide } = (schema ?? {}) as { operationId?: string, security?: object[], hide?: boolean }
    if (operationId === undefined || method === 'HEAD') return
    doors.push({ method: String(method), url, operationId, security, guarded: security.length > 0 && security.every((way) => Object.keys(way).length > 0), hidden: hide === true, schema: schema as Record<string, unknown> })
  })
  await app.ready()
  return doors
}
