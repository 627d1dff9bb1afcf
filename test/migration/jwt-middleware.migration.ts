// Story: an Express service with a check of its own (jsonwebtoken, `usersession`, Redis) moves to Latchkey in three steps. Who is
// signed in stays signed in, who has signed out stays out, and at the end nothing of the old check is left.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createLatchkeyClient } from '../../client/index.ts'
import type { Example } from '../examples/example-process.ts'
import { secretMark } from '../helper/evidence.ts'
import { newPerson, type Person } from '../helper/people.ts'
import { createMove } from './migration-kit.ts'

const oldSecret = `${secretMark}-old` // as short as theirs are
const move = await createMove(t, 'from-jwt-middleware', { OLD_JWT_SECRET: oldSecret })
const [ada, bob, cleo, dan, eve, gil] = Array.from({ length: 6 }, newPerson) as [Person, Person, Person, Person, Person, Person]
const credentials = ({ email, password }: Person): object => ({ email, password })

async function ask (app: Example, path: string, token: string, body?: object): Promise<{ status: number, code: string | undefined, json: { for: string, orders: string[], token: string, revoked: number } }> {
  const { status, json } = await app.call(path, { token, ...(body !== undefined && { method: 'POST', body }) })
  return { status, code: json?.code, json }
}
const statusOf = async (app: Example, token: string): Promise<number> => (await ask(app, '/api/orders', token)).status

const tokens: Record<string, string> = {}
const dead: Record<string, string> = {}

await t.test('before: people register, sign in and out, and order', async (t) => {
  const app = await move.step('before.mjs', { JWT_SECRET: oldSecret })
  for (const person of [ada, bob, cleo, dan, gil]) {
    const { status, json } = await app.call('/api/auth/register', { method: 'POST', body: person })
    t.equal(status, 201)
    tokens[person.username] = json.token
  }
  t.equal((await ask(app, '/api/orders', tokens[ada.username] as string, { item: 'a kettle' })).status, 201)
  t.equal((await ask(app, '/api/auth/logout', tokens[bob.username] as string, {})).status, 200)
  dead['bob, who signed out before'] = tokens[bob.username] as string
  t.equal(await statusOf(app, dead['bob, who signed out before'] as string), 401)
})

await t.test('step 1: Latchkey stands beside the old check, and both admit', async (t) => {
  const app = await move.step('step-1.mjs')
  t.match(await move.latchkey('import', '--from', move.databaseUrl), /users +5 +5 +0 +0 +0\nusersession +4 +4 +0/)
  t.match((await ask(app, '/api/orders', tokens[ada.username] as string)).json, { for: ada.username, orders: ['a kettle'] }, 'who was signed in is')
  t.equal((await ask(app, '/api/orders', tokens[ada.username] as string, { item: 'tea' })).status, 201, 'bodies reach the old app')
  t.equal(await statusOf(app, dead['bob, who signed out before'] as string), 401)
  t.equal((await ask(app, '/refresh_token', tokens[ada.username] as string, {})).status, 200, 'the old addresses are the old app\'s')

  const signedIn = (await app.call('/auth/api/auth/login', { method: 'POST', body: credentials(ada) })).json
  t.match((await ask(app, '/api/orders', signedIn.accessToken)).json, { for: ada.username, orders: ['a kettle', 'tea'] }, 'the same person, by a login of Latchkey')
  tokens['ada by Latchkey'] = signedIn.accessToken
  const again = (await app.call('/auth/api/auth/login', { method: 'POST', body: credentials(ada) })).json
  t.equal((await ask(app, '/auth/api/auth/logout', again.accessToken, {})).json.revoked, 1)
  dead['ada, who signed out of Latchkey in step 1'] = again.accessToken

  const late = await app.call('/api/auth/register', { method: 'POST', body: eve })
  tokens[eve.username] = late.json.token
  tokens[ada.username] = (await app.call('/api/auth/login', { method: 'POST', body: credentials(ada) })).json.token
  t.equal((await ask(app, '/api/auth/logout', tokens[cleo.username] as string, {})).status, 200, 'an old sign-out, of a session that has been imported')
  dead['cleo, who signed out of the old app in step 1'] = tokens[cleo.username] as string
  const [laptop, phone] = [tokens[gil.username] as string, (await app.call('/api/auth/login', { method: 'POST', body: credentials(gil) })).json.token as string]
  const gils = (await app.call('/auth/api/auth/login', { method: 'POST', body: credentials(gil) })).json.accessToken as string
  t.equal(await statusOf(app, phone), 200)
  t.equal((await app.call('/auth/api/auth/sessions', { method: 'DELETE', token: gils })).json.revoked, 1, 'a sign-out of all other devices at Latchkey')
  Object.assign(dead, { 'the laptop of gil, which Latchkey knew': laptop, 'his phone, which it did not': phone })
  t.equal(await statusOf(app, gils), 200)
  for (const [who, token] of Object.entries(dead)) t.equal(await statusOf(app, token), 401, who)
})

