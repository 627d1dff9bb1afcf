// Socket: security headers, CORS, the general limit on requests where it is switched on, and the defence of cookies
// against other sites (DESIGN 6). A browser says where a request comes from (Sec-Fetch-Site, else Origin); whoever says
// neither is no browser. A request with an Authorization header is judged by that alone, and its cookies are not looked at.
import cors, { type FastifyCorsOptions } from '@fastify/cors'
import rateLimit, { type RateLimitPluginOptions } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import helmet, { type HelmetOptions } from 'helmet'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { LatchkeyError } from '../src/errors.ts'
import { addressKey } from '../src/limit/address.ts'
import { registerApart } from '../src/register-apart.ts'
import type { ScopeOptions } from '../src/scope-options.ts'

/** Characters of an address that are read; nothing here needs more (414 above it). */
const mostUrlLength = 2048

/** Bytes of a JSON body; routes that take files say so themselves. */
const mostBodyBytes = 64 * 1024

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether a request may have been caused by another site; asked wherever cookies count. */
    isFromHere: (request: FastifyRequest) => boolean
  }
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

export default fp<ScopeOptions>(async function security (scope, { config }) {
  const allowed = new Set(config.corsOrigins)
  const headers = {
    ...headersOf({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
      crossOriginResourcePolicy: { policy: allowed.size > 0 ? 'cross-origin' : 'same-origin' },
      xFrameOptions: { action: 'deny' },
      strictTransportSecurity: config.cookieSecure ? { maxAge: 31_536_000, includeSubDomains: true } : false
    }),
    'cache-control': 'no-store'
  }
  scope.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
  if (allowed.size > 0) {
    await registerApart<FastifyCorsOptions>(scope, cors, {
      // who is not on the list gets no word of CORS at all
      origin: (origin, callback) => { callback(null, origin !== undefined && allowed.has(origin) ? origin : false) },
      strictPreflight: false,
      credentials: true,
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      exposedHeaders: ['www-authenticate', 'retry-after', 'link', 'server-timing', 'x-request-id'],
      maxAge: 600
    })
  }

  if (config.requestLimitPerMinute > 0) {
    await registerApart<RateLimitPluginOptions>(scope, rateLimit, {
      global: false,
      max: config.requestLimitPerMinute,
      timeWindow: 60_000,
      cache: 10_000,
      keyGenerator: (request) => addressKey(request.ip),
      errorResponseBuilder: (_request, { ttl }) => new LatchkeyError('rate_limited', { retryAfterSeconds: Math.max(1, Math.ceil(ttl / 1000)) })
    })
    scope.addHook('onRequest', scope.rateLimit()) // not by route: what leads nowhere counts too
  }

  // what can be refused unread is refused here, before a body is looked at
  scope.addHook('onRequest', (request, _reply, done) => {
    const { url = '', rawHeaders, httpVersionMinor } = request.raw
    if (url.length > mostUrlLength) done(new LatchkeyError('uri_too_long'))
    else if (request.is404) done(new LatchkeyError('not_found'))
    else if (!namesItsHost(rawHeaders, httpVersionMinor)) done(new LatchkeyError('validation_failed', { detail: 'The request names no host, or several.' }))
    else done()
  })
  scope.addHook('onRoute', (route) => {
    route.bodyLimit ??= mostBodyBytes
    if ([route.method].flat().every((method) => safeMethods.has(method))) return
    route.onRequest = [refuseOtherSites, ...[route.onRequest ?? []].flat()]
  })
  scope.decorate('isFromHere', isFromHere)

  function refuseOtherSites (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void): void {
    done(isFromHere(request) ? undefined : new LatchkeyError('csrf_rejected'))
  }

  function isFromHere (request: FastifyRequest): boolean {
    const { method, headers } = request
    if (headers.authorization !== undefined || safeMethods.has(method)) return true
    const { origin } = headers
    const site = headers['sec-fetch-site']
    if (site !== undefined) return site === 'same-origin' || site === 'none' || (origin !== undefined && allowed.has(origin))
    return origin === undefined || allowed.has(origin) || hostOf(origin) === request.host
  }
}, { name: 'latchkey-security' })

/** What Helmet sets on every answer, which is the same for all of them: asked once and not a request (decision 15). */
function headersOf (options: HelmetOptions): Record<string, string> {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  helmet(options)(request, response, () => { /* what fails is thrown */ })
  return response.getHeaders() as Record<string, string>
}

/** RFC 9112 section 3.2: HTTP/1.1 names one host, and nobody names two. Node keeps the first and says nothing. */
function namesItsHost (rawHeaders: readonly string[], httpVersionMinor: number): boolean {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts === 1 || (hosts === 0 && httpVersionMinor === 0)
}

const hostOf = (origin: string): string | undefined => URL.canParse(origin) ? new URL(origin).host : undefined
