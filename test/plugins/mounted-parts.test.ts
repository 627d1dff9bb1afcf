// Chosen parts in somebody else's app (MISSION row 35): each works alone, and of what is left out there is no door and no word in
// the document. The guard and the doors of operation are always there.
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import latchkey, { type LatchkeyOptions, type Part } from '../../src/index.ts'
import { cookiesOf } from '../helper/people.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { startHost, type Host } from './mounted-host.ts'

const groups: Record<Part | 'operation', string[]> = { auth: ['auth', 'account'], visits: ['visits'], preferences: ['preferences'], console: [], operation: ['operation'] }
const aliases: Record<string, Part> = { '/login': 'auth', '/refresh_token': 'auth', '/profile': 'auth', '/protected': 'auth', '/session': 'visits', '/session/page': 'visits', '/preferences': 'preferences', '/console': 'console', '/console/console.js': 'console' }

interface Document { paths: Record<string, Record<string, { tags: string[] }>>, tags: { name: string }[], components: { schemas: object, securitySchemes: object } }

const documentOf = async (host: Host, base: string): Promise<Document> => (await host.call(`${base}/openapi.json`)).json
const operationsOf = ({ paths }: Document): [name: string, tag: string][] =>
  Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, { tags }]): [string, string] => [`${method.toUpperCase()} ${path}`, tags[0] as string])).sort()

const whole = await startHost(t, { options: { prefix: '/auth' } })
const everything = await documentOf(whole, '/auth')

const own = (app: FastifyInstance): void => {
  app.get('/open', async () => ({ open: true }))
  app.get('/mine', { onRequest: app.authenticate }, async ({ user }) => ({ id: user.id }))
}

async function judge (t: Test, parts: Part[], prefix: string): Promise<void> {
  const host = await startHost(t, { options: { parts, ...(prefix !== '' && { prefix }) }, open: own })
  const isThere = (tag: string): boolean => [...parts, 'operation' as const].some((part) => groups[part].includes(tag))

  // what an address answers to a method that no door has: nothing else tells a door from a thing that is not there
  for (const [path, methods] of Object.entries(everything.paths)) {
    const [{ tags: [tag = ''] }] = Object.values(methods) as [{ tags: string[] }]
    const { status } = await host.call(`${prefix}${path.replace(/\{\w+\}/, 'x')}`, { method: 'PATCH' })
    t.equal(status, isThere(tag) ? 405 : 404, `${path} of ${tag}`)
  }
  for (const [path, part] of Object.entries(aliases)) t.equal((await host.call(`${prefix}${path}`, { method: 'PATCH' })).status, parts.includes(part) ? 405 : 404, path)

  const document = await documentOf(host, prefix)
  t.strictSame(operationsOf(document), operationsOf(everything).filter(([, tag]) => isThere(tag)))
  t.strictSame(document.tags.map(({ name }) => name).filter((tag) => !isThere(tag)), [], 'no group of what is not there')
  const text = JSON.stringify({ ...document, components: { ...document.components, securitySchemes: {} } })
  for (const name of Object.keys(document.components.schemas)) t.ok(text.includes(`"#/components/schemas/${name}"`), `the shape ${name} is used`)
  for (const name of Object.keys(document.components.securitySchemes)) t.ok(text.includes(`"${name}":[]`), `the way ${name} is used`)
  t.ok((await new Validator().validate(structuredClone(document) as never)).valid)

  t.strictSame((await host.call('/open')).json, { open: true })
  t.match(await host.call('/mine'), { status: 401, json: { code: 'token_missing' } }, 'the guard is always there')
  t.match((await host.call('/nothing')).json, { message: 'Route GET:/nothing not found' }, 'and the host\'s own answers')
  t.match(await host.call(`${prefix}/readyz`), { status: 200, json: { status: 'ready' } })
  t.strictSame(host.app.latchkey.parts, parts)
}

