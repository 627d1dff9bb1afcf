// A host in an empty project, in TypeScript: it mounts the package as it was packed, guards a route, and is driven by the client.
// Prints `ok` when everything held.
import assert from 'node:assert/strict'
import Fastify from 'fastify'
import latchkey, { type LatchkeyOptions } from 'latchkey'
import { createLatchkeyClient, inMemory, type Problem, type User } from 'latchkey/client'

declare module 'latchkey' {
  interface HostFields { tenant: string }
}

let told = ''
const options: LatchkeyOptions = {
  prefix: '/auth',
  nodeEnv: 'test',
  dataDir: '.data',
  accessTokenExpiry: '2s',
  bcryptCost: 10,
  parts: ['auth', 'preferences'],
  hooks: {
    async onRegistered ({ user, userId }) {
      told = user.username
      await app.latchkey.setHostData(userId, { tenant: 'acme' })
    }
  },
  publicUser: ({ hostData }) => ({ tenant: typeof hostData['tenant'] === 'string' ? hostData['tenant'] : 'none' }),
  publicUserSchema: { type: 'object', properties: { tenant: { type: 'string' } }, required: ['tenant'] },
  claims: (user) => ({ tenant: user.tenant satisfies string })
}
const app = Fastify()
await app.register(latchkey, options)
app.get('/mine', { onRequest: app.authenticate }, async ({ user }) => ({ id: user.id satisfies string, tenant: user.tenant satisfies string, role: user.role satisfies 'user' | 'admin' }))
app.get('/admin', { onRequest: [app.authenticate, app.requireRole('admin')] }, async () => 'in')
const origin = await app.listen({ port: 0, host: '127.0.0.1' })

let refreshes = 0
const client = createLatchkeyClient({
  baseUrl: `${origin}/auth`,
  store: inMemory(),
  fetch: async (request) => {
    if (request.url.endsWith('/refresh')) refreshes++
    return await fetch(request)
  }
})
const registered = await client.register({ email: 'ada@example.com', username: 'ada', password: 'correct horse battery' })
const user: User | undefined = registered.data?.user
assert.equal(user?.username, 'ada')
assert.equal(told, 'ada')
interface Mine { id: string, tenant: string }
const mine = async (): Promise<Mine> => await (await client.fetch(`${origin}/mine`)).json() as Mine
assert.equal((await mine()).id, user?.id)
assert.equal((await mine()).tenant, 'acme')
assert.equal((await client.fetch(`${origin}/auth/api/session`)).status, 404, 'a part that is not mounted')
assert.equal((await client.fetch(`${origin}/admin`)).status, 403)

await new Promise((resolve) => { setTimeout(resolve, 2500) })
const answers = await Promise.all(Array.from({ length: 50 }, mine))
assert.ok(answers.every(({ id }) => id === user?.id), 'fifty calls through an expiry')
assert.equal(refreshes, 1)

const { data } = await client.api.GET('/api/auth/sessions', { params: { query: { limit: 10 } } })
assert.equal(data?.items[0]?.current, true)
assert.equal((await client.signOut()).data?.revoked, 1)
const problem: Problem | undefined = (await client.api.GET('/api/auth/profile')).error
assert.equal(problem?.code, 'token_missing')
await app.close()
console.log('ok')
