// Starts the service as a process and brings requests of it to a stop at their writes, until the process kills itself.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { Fault } from '../helper/fault-points.ts'
import { callHttp, type Call } from '../helper/http.ts'
import type { Caller, Deployment } from '../helper/service.ts'

/** One request that was struck: what it was about, and where it stopped. */
export interface Struck<S> {
  readonly subject: S
  /** The write before or after which it stopped; undefined if it came to its end. */
  readonly stopped: string | undefined
}

interface Message { id: string, stopped?: string, answered?: boolean }

export interface DoomedService extends Caller {
  /** @returns the write at which the request has stopped, or undefined if it was answered before it came to its n-th */
  strike: (path: string, call: Call, fault: Fault) => Promise<string | undefined>
  /**
   * Strikes requests before their first write, their second, and so on until one comes to its end; then likewise after each
   * write to MongoDB.
   * @param prepare makes what a request is about: each has its own
   */
  strikeEach: <S>(prepare: () => Promise<S>, requestOf: (subject: S) => [path: string, call: Call]) => Promise<Struck<S>[]>
  /** Kill -9, with every request that was struck standing where it stopped. */
  kill: () => Promise<void>
}

/** How many writes the requests made that were struck. */
export const writesIn = (struck: readonly Struck<unknown>[]): number => struck.filter(({ stopped }) => stopped?.startsWith('before')).length

export async function startDoomed (t: Test, { env }: Deployment, more: Record<string, string>): Promise<DoomedService> {
  const child = fork(fileURLToPath(new URL('service-child.ts', import.meta.url)), { env: { ...process.env, TAP: '0', ...env, ...more } })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const outcomes = new Map<string, (stopped: string | undefined) => void>()
  const [{ listening: origin }] = await Promise.race([once(child, 'message'), ended.then(() => { throw new Error('it ended before it listened') })]) as [{ listening: string }]
  child.on('message', ({ id, stopped }: Message) => { outcomes.get(id)?.(stopped) }) // the first message of a request counts: it is in the order of things
  const post: Caller['post'] = (path, body, call) => callHttp(origin, path, { method: 'POST', ...(body !== undefined && { body }), ...call })
  let strikes = 0

  async function strike (path: string, call: Call, fault: Fault): Promise<string | undefined> {
    const id = `strike-${++strikes}`
    const outcome = new Promise<string | undefined>((resolve) => { outcomes.set(id, resolve) })
    callHttp(origin, path, { ...call, from: '127.0.0.1', headers: { ...call.headers, 'x-request-id': id, 'x-fault': JSON.stringify(fault) } }).catch(() => { /* killed */ })
    return await outcome
  }

  return {
    call: (path, call) => callHttp(origin, path, call),
    get: (path, call) => callHttp(origin, path, call),
    post,
    strike,
    async strikeEach (prepare, requestOf) {
      const struck = []
      for (const when of ['before', 'after'] as const) {
        for (let at = 1, isOver = false; !isOver; at++) {
          const subject = await prepare()
          const stopped = await strike(...requestOf(subject), { at, when })
          struck.push({ subject, stopped })
          isOver = stopped === undefined
        }
      }
      return struck
    },
    async kill () {
      child.send('die')
      await ended
    }
  }
}