await t.test('every combination has its doors, and what is left out is not there', async (t) => {
  for (const [parts, prefix] of [[[], '/auth'], [['auth'], '/auth'], [['visits'], ''], [['preferences'], '/auth'], [['visits', 'preferences'], '/auth'], [['auth', 'preferences'], ''], [['auth', 'console'], '/auth']] as [Part[], string][]) {
    await t.test(`${parts.join(' and ') || 'the guard alone'}, ${prefix === '' ? 'at the root' : 'under a prefix'}`, async (t) => { await judge(t, parts, prefix) })
  }
})

await t.test('all of them by name are the whole', async (t) => {
  const host = await startHost(t, { options: { prefix: '/auth', parts: ['console', 'preferences', 'visits', 'auth'] } })
  t.strictSame(await documentOf(host, '/auth'), everything)
})

await t.test('accounts alone: sign in, profile, devices, sign out; what a guest had elsewhere is left alone', async (t) => {
  const host = await startHost(t, { options: { parts: ['auth'] }, open: own })
  const guest = 'visit=somebody.signed; preferences=something.signed'
  const { userId, accessToken, refreshToken } = await host.newcomer()
  t.strictSame((await host.call('/mine', { token: accessToken })).json, { id: userId })
  t.strictSame((await host.call('/api/auth/profile', { token: accessToken })).json.preferences, { theme: 'system', notifications: true, language: 'en' })
  const refreshed = await host.call('/api/auth/refresh', { method: 'POST', body: { refreshToken }, headers: { cookie: guest } })
  t.equal(refreshed.status, 200)
  const { accessToken: token } = refreshed.json
  t.equal((await host.call('/api/auth/sessions', { token })).json.items.length, 1)
  t.equal((await host.call('/api/auth/sessions', { method: 'DELETE', token })).status, 200)
  const left = await host.call('/api/auth/logout', { method: 'POST', token, headers: { cookie: guest } })
  t.match(left, { status: 200, json: { revoked: 1 } })
  t.strictSame(cookiesOf(left), {}, 'no cookie of a part that is not there is cleared')
  t.equal((await host.call('/mine', { token })).json.code, 'session_revoked')
})

await t.test('a guest\'s choices come along without visits, and a visit without preferences', async (t) => {
  const person = (name: string) => ({ username: name, email: `${name}@leak-mark.example`, password: `Pw7mark-${name}` })
  for (const parts of [['auth', 'preferences'], ['auth', 'visits']] as Part[][]) {
    const host = await startHost(t, { options: { parts } })
    const [path, name, body] = parts.includes('visits') ? ['/api/session/page', 'visit', { pageId: '/a' }] as const : ['/api/preferences', 'preferences', { theme: 'dark' }] as const
    const guest = await host.call(path, { method: 'POST', body })
    const cookie = `${name}=${String(cookiesOf(guest)[name]?.['value'])}`
    const { json: { accessToken: token } } = await host.call('/api/auth/register', { method: 'POST', body: person(name), headers: { cookie } })
    if (name === 'preferences') t.equal((await host.call('/api/preferences', { token })).json.theme, 'dark')
    else t.strictSame((await host.call('/api/session', { token })).json.pagesVisited, ['/a'])
  }
})

await t.test('a list of parts that is none, and what nobody would ever call, are refused by name', async (t) => {
  for (const [options, said] of [
    [{ parts: ['auth', 'shell'] }, /parts: expected a list of auth, visits, preferences, console/],
    [{ parts: 'auth' }, /parts: expected a list/],
    [{ parts: [undefined] }, /parts: expected a list/],
    [{ parts: ['auth', 'auth'] }, /parts: a part is named twice/],
    [{ parts: ['visits'], hooks: {} }, /hooks has no effect without the part `auth`/],
    [{ parts: [], claims: () => ({}) }, /claims has no effect without the part `auth`/]
  ] as [LatchkeyOptions, RegExp][]) {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    await t.rejects(async () => { await app.register(latchkey, { dataDir: scratchFolder(t), nodeEnv: 'test', ...options }) }, { name: 'ConfigError', message: said })
    t.notOk(app.hasDecorator('authenticate'), 'and nothing was begun')
  }
})
