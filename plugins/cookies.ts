// Socket: @fastify/cookie and the one place that sets, reads and clears the cookies of a session. They belong to the
// host alone (`__Host-`) wherever that is possible, live as long as the refresh token, and no script can read them.
import fastifyCookie from '@fastify/cookie'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { registerApart } from '../src/register-apart.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import type { Issued } from '../src/token/token-service.ts'

declare module 'fastify' {
  interface FastifyInstance {
    authCookies: AuthCookies
  }
}

export interface AuthCookies {
  /** Begins the name of every cookie of ours: `__Host-` wherever that is possible. */
  readonly prefix: string
  /** Names as they are on the wire. */
  readonly names: { readonly access: string, readonly refresh: string }
  /** Reads the cookies of a Cookie header. */
  read: (header: string | undefined) => { access: string | undefined, refresh: string | undefined }
  set: (reply: FastifyReply, issued: Issued) => void
  clear: (reply: FastifyReply) => void
}

export default fp<ScopeOptions>(async function cookies (scope, { config }) {
  await registerApart(scope, fastifyCookie, { hook: false })
  const prefix = config.cookieSecure && config.cookieDomain === undefined ? '__Host-' : ''
  const names = { access: `${prefix}accessToken`, refresh: `${prefix}refreshToken` }
  const attributes = {
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
    secure: config.cookieSecure,
    ...(config.cookieDomain !== undefined && { domain: config.cookieDomain })
  } as const

  scope.decorate('authCookies', {
    prefix,
    names,
    read (header) {
      if (header === undefined) return { access: undefined, refresh: undefined }
      const cookies = scope.parseCookie(header)
      return { access: cookies[names.access] || undefined, refresh: cookies[names.refresh] || undefined }
    },
    set (reply, { accessToken, refreshToken, refreshExpiresInSeconds }) {
      const living = { ...attributes, maxAge: refreshExpiresInSeconds }
      reply.setCookie(names.access, accessToken, living)
      if (refreshToken !== undefined) reply.setCookie(names.refresh, refreshToken, living)
    },
    clear (reply) {
      for (const name of Object.values(names)) reply.setCookie(name, '', { ...attributes, maxAge: 0 })
    }
  })
}, { name: 'latchkey-cookies' })
