// Stands between the service and its stores and stops a request at its n-th write for good: right before the write is sent,
// or right after it was acknowledged and before the service sees it. Nothing that the request would still write is sent, so
// its process can be killed any time later, and the stores stand as if it had been killed there.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Redis } from 'ioredis'
import type { MongoClient } from 'mongodb'

/**
 * Where a request stops: before its n-th write, counted from 1; or after its n-th write to MongoDB. What it finds after a
 * write to Redis is what it finds before the next one.
 */
export interface Fault { readonly at: number, readonly when: 'before' | 'after' }

/** A request under a fault. */
export interface Doomed extends Fault { readonly id: string, writes: number, isStopped: boolean }

export interface FaultPoints {
  /** Views of the clients, for the service. */
  watchMongo: (client: MongoClient) => MongoClient
  watchRedis: (client: Redis) => Redis
  /** Runs a part of a request's work. */
  during: (doomed: Doomed, work: () => void) => void
}

const isMongoWrite = (method: string): boolean => /^(insert|update|replace|delete|findOneAnd|bulkWrite)/.test(method)

/** Commands that change nothing; every other one counts as a write, also one that nobody here has thought of. */
const redisReads = new Set(['get', 'mget', 'exists', 'ping', 'hget', 'hmget', 'hgetall', 'lrange', 'zcount', 'zcard', 'zrange', 'zrevrange', 'zrangebyscore', 'zscore', 'subscribe', 'latchkeyVisitRead'])

/** @param onStop told of each request that stops, and of the write at which it does */
export function createFaultPoints (onStop: (id: string, write: string) => void): FaultPoints {
  const storage = new AsyncLocalStorage<Doomed>()

  function stop (doomed: Doomed, write: string): Promise<never> {
    if (!doomed.isStopped) onStop(doomed.id, `${doomed.when} ${write}, write ${doomed.at}`)
    doomed.isStopped = true
    return new Promise(() => { /* for good */ })
  }

  function pass (write: string, send: () => unknown, isDocument = false): unknown {
    const doomed = storage.getStore()
    if (doomed === undefined) return send()
    if (doomed.isStopped) return stop(doomed, write)
    if (doomed.when === 'after' && !isDocument) return send()
    const isHere = ++doomed.writes === doomed.at
    if (!isHere) return send()
    return doomed.when === 'before' ? stop(doomed, write) : Promise.resolve(send()).then(() => stop(doomed, write))
  }

  /** A view of an object; `wrap` gets each call of a method of it. */
  const view = <T extends object>(inner: T, wrap: (method: string, call: () => unknown, args: unknown[]) => unknown): T => new Proxy(inner, {
    get (target, name) {
      const member: unknown = Reflect.get(target, name, target)
      return typeof member !== 'function' ? member : (...args: unknown[]) => wrap(String(name), () => Reflect.apply(member, target, args), args)
    }
  })

  const collectionView = (collection: object, name: string): object =>
    view(collection, (method, call) => isMongoWrite(method) ? pass(`${name}.${method}`, call, true) : call())

  function pipelineView (pipeline: object): object {
    const watched: object = view(pipeline, (method, call) => {
      if (method === 'exec') return pass('multi', call)
      return call() === pipeline ? watched : undefined
    })
    return watched
  }

  return {
    watchMongo: (client) => view(client, (method, call) => method !== 'db'
      ? call()
      : view(call() as object, (inner, open, args) => inner === 'collection' ? collectionView(open() as object, String(args[0])) : open())),
    watchRedis (client) {
      const commands = new Set(client.getBuiltinCommands())
      return view(client, (method, call) => {
        if (method === 'multi') return pipelineView(call() as object)
        return (commands.has(method) || method.startsWith('latchkey')) && !redisReads.has(method) ? pass(method, call) : call()
      })
    },
    during (doomed, work) { storage.run(doomed, work) }
  }
}
