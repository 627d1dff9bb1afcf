// Fields that a host adds to what an account shows of itself (MISSION row 35): in every answer, in `request.user`, in hooks and
// claims, in the document; from copies as from MongoDB, and never older than the host has said.
import { Validator } from '@seriousme/openapi-schema-validator'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import latchkey, { type HostAccount, type HostFields, type LatchkeyOptions } from '../../src/index.ts'
import { createTestClock } from '../helper/clock.ts'
import { realEngines } from '../helper/engines.ts'
import { openClient } from '../helper/client-of.ts'
import { newPerson, tierOf } from '../helper/people.ts'
import { createDeployment, until } from '../helper/service.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { startHost, type Host, type HostOptions } from './mounted-host.ts'

/** What these hosts add; a real one says it once, in `HostFields`. */
interface Fields { tenant: string | null, may: string[] }

const schema = Type.Object({
  tenant: Type.Union([Type.String(), Type.Null()], { description: 'Whose customer it is.', examples: ['t-1'] }),
  may: Type.Array(Type.String(), { examples: [['read']] })
})
const fieldsOf = ({ hostData: { tenant }, role }: HostAccount): HostFields => ({ tenant: (tenant as string | undefined) ?? null, may: role === 'admin' ? ['read', 'write'] : ['read'] } satisfies Fields)

let seen: Fields | undefined
const open = (app: FastifyInstance): void => {
  app.get('/mine', { onRequest: app.authenticate }, async ({ user }) => {
    seen = user as unknown as Fields
    return user
  })
}

const startWith = (t: Test, options: HostOptions['options'] = {}, more: HostOptions = {}): Promise<Host> =>
  startHost(t, { options: { publicUser: fieldsOf, publicUserSchema: schema, ...options }, open, ...more })

await t.test('it shows in every answer about a user, in the guard, in hooks and in claims', async (t) => {
  const told: unknown[] = []
  const host = await startWith(t, {
    hooks: {
      async onRegistered ({ userId, user }) {
        told.push(user)
        await host.app.latchkey.setHostData(userId, { tenant: 't-1', plan: 'not shown' })
      },
      onSignedIn: ({ user }) => { told.push(user) }
    },
    claims: (user) => ({ tenant: (user as unknown as Fields).tenant })
  })
  const person = newPerson()
  const registered = await host.call('/api/auth/register', { method: 'POST', body: person })
  t.match(registered, { status: 201, json: { user: { tenant: null, may: ['read'], username: person.username } } }, 'what the hook keeps shows from the next answer on')
  const { json } = await host.call('/api/auth/login', { method: 'POST', body: { email: person.email, password: person.password } })
  t.match(json.user, { tenant: 't-1', may: ['read'] })
  t.match(told, [{ tenant: null }, { tenant: 't-1' }])
  t.equal(JSON.parse(Buffer.from(String(json.accessToken).split('.')[1] as string, 'base64url').toString()).tenant, 't-1')
  const token = json.accessToken as string
  for (const path of ['/api/auth/profile', '/profile', '/mine']) {
    const { json: shown } = await host.call(path, { token })
    t.match(shown, { tenant: 't-1', may: ['read'], id: json.user.id }, path)
    t.notOk('plan' in shown || 'hostData' in shown, 'what is kept is not shown')
  }
  t.equal((await host.call('/api/protected', { token })).json.user.tenant, 't-1')
  t.equal((await host.call('/api/auth/profile', { method: 'PUT', token, body: { fullName: 'Ada' } })).json.tenant, 't-1')
  t.equal((await host.call('/api/auth/refresh', { method: 'POST', body: { refreshToken: json.refreshToken } })).json.user.tenant, 't-1')
  t.ok(Object.isFrozen(seen) && Object.isFrozen(seen?.may), 'whole, for requests share it')
})

