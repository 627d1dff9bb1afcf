// Socket: @fastify/session, for the doors that open, show and end a guest's visit. It carries who the visitor is and nothing
// else (DESIGN 7). The library would decorate requests by a fixed name, and a host that has it too would have its sessions
// taken for ours; so it is given a scope that keeps its hook for us, and a carrier of its own for each request. Of that it
// sees a cookie only if we signed it. It never sets, saves or clears anything by itself: doors do that (behind a TLS proxy it
// would not set the cookie, and after a change of keys it would clear it).
import fastifySession, { type FastifySessionOptions, type SessionStore } from '@fastify/session'
import type { FastifyRequest, Session } from 'fastify'
import fp from 'fastify-plugin'
import type { ScopeOptions } from '../src/scope-options.ts'
import { newVisitorId, visitorText } from '../src/visit/visit-rules.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The session of a request: that of its cookie, or a new one that nobody has saved. @throws LatchkeyError `unavailable` */
    visitSessionOf: (request: FastifyRequest) => Promise<VisitSession>
  }
  interface Session {
    visitId?: string
  }
}

export interface VisitSession {
  /** The visit of the visitor; undefined for somebody new. */
  readonly visitId: string | undefined
  /** As it goes into the cookie, before its signature. */
  readonly id: string
  /** A session under a new id; the old one is gone. */
  renew: () => Promise<void>
  save: (visitId: string) => Promise<void>
  destroy: () => Promise<void>
}

/** What the library reads of a request, and where it puts the session. */
interface Carrier { readonly raw: { readonly url: string }, readonly protocol: string, readonly cookies: Record<string, string>, session: Session | null }

type Hook = (carrier: Carrier, reply: undefined, done: (error?: Error) => void) => void

export default fp<ScopeOptions>(async function visitSession (scope, { randomBytes }) {
  const { name, attributes, signer, read } = scope.visitorCookies.visit
  const load = await hookOf({
    store: scope.visitSessionStore as unknown as SessionStore, // whose sessions have no cookie: the library gives them ours
    cookieName: name,
    cookie: { ...attributes },
    secret: {
      sign: signer.sign,
      unsign (text) {
        const known = signer.read(text)
        return known === undefined ? { valid: false, renew: false, value: null } : { valid: true, renew: false, value: known.value }
      }
    },
    idGenerator: () => visitorText(newVisitorId(randomBytes)),
    rolling: false,
    saveUninitialized: false
  })

  scope.decorate('visitSessionOf', async ({ protocol, headers }) => {
    const visitor = read(headers.cookie)
    // every address lies within the path of our cookie; the library would not find it in one in absolute form (`GET http://host/...`)
    const carrier: Carrier = { raw: { url: '/' }, protocol, cookies: visitor === undefined ? {} : { [name]: signer.sign(visitor.value) }, session: null }
    await new Promise<void>((resolve, reject) => { load(carrier, undefined, (error) => { error === undefined ? resolve() : reject(error) }) })
    const current = (): Session & FastifyRequest['session'] => carrier.session as FastifyRequest['session']
    return {
      get visitId () { return current().visitId },
      get id () { return current().sessionId },
      renew: () => current().regenerate(),
      async save (visitId) {
        current().visitId = visitId
        await current().save()
      },
      destroy: () => current().destroy()
    }
  })
}, { name: 'latchkey-visit-session', dependencies: ['latchkey-visitor-cookies', 'latchkey-visits'] })

/** The library's hook that finds the session of a request. */
async function hookOf (options: FastifySessionOptions): Promise<Hook> {
  const hooks = new Map<string, Hook>()
  const standIn = { decorate () {}, decorateRequest () {}, addHook (hook: string, work: Hook) { hooks.set(hook, work) } }
  const register = fastifySession as unknown as (scope: typeof standIn, options: FastifySessionOptions, next: (error?: Error) => void) => void
  await new Promise<void>((resolve, reject) => { register(standIn, options, (error) => { error === undefined ? resolve() : reject(error) }) })
  return hooks.get('onRequest') as Hook
}
