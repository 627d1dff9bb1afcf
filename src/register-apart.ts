// What every socket that brings a library shares: a host may have the same library, with other options, and libraries look for
// what is there already: one then refuses, another takes the host's for its own, a third writes into the host's. So a library
// gets a view of the scope that shows nothing of it, and what it makes is the scope's own (REQUIREMENTS K6).
import type { FastifyInstance } from 'fastify'

type Plugin<O> = (scope: never, options: O, done: (error?: Error) => void) => unknown

type Decorate = (name: string | symbol, value: unknown) => void

/**
 * @param plugin function of a library, which is called with the view
 * @param shown members of the scope that the view shows otherwise; undefined for a decorator that the library looks for
 */
export async function registerApart<O> (scope: FastifyInstance, plugin: Plugin<O>, options: O, shown: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const view: FastifyInstance = new Proxy(scope, {
    get (target, name) {
      if (name === 'hasDecorator') return (decorator: string) => Object.hasOwn(target, decorator)
      if (name === 'decorateRequest' || name === 'decorateReply') return unlessThere(target[name].bind(target) as Decorate)
      const isOtherwise = Object.hasOwn(shown, name) && (shown[name as string] !== undefined || !Object.hasOwn(target, name))
      const member: unknown = isOtherwise ? shown[name as string] : Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    }
  })
  await new Promise<void>((resolve, reject) => {
    const work = plugin(view as never, options, (error) => { error == null ? resolve() : reject(error) })
    if (plugin.length < 3) Promise.resolve(work).then(() => { resolve() }, reject)
  })
}

/** A field of a request that the host's own has brought begins as ours would. */
const unlessThere = (decorate: Decorate): Decorate => (name, value) => {
  try {
    decorate(name, value)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'FST_ERR_DEC_ALREADY_PRESENT') throw error
  }
}