await t.test('step 2: the old addresses are Latchkey\'s, and old tokens are admitted by it until their end', async (t) => {
  let app = await move.step('step-2.mjs')
  t.match(await move.latchkey('import', '--from', move.databaseUrl), /users +6 +1 +5/)
  t.match((await ask(app, '/api/orders', tokens[ada.username] as string)).json, { for: ada.username, orders: ['a kettle', 'tea'] })
  for (const who of [eve.username, dan.username, 'ada by Latchkey']) t.equal(await statusOf(app, tokens[who] as string), 200, who)
  for (const [who, token] of Object.entries(dead)) t.match(await ask(app, '/api/orders', token), { status: 401, code: 'session_revoked' }, who)
  t.match(await ask(app, '/api/orders', 'nonsense'), { status: 401, code: 'token_invalid' })

  const renewed = await ask(app, '/refresh_token', tokens[ada.username] as string, {})
  t.equal(renewed.status, 200, 'an old client renews as ever')
  tokens['ada, renewed'] = renewed.json.token
  const login = await app.call('/api/auth/login', { method: 'POST', body: credentials(bob) })
  t.equal(login.status, 200, 'and signs in as ever')
  tokens['bob, anew'] = login.json.token
  t.equal((await ask(app, '/api/auth/logout', tokens[dan.username] as string, {})).json.revoked, 1)
  dead['dan, who signed out in step 2'] = tokens[dan.username] as string
  t.ok(await move.db.collection('usersession').findOne({ token: tokens[dan.username] }), 'whose session still stands in the old database')
  t.match(await move.latchkey('import', '--from', move.databaseUrl), /users +6 +0 +6/)
  for (const [who, token] of Object.entries(dead)) t.match(await ask(app, '/api/orders', token), { status: 401, code: 'session_revoked' }, `${who}, after another import`)

  app = await move.step('step-2.mjs', { CLOCK_AHEAD_MINUTES: String(25 * 60), NODE_OPTIONS: `--import ${new URL('../helper/movable-clock.mjs', import.meta.url).href}` })
  t.match(await ask(app, '/api/orders', tokens[eve.username] as string), { status: 401, code: 'token_expired' }, 'a day later an old token has run out')
})

await t.test('step 3: the old code and the old records are gone, and who was signed in is', async (t) => {
  const source = readFileSync(join(move.folder, 'from-jwt-middleware/step-3.mjs'), 'utf8')
  t.strictSame([...source.matchAll(/from '([^']+)'/g)].map(([, name]) => name), ['fastify', 'latchkey', 'mongodb'])
  for (const name of ['users', 'usersession']) await move.db.dropCollection(name)
  const app = await move.step('step-3.mjs', { OLD_JWT_SECRET: '' })
  for (const who of ['ada, renewed', 'ada by Latchkey']) t.match((await ask(app, '/api/orders', tokens[who] as string)).json, { for: ada.username, orders: ['a kettle', 'tea'] }, who)
  t.equal(await statusOf(app, tokens['bob, anew'] as string), 200)
  t.equal((await ask(app, '/api/orders', tokens['ada, renewed'] as string, { item: 'milk' })).status, 201)
  for (const [who, token] of Object.entries({ ...dead, 'an old token': tokens[ada.username] as string })) t.equal(await statusOf(app, token), 401, who)

  const client = createLatchkeyClient({ baseUrl: `${app.origin}/auth` })
  t.equal((await client.signIn({ email: eve.email, password: eve.password })).response.status, 200, 'who registered in between has the old password')
  t.equal((await client.fetch(`${app.origin}/api/orders`)).status, 200)
})
