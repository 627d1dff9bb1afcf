// A MongoDB client whose operations a test can hold, so that two requests meet exactly where the test wants them to.
// It changes no answer: it only decides when one is given.
import type { MongoClient } from 'mongodb'
import { mongodbUri } from './engines.ts'

export interface Gate {
  /** Resolves when an operation stands at the gate. */
  reached: Promise<void>
  /** Lets it go on. */
  open: () => void
  /** Lets it fail, as a store does that dies before it is asked or before its answer arrives. */
  fail: (error: Error) => void
}

export interface Gates {
  client: MongoClient
  /**
   * Holds the next such operation once.
   * @param operation collection and method, such as `usersession.findOne`
   * @param when `before` it is sent, or `after` its answer came and before the service sees it
   */
  hold: (operation: string, when: 'before' | 'after') => Gate
}

interface Cursor { toArray: () => Promise<unknown> }

/** The operations by which a check asks the truth: one where the engine can join, else two. */
export const checkReads = mongodbUri === undefined ? ['usersession.findOne', 'users.findOne'] as const : ['usersession.aggregate'] as const

/** Operations that are sent when their cursor is read. */
const cursors = new Set<PropertyKey>(['find', 'aggregate'])

interface Held { operation: string, when: 'before' | 'after', arrive: () => void, released: Promise<Error | undefined> }

export function createGates (client: MongoClient): Gates {
  const held: Held[] = []

  async function pass (operation: string, when: 'before' | 'after'): Promise<void> {
    const at = held.findIndex((gate) => gate.operation === operation && gate.when === when)
    if (at < 0) return
    const [gate] = held.splice(at, 1) as [Held]
    gate.arrive()
    const error = await gate.released
    if (error !== undefined) throw error
  }

  const gated = (collection: object, name: string): object => new Proxy(collection, {
    get (target, method) {
      const member: unknown = Reflect.get(target, method, target)
      if (typeof member !== 'function') return member
      const operation = `${name}.${String(method)}`
      return (...args: unknown[]) => {
        const call = () => Reflect.apply(member, target, args) as unknown
        if (!held.some((gate) => gate.operation === operation)) return call()
        const passing = async (work: () => unknown): Promise<unknown> => {
          await pass(operation, 'before')
          const answer = await work()
          await pass(operation, 'after')
          return answer
        }
        return cursors.has(method) ? { toArray: () => passing(() => (call() as Cursor).toArray()) } : passing(call)
      }
    }
  })
  const layer = (target: object, wrap: (method: string, result: object, args: unknown[]) => object): object => new Proxy(target, {
    get (inner, name) {
      const member: unknown = Reflect.get(inner, name, inner)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => wrap(String(name), Reflect.apply(member, inner, args) as object, args)
    }
  })
  const view = layer(client, (method, result) => method !== 'db'
    ? result
    : layer(result, (inner, collection, args) => inner === 'collection' ? gated(collection, String(args[0])) : collection))

  return {
    client: view as MongoClient,
    hold (operation, when) {
      let arrive = () => { /* set below */ }
      let release = (_error?: Error) => { /* set below */ }
      const reached = new Promise<void>((resolve) => { arrive = resolve })
      const released = new Promise<Error | undefined>((resolve) => { release = resolve })
      held.push({ operation, when, arrive, released })
      return { reached, open: () => { release() }, fail: (error) => { release(error) } }
    }
  }
}
