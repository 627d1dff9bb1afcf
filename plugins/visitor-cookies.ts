// Socket: the two signed cookies of visitors. They are Lax, so that who follows a link is known, and no script reads them.
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createKeyring } from '../src/token/keyring.ts'
import { createSignedCookie, type SignedCookie } from '../src/token/signed-cookie.ts'

declare module 'fastify' {
  interface FastifyInstance {
    visitorCookies: { readonly visit: VisitorCookie, readonly preferences: VisitorCookie }
  }
}

export interface VisitorCookie {
  /** As it is on the wire. */
  readonly name: string
  readonly attributes: { readonly path: string, readonly httpOnly: boolean, readonly sameSite: 'lax', readonly secure: boolean, readonly domain?: string }
  readonly signer: SignedCookie
  /** What a Cookie header says; a cookie that we did not write is none. */
  read: (header: string | undefined) => { value: string, isOld: boolean } | undefined
  set: (reply: FastifyReply, value: string) => void
  clear: (reply: FastifyReply) => void
}

/** Seconds that preferences are kept: the longest that browsers grant (RFC 6265bis: 400 days). */
const preferencesMaxAge = 400 * 86_400

export default fp<ScopeOptions>(async function visitorCookies (scope, { config }) {
  const { prefix } = scope.authCookies
  const keyring = createKeyring(config.rings.session)
  const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure: config.cookieSecure, ...(config.cookieDomain !== undefined && { domain: config.cookieDomain }) } as const

  function visitorCookie (purpose: string, living: { maxAge?: number }): VisitorCookie {
    const name = `${prefix}${purpose}`
    const signer = createSignedCookie(keyring, purpose, name)
    return {
      name,
      attributes,
      signer,
      read (header) {
        const text = header === undefined ? undefined : scope.parseCookie(header)[name]
        return text === undefined ? undefined : signer.read(text)
      },
      set (reply, value) { reply.setCookie(name, signer.sign(value), { ...attributes, ...living }) },
      clear (reply) { reply.setCookie(name, '', { ...attributes, maxAge: 0 }) }
    }
  }

  scope.decorate('visitorCookies', { visit: visitorCookie('visit', {}), preferences: visitorCookie('preferences', { maxAge: preferencesMaxAge }) })
}, { name: 'latchkey-visitor-cookies', dependencies: ['latchkey-cookies'] })
