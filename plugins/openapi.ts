// Socket: the OpenAPI 3.1 document of this scope and, where it is wanted, the page that shows it. Register it before the
// doors: it collects them as they are opened.
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { TSchema } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Problem } from '../src/schemas/problem.ts'
import { HealthAnswer } from '../src/schemas/health-shapes.ts'
import { finishDocument, type MadeDocument } from '../src/schemas/openapi-finish.ts'
import { SessionList } from '../src/schemas/session-shapes.ts'
import { PasswordAnswer, Preferences, RevokedAnswer, SessionSummary, TokenAnswer } from '../src/schemas/shapes.ts'
import { ActionList, ListedVisit, PageList, Visit, VisitList } from '../src/schemas/visit-shapes.ts'
import type { Parts } from '../src/config/parts.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { version } from '../src/version.ts'

const about = 'Login sessions that can be revoked at once, at almost the price of a stateless JWT.'

const signingIn = `Sign in with \`POST /api/auth/login\`, send the access token as \`Authorization: Bearer\` (or \`x-access-token\`, or let the
browser send the cookie), refresh it when a call answers 401 \`token_expired\`. `

const failing = `Every failure is an RFC 9457 problem
document whose \`code\` tells what to do.`

const visiting = `Visits and preferences need no account: a guest is known by a signed cookie, a user by the token, and what a guest has
comes along at register and login.`

/** What a reader is told first. */
const descriptionOf = (parts: Parts): string =>
  [about, `${parts.has('auth') ? signingIn : ''}${failing}`, ...(parts.has('visits') || parts.has('preferences') ? [visiting] : [])].join('\n\n')

/**
 * A host's own document would take these doors and shapes in, and could not be made: it knows nothing of how one signs in here.
 * So no door is for another document, and a host that asks its scopes for their schemas, once it is ready, is told its own.
 */
function keepApart (scope: FastifyInstance, info: object): void {
  const toOthers = ({ schema, url, openapiObject }: { schema?: object, url: string, openapiObject?: { info?: unknown } }) =>
    ({ schema: openapiObject?.info === info ? schema : { ...schema, hide: true }, url })
  const config = { swaggerTransform: toOthers as never }
  scope.addHook('onRoute', (route) => { route.config = { ...route.config, ...config } })
  // a door of HEAD is made from what its GET was opened with, and a host that shows those has copied it before that hook
  const { get } = scope
  scope.get = function (this: FastifyInstance, path: string, options: object, handler: unknown) {
    return Reflect.apply(get, this, [path, { ...options, config: { ...config } }, handler]) as FastifyInstance
  } as typeof scope.get
  const host = Object.getPrototypeOf(scope) as FastifyInstance
  const { getSchemas } = scope
  scope.getSchemas = () => host.getSchemas()
  scope.addHook('onRegister', (inner) => { inner.getSchemas = () => scope.getSchemas() })
  scope.addHook('onReady', async () => { scope.getSchemas = getSchemas }) // after those of the host, before that of this document
}

export default fp<ScopeOptions>(async function openapi (scope, { config, base, parts }) {
  const { names } = scope.authCookies
  const { user, profile } = scope.userShapes
  const { visit, preferences } = scope.visitorCookies
  const shapes: TSchema[] = [
    Problem, user, Preferences, profile, SessionSummary, TokenAnswer, PasswordAnswer, RevokedAnswer, SessionList, HealthAnswer, Visit, ListedVisit, VisitList, PageList, ActionList
  ]
  for (const shape of shapes) scope.addSchema(shape)
  const info = { title: 'Latchkey', version, description: descriptionOf(parts), license: { name: 'MIT', identifier: 'MIT' } }
  keepApart(scope, info)
  await scope.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info,
      servers: [{ url: base || '/', description: 'This service' }],
      tags: [
        { name: 'auth', description: 'Register, sign in, refresh, sign out' },
        { name: 'account', description: 'The signed-in account' },
        { name: 'visits', description: 'Browsing sessions of guests and users: pages, actions, history' },
        { name: 'preferences', description: 'Theme, notifications, language' },
        { name: 'operation', description: 'Probes, metrics and the catalogue of problems' }
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          metricsToken: { type: 'http', scheme: 'bearer', description: 'The setting METRICS_TOKEN.' },
          accessTokenHeader: { type: 'apiKey', in: 'header', name: 'x-access-token' },
          accessTokenCookie: { type: 'apiKey', in: 'cookie', name: names.access },
          refreshTokenCookie: { type: 'apiKey', in: 'cookie', name: names.refresh },
          visitCookie: { type: 'apiKey', in: 'cookie', name: visit.name, description: 'Set when a guest begins a visit; it names the visit, it grants nothing else.' },
          preferencesCookie: { type: 'apiKey', in: 'cookie', name: preferences.name, description: 'Set when a guest chooses preferences.' }
        }
      }
    },
    stripBasePath: true,
    transformObject: (document) => {
      const { openapiObject } = document as { openapiObject: MadeDocument }
      finishDocument(openapiObject, base)
      return openapiObject as never
    },
    // so that a host's own schemas may have these names; in the document they are short
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => (json.$id as string | undefined)?.replace(/^Latchkey/, '') ?? `def-${i}` }
  })
  if (!config.docs) return
  scope.get('/openapi.json', { schema: { hide: true } }, async () => scope.swagger())
  await scope.register(async (page) => {
    // the page needs scripts and styles of its own; everything else here needs none
    page.addHook('onSend', async (_request, reply) => {
      reply.header('content-security-policy', "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    })
    await page.register(swaggerUi, { routePrefix: '/docs', uiConfig: { url: `${base}/openapi.json`, docExpansion: 'list', persistAuthorization: false } })
  })
}, { name: 'latchkey-openapi', dependencies: ['latchkey-public-user', 'latchkey-cookies', 'latchkey-visitor-cookies'] })