await t.test('the document describes it, and the answers are as described', async (t) => {
  const host = await startWith(t)
  const document = (await host.call('/openapi.json')).json
  t.ok((await new Validator().validate(structuredClone(document))).valid)
  for (const name of ['PublicUser', 'Profile']) {
    const { properties, required, examples, additionalProperties } = document.components.schemas[name]
    t.match(properties, { tenant: { description: 'Whose customer it is.' }, may: { type: 'array' }, username: { type: 'string' } }, name)
    t.ok(['tenant', 'may', 'username'].every((field) => required.includes(field)), name)
    t.match(examples[0], { tenant: 't-1', may: ['read'], username: 'ada' }, name)
    t.equal(additionalProperties, false)
  }
  const plain = await startHost(t)
  const other = (await plain.call('/openapi.json')).json
  for (const { components: { schemas } } of [document, other]) for (const name of ['PublicUser', 'Profile']) Reflect.deleteProperty(schemas, name)
  t.strictSame(document, other, 'and nothing else of it is another')
})

await t.test('what the host keeps is shown at once, by every instance that had a copy', async (t) => {
  const place = { deployment: createDeployment(t), clock: createTestClock() }
  const client = await openClient(t, place.deployment)
  const first = await startWith(t, {}, { beside: { ...place, client } })
  if (realEngines) t.teardown(async () => { await first.db.dropDatabase() })
  const hosts = realEngines ? [first, await startWith(t, {}, { beside: { ...place, client } })] : [first]
  for (const host of hosts) if (realEngines) await until(async () => (await host.call('/readyz')).json.channel === 'hearing', 'it hears')
  const { accessToken: token, userId } = await first.newcomer()
  const shown = async (): Promise<unknown[]> => await Promise.all(hosts.flatMap((host) => ['/mine', '/api/auth/profile'].map(async (path) => (await host.call(path, { token })).json.tenant)))
  t.strictSame(new Set(await shown()), new Set([null]))
  for (const tenant of ['t-1', 't-2', null]) {
    const user = await first.app.latchkey.setHostData(userId, tenant === null ? null : { tenant })
    t.equal((user as unknown as Fields).tenant, tenant)
    await until(async () => (await shown()).every((one) => one === tenant), 'everywhere', 1000)
  }
  const stored = await first.db.collection<{ _id: string }>('users').findOne({ _id: userId })
  t.match(stored, { version: 3 })
  t.notOk(stored !== null && 'hostData' in stored)
})

await t.test('what is computed from elsewhere is as old as the copies are, or as the host has said', async (t) => {
  const tenants = new Map<string, string>()
  const place = { deployment: createDeployment(t), clock: createTestClock() }
  const beside = { ...place, client: await openClient(t, place.deployment) }
  const publicUser = ({ id }: HostAccount): HostFields => ({ tenant: tenants.get(id) ?? null, may: [] })
  const host = await startWith(t, { publicUser }, { beside })
  if (realEngines) t.teardown(async () => { await host.db.dropDatabase() })
  const { accessToken: token, userId } = await host.newcomer()
  const shown = async () => [(await host.call('/mine', { token })).json.tenant, (await host.call('/api/auth/profile', { token })).json.tenant]
  t.strictSame(await shown(), [null, null])
  tenants.set(userId, 't-1')
  t.equal((await shown())[0], null, 'a copy answers')
  await host.app.latchkey.refreshUser(userId)
  t.strictSame(await shown(), ['t-1', 't-1'], 'and goes when the host says so')
  tenants.set(userId, 't-2')
  place.clock.advance(60_000 * 1.2 + 1)
  t.equal((await shown())[0], 't-2', 'or when it has run out')
  if (!realEngines) return
  const late = await host.newcomer() // whose copy no change keeps out of Redis for a while
  const other = await startWith(t, { publicUser: () => { throw new Error('nobody asks it') } }, { beside })
  const answer = await other.call('/mine', { token: late.accessToken })
  t.match([answer.json, tierOf(answer)], [{ tenant: null, may: [], id: late.userId }, 'redis'], 'a copy in Redis has it')
  t.ok(Object.isFrozen(seen?.may))
  const plain = await startHost(t, { beside, open })
  const without = await plain.call('/mine', { token: late.accessToken })
  t.match([without.json, tierOf(without)], [{ id: late.userId }, 'mongo'], 'an instance without it does not believe that copy')
  t.notOk('tenant' in without.json)
  t.equal((await host.call('/mine', { token })).json.tenant, 't-2')
})

