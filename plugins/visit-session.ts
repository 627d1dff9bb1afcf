// Socket: @fastify/session, for the doors that ask for it: those that open, show and end a guest's visit. It carries who
// the visitor is and nothing else; doors save it and set its cookie themselves (DESIGN 7). It gets to see a cookie only if
// we signed it and the visitor is a guest, and is let go before the answer is sent: so it never sets, saves or clears
// anything by itself (behind a TLS proxy it would not set the cookie, after a change of keys it would clear it).
import fastifySession, { type SessionStore } from '@fastify/session'
import fp from 'fastify-plugin'
import type { ScopeOptions } from '../src/scope-options.ts'
import { newVisitorId, visitorText } from '../src/visit/visit-rules.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Registers it in a scope, after `identify`. */
    useVisitSession: (doors: FastifyInstance) => Promise<void>
  }
  interface Session {
    visitId?: string
  }
}

export default fp<ScopeOptions>(async function visitSession (scope, { randomBytes }) {
  if (scope.hasRequestDecorator('session')) throw new Error('latchkey: @fastify/session is registered around this scope already; register latchkey before it, or beside it')
  const { visit } = scope.visitorCookies
  const { name, attributes, signer } = visit

  scope.decorate('useVisitSession', async (doors) => {
    doors.addHook('onRequest', (request, _reply, done) => {
      const visitor = request.member === null ? visit.read(request.headers.cookie) : undefined
      request.cookies = visitor === undefined ? {} : { [name]: signer.sign(visitor.value) }
      done()
    })
    await doors.register(fastifySession, {
      store: scope.visitSessionStore as unknown as SessionStore, // whose sessions have no cookie: the library gives them ours
      cookieName: name,
      cookie: { ...attributes },
      secret: {
        sign: signer.sign,
        unsign (text) {
          const read = signer.read(text)
          return read === undefined ? { valid: false, renew: false, value: null } : { valid: true, renew: false, value: read.value }
        }
      },
      idGenerator: () => visitorText(newVisitorId(randomBytes)),
      rolling: false,
      saveUninitialized: false
    })
    doors.addHook('preSerialization', (request, _reply, _payload, done) => {
      ;(request as { session: unknown }).session = null
      done()
    })
  })
}, { name: 'latchkey-visit-session', dependencies: ['latchkey-visitor-cookies', 'latchkey-visits', 'latchkey-authenticate'] })
