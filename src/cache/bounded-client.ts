// Room `cache`: a client of Redis, our own or a host's, that is not waited for. Most clients queue their commands while Redis is away
// and wait as long as it takes; whoever asks here has MongoDB to go on with, and must know at once (DESIGN 8). The library's own
// `commandTimeout` takes a stall of this process for a Redis that does not answer (test/flows/stalls.test.ts).
import type { RedisClient } from './shared-tier.ts'
import { within } from '../clock.ts'

/** Commands of our own scripts begin like this. */
const ours = 'latchkey'

interface Pipeline { exec: () => Promise<unknown> }

const late = (): never => { throw new Error('Redis has not answered in time') }

/** @param ms longest milliseconds that a command may take */
export function boundedClient (client: RedisClient, ms: number): RedisClient {
  const commands = new Set<PropertyKey>(client.getBuiltinCommands())
  const made = new Map<PropertyKey, unknown>()

  const bounded = (send: () => Promise<unknown>): Promise<unknown> =>
    client.status === 'ready' ? within(ms, send(), late) : Promise.reject(new Error('Redis is not connected'))

  function memberOf (name: string, member: (...args: unknown[]) => unknown): unknown {
    if (name === 'multi' || name === 'pipeline') {
      return (...args: unknown[]) => {
        const pipeline = member.apply(client, args) as Pipeline
        const { exec } = pipeline
        return Object.assign(pipeline, {
          exec () {
            pipeline.exec = exec // the library calls it again where a cluster's node has moved, and drops the promise
            return bounded(() => exec.call(pipeline))
          }
        })
      }
    }
    if (!commands.has(name) && !name.startsWith(ours)) return member.bind(client)
    return (...args: unknown[]) => bounded(() => member.apply(client, args) as Promise<unknown>)
  }

  return new Proxy(client, {
    get (target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function' || typeof name === 'symbol') return member
      if (!made.has(name)) made.set(name, memberOf(name, member as (...args: unknown[]) => unknown))
      return made.get(name)
    }
  })
}