await t.test('a function that fails, or gives something else than it said, fails the request and nothing beside it', async (t) => {
  let answer: () => unknown = () => ({ tenant: 't', may: [] })
  const host = await startWith(t, { publicUser: (({ email }: HostAccount) => email.startsWith('broken') ? answer() : { tenant: 't', may: [] }) as never }, { env: { MEMORY_TIER_ENTRIES: '0' } })
  const broken = newPerson()
  broken.email = `broken-${broken.email}`
  const { json: { accessToken: token } } = await host.call('/api/auth/register', { method: 'POST', body: broken })
  const other = await host.newcomer()
  await host.app.latchkey.refreshUser((await host.call('/mine', { token })).json.id) // so that no copy in Redis answers
  for (const wrong of [() => { throw new Error('the host broke') }, () => ({ tenant: 7, may: [] }), () => ({ tenant: 't' }), () => ({ tenant: 't', may: [], more: 1 }), () => undefined, async () => ({ tenant: 't', may: [] }), () => ({ tenant: 'x'.repeat(2000), may: [] })]) {
    answer = wrong
    for (let times = 0; times < 6; times++) t.match(await host.call('/mine', { token }), { status: 500, json: { code: 'internal_error' } }, String(wrong)) // more than open a breaker
    t.equal((await host.call('/mine', { token: other.accessToken })).status, 200, 'nobody else is concerned')
  }
  const sessions = (await host.db.collection('usersession').find().toArray()).length
  t.equal((await host.call('/api/auth/login', { method: 'POST', body: { email: broken.email, password: broken.password } })).status, 500)
  const late = newPerson()
  t.equal((await host.call('/api/auth/register', { method: 'POST', body: { ...late, email: `broken-${late.email}` } })).status, 500)
  t.equal((await host.db.collection('users').find().toArray()).length, 2, 'no account was made')
  t.equal((await host.db.collection('usersession').find().toArray()).length, sessions, 'and no session')
  answer = () => ({ tenant: 't', may: [] })
  t.equal((await host.call('/mine', { token })).json.tenant, 't')
})

await t.test('what cannot be kept is refused, and so is an account that is not there', async (t) => {
  const { latchkey: { setHostData, refreshUser } } = (await startHost(t)).app
  for (const data of [[], 'text', undefined, 7, { x: 'y'.repeat(5000) }, { $set: 1 }, { 'a.b': 1 }, { a: [{ $where: 1 }] }, JSON.parse('{"__proto__": 1}')]) {
    await t.rejects(setHostData('somebody', data as never), { name: 'TypeError', message: /hostData/ })
  }
  for (const id of [undefined, { $ne: null }, '']) {
    await t.rejects(setHostData(id as never, {}), { name: 'TypeError' })
    await t.rejects(refreshUser(id as never), { name: 'TypeError' })
  }
  await t.rejects(setHostData('nobody', { a: 1 }), { code: 'not_found' })
  await refreshUser('nobody')
})

await t.test('fields that could not be told apart from the service\'s own, or that nobody describes, stop the start', async (t) => {
  const publicUser = (): HostFields => ({})
  for (const [options, said] of [
    [{ publicUser }, /neither goes without the other/],
    [{ publicUserSchema: schema }, /neither goes without the other/],
    [{ publicUser: 'tenant', publicUserSchema: schema }, /publicUser is a function/],
    [{ publicUser, publicUserSchema: Type.String() }, /publicUserSchema: expected an object schema/],
    [{ publicUser, publicUserSchema: Type.Object({ role: Type.String(), _id: Type.String(), preferences: Type.String() }) }, /the service's own: role, _id, preferences/],
    [{ publicUser, publicUserSchema: Type.Object({ tenant: Type.String() }, { additionalProperties: true }) }, /additionalProperties/],
    [{ publicUser, publicUserSchema: { type: 'object', properties: {}, patternProperties: {} } }, /patternProperties/],
    [{ publicUser, publicUserSchema: { type: 'object', properties: JSON.parse('{"__proto__":{"type":"string"}}') } }, /a letter first/],
    [{ publicUser, publicUserSchema: { type: 'object', properties: {}, required: ['x'] } }, /`required` names fields/],
    [{ publicUser, publicUserSchema: { type: 'object', properties: { x: { type: 'nothing' } } } }, /publicUserSchema: it cannot be read/]
  ] as [LatchkeyOptions, RegExp][]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => { await app.register(latchkey, { nodeEnv: 'test', dataDir: scratchFolder(t), ...options }) }, { name: 'ConfigError', message: said })
  }
})
