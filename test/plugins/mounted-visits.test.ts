// Visits in somebody else's app: under its prefix, beside its own sessions and cookies (REQUIREMENTS K6).
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import latchkey from '../../src/index.ts'
import { cookiesOf } from '../helper/people.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { startHost } from './mounted-host.ts'

const hostSessions = { secret: 'a secret of the host, 32 bytes or more', cookieName: 'own', cookie: { secure: false } }

function countAt (app: FastifyInstance): void {
  app.get('/count', async (request) => {
    request.session.count = (request.session.count ?? 0) + 1
    return { count: request.session.count }
  })
}

declare module 'fastify' {
  interface Session { count?: number }
}

await t.test('K6 under a prefix visits work, links lead there, and the host\'s own sessions are its own', async (t) => {
  const host = await startHost(t, {
    options: { prefix: '/auth' },
    open (app) {
      app.register(fastifyCookie)
      app.register(fastifySession, hostSessions)
      app.register(async (own) => { countAt(own) })
    }
  })
  const begun = await host.call('/auth/api/session', { method: 'POST' })
  t.equal(begun.status, 201)
  const visit = `visit=${String(cookiesOf(begun)['visit']?.['value'])}`
  for (const pageId of ['/a', '/b']) t.equal((await host.call('/auth/api/session/page', { method: 'POST', body: { pageId }, headers: { cookie: visit } })).status, 201)
  const shown = await host.call('/auth/api/session?limit=1', { headers: { cookie: visit } })
  const link = /<([^>]+)>; rel="next"/.exec(String(shown.headers['link']))?.[1] as string
  t.match(link, /^\/auth\/api\/session\?/)
  t.strictSame((await host.call(link, { headers: { cookie: visit } })).json.pagesVisited, ['/b'])

  const first = await host.call('/count')
  const own = `own=${String(cookiesOf(first)['own']?.['value'])}`
  t.strictSame((await host.call('/count', { headers: { cookie: `${own}; ${visit}` } })).json, { count: 2 })
  t.equal((await host.call('/auth/api/session', { headers: { cookie: `${own}; ${visit}` } })).json.id, begun.json.id)
  t.equal((await host.call('/auth/api/session', { method: 'DELETE', headers: { cookie: `${own}; ${visit}` } })).status, 200)
  t.strictSame((await host.call('/count', { headers: { cookie: own } })).json, { count: 3 })
})

await t.test('so they are where the host registered its sessions, and schemas of the same names, before', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.addSchema({ $id: 'Visit', type: 'string' })
  app.addSchema({ $id: 'Profile', type: 'string' })
  await app.register(fastifyCookie)
  await app.register(fastifySession, hostSessions)
  await app.register(latchkey, { nodeEnv: 'test', dataDir: scratchFolder(t) })
  countAt(app)
  const begun = await app.inject({ method: 'POST', url: '/api/session' })
  t.equal(begun.statusCode, 201)
  const first = await app.inject({ url: '/count' })
  const cookies = Object.fromEntries([...begun.cookies, ...first.cookies].map(({ name, value }) => [name, value]))
  t.equal((await app.inject({ method: 'POST', url: '/api/session', cookies })).json().id, begun.json().id)
  t.strictSame((await app.inject({ url: '/count', cookies })).json(), { count: 2 })
  t.equal((await app.inject({ method: 'DELETE', url: '/api/session', cookies })).json().id, begun.json().id)
  t.strictSame((await app.inject({ url: '/count', cookies })).json(), { count: 3 })
})

await t.test('beside a host\'s own cookie plugin the cookies are set once', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(fastifyCookie, { secret: 'a secret of the host' })
  await app.register(latchkey, { nodeEnv: 'test', dataDir: scratchFolder(t) })
  const begun = await app.inject({ method: 'POST', url: '/api/session' })
  t.equal(begun.statusCode, 201)
  t.equal(begun.cookies.length, 1)
  const cookies = { visit: begun.cookies[0]?.value as string }
  t.equal((await app.inject({ method: 'POST', url: '/api/session/page', payload: { pageId: '/a' }, cookies })).json().pageCount, 1)
  t.strictSame((await app.inject({ url: '/api/session', cookies })).json().pagesVisited, ['/a'])
})
