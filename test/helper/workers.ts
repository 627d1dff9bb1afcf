// Several workers of the service behind one port, as `npm start` starts them with WORKERS, and connections of which one knows
// who answers at the other end.
import { Agent } from 'node:http'
import type { Test } from 'tap'
import { openClient } from './client-of.ts'
import { realEngines } from './engines.ts'
import { callHttp, type Call } from './http.ts'
import { startProcess, type ServerProcess } from './process.ts'
import { createDeployment, until, type Caller } from './service.ts'

export interface Workers extends ServerProcess {
  /** Lines of the log so far, parsed. */
  logs: () => Record<string, unknown>[]
  /** Process of the worker that has this number now. */
  pidOf: (number: number) => number
  /** One connection that is kept, to the worker of this number. */
  connectionTo: (number: number) => Promise<Caller>
}

/** For `t.test`'s options: why workers cannot be started here, or false. */
export const withoutWorkers: string | false = !realEngines && 'several processes need a MongoDB and a Redis'

/** @param env beside what every deployment has; WORKERS is 2 without it */
export async function startWorkers (t: Test, env: Record<string, string> = {}): Promise<Workers> {
  const deployment = createDeployment(t)
  const client = await openClient(t, deployment)
  t.teardown(async () => { await client.db(deployment.database).dropDatabase() })
  const server = startProcess(t, { WORKERS: '2', ...deployment.env, ...env })
  const logs = () => server.printed().split('\n').filter((line) => line.startsWith('{') && line.endsWith('}')).map((line) => JSON.parse(line) as Record<string, unknown>)

  async function connectionTo (number: number): Promise<Caller> {
    const origin = await server.origin
    let agent = new Agent()
    await until(async () => {
      agent.destroy()
      agent = new Agent({ keepAlive: true, maxSockets: 1 })
      return (await callHttp(origin, '/api/auth/health', { agent })).json.worker === number
    }, `worker ${number} answers`)
    t.teardown(() => { agent.destroy() })
    const call = (path: string, options?: Call) => callHttp(origin, path, { agent, ...options })
    return { call, get: call, post: (path, body, options) => call(path, { method: 'POST', ...(body !== undefined && { body }), ...options }) }
  }

  await server.origin
  return {
    ...server,
    logs,
    pidOf: (number) => logs().filter(({ worker, msg }) => worker === number && String(msg).startsWith('listening')).at(-1)?.['pid'] as number,
    connectionTo
  }
}
