// Socket: what an address answers to methods that it has no door for: 405 with Allow, and OPTIONS with what there is
// (RFC 9110 sections 9.3.7 and 15.5.6). Fastify alone would say 404.
import fp from 'fastify-plugin'
import { LatchkeyError } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Call it once, when every door of the scope stands. */
    answerOtherMethods: () => void
  }
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

export default fp(async function otherMethods (scope) {
  const doors = new Map<string, Set<string>>()
  scope.addHook('onRoute', ({ url, method, prefix }) => {
    if (url.includes('*') || prefix !== scope.prefix) return // the docs page answers for itself
    const known = doors.get(url) ?? new Set()
    for (const one of [method].flat()) known.add(one)
    doors.set(url, known)
  })
  scope.decorate('answerOtherMethods', () => {
    for (const [url, known] of [...doors]) {
      const path = url.slice(scope.prefix.length) || '/'
      const allow = [...methods.filter((method) => known.has(method)), 'OPTIONS']
      scope.route({
        method: methods.filter((method) => !known.has(method)),
        url: path,
        exposeHeadRoute: false,
        schema: { hide: true },
        onRequest: (_request, _reply, done) => { done(new LatchkeyError('method_not_allowed', { allow })) }, // whatever the body is
        handler: () => { /* the hook has refused */ }
      })
      if (known.has('OPTIONS')) continue
      scope.options(path, { schema: { hide: true } }, async (_request, reply) => reply.code(204).header('allow', allow.join(', ')).send())
    }
  })
}, { name: 'latchkey-methods' })
