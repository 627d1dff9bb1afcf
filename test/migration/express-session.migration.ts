// Story: an Express app with express-session on Redis (connect-redis) moves to Latchkey in three steps. Who is signed in stays
// signed in, who has signed out stays out, and at the end nothing of the old sessions is left.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Example } from '../examples/example-process.ts'
import type { Answer } from '../helper/http.ts'
import { newPerson, type Person } from '../helper/people.ts'
import { testSecret } from '../helper/service.ts'
import { createMove } from './migration-kit.ts'

const move = await createMove(t, 'from-express-session', { COOKIE_SECRET: testSecret(), TICKET_SECRET: testSecret() })
const [ada, bob, cleo, dan, eve, fay, gil] = Array.from({ length: 7 }, newPerson) as [Person, Person, Person, Person, Person, Person, Person]

/** A browser, as far as cookies go. */
function createBrowser (): { cookies: Map<string, string>, ask: (app: Example, path: string, body?: object) => Promise<Answer> } {
  const cookies = new Map<string, string>()
  return {
    cookies,
    async ask (app, path, body) {
      const answer = await app.call(path, { headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), 'sec-fetch-site': 'same-origin' }, ...(body !== undefined && { method: 'POST', body }) })
      for (const line of answer.headers['set-cookie'] ?? []) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (/Max-Age=0|Expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name)
        else cookies.set(name, value)
      }
      return answer
    }
  }
}

const browsers = new Map([ada, bob, cleo, dan, eve, fay, gil].map((person) => [person, createBrowser()]))
const of = (person: Person): ReturnType<typeof createBrowser> => browsers.get(person) as ReturnType<typeof createBrowser>
const orders = async (app: Example, person: Person): Promise<Answer> => await of(person).ask(app, '/orders')
const stolen: Record<string, Map<string, string>> = {} // cookies of sessions that were ended, as a thief would keep them

async function refusesStolen (app: Example): Promise<void> {
  for (const [who, cookies] of Object.entries(stolen)) {
    const thief = createBrowser()
    for (const [name, value] of cookies) thief.cookies.set(name, value)
    t.equal((await thief.ask(app, '/orders')).status, 401, who)
  }
}

async function signOut (app: Example, person: Person, path: string, when: string): Promise<void> {
  stolen[`${when}: ${person.username}`] = new Map(of(person).cookies)
  const { status, text } = await of(person).ask(app, path, {})
  t.equal(status, 200, text)
}

await t.test('before: people register, sign in and out, and order', async (t) => {
  const app = await move.step('before.mjs')
  for (const person of [ada, bob, cleo, dan, eve, gil]) t.equal((await of(person).ask(app, '/register', person)).status, 200)
  t.equal((await of(ada).ask(app, '/orders', { item: 'a kettle' })).status, 201)
  t.match((await orders(app, ada)).json, { for: ada.username, orders: ['a kettle'] })
  await signOut(app, bob, '/logout', 'before')
  await refusesStolen(app)
})

await t.test('step 1: Latchkey stands beside the old check, and both admit', async (t) => {
  const app = await move.step('step-1.mjs')
  t.match(await move.latchkey('import', '--from', move.databaseUrl), /users +6 +6 +0/)
  t.match((await orders(app, ada)).json, { for: ada.username, orders: ['a kettle'] }, 'who was signed in is')
  t.equal((await of(ada).ask(app, '/orders', { item: 'tea' })).status, 201, 'bodies reach the old app')
  t.equal((await of(fay).ask(app, '/register', fay)).status, 200, 'the old addresses are the old app\'s')

  const byLatchkey = createBrowser()
  t.equal((await byLatchkey.ask(app, '/auth/api/auth/login', { email: ada.email, password: ada.password, transport: 'cookie' })).status, 200)
  t.match((await byLatchkey.ask(app, '/orders')).json, { for: ada.username, orders: ['a kettle', 'tea'] }, 'the same person, by a login of Latchkey')
  t.match((await createBrowser().ask(app, '/orders')), { status: 401, json: { code: 'token_missing' } })
  await signOut(app, cleo, '/logout', 'step 1')
  await refusesStolen(app)
})

await t.test('step 2: logins are Latchkey\'s, and old sessions are traded in without a sign-in', async (t) => {
  const app = await move.step('step-2.mjs')
  t.match(await move.latchkey('import', '--from', move.databaseUrl), /users +7 +1 +6/)
  t.match((await orders(app, ada)).json, { for: ada.username }, 'before there are tickets the old session admits')
  t.ok(of(ada).cookies.has('connect.sid'))

  await signOut(app, gil, '/logout', 'step 2, before there are tickets')
  await refusesStolen(app)

  const file = join(move.folder, 'sessions.json')
  t.equal(await move.run('tickets.mjs', ['make', file]), '4 tickets\n')
  t.equal((await orders(app, ada)).status, 200, 'nor is anybody signed out while they are made')
  t.match(await move.latchkey('import', '--sessions', file), /usersession +4 +4 +0/)
  t.equal((await orders(app, ada)).status, 200)
  t.equal(await move.run('tickets.mjs', ['hand-out', file]), '4 tickets\n')
  t.equal(await move.run('tickets.mjs', ['make', file]), '0 tickets\n', 'a second time there is nothing left to do')

  const crossing = await app.call('/orders', { method: 'POST', body: { item: 'a trap' }, headers: { cookie: `connect.sid=${of(ada).cookies.get('connect.sid') ?? ''}`, 'sec-fetch-site': 'same-site' } })
  t.match(crossing, { status: 403, json: { code: 'csrf_rejected' } }, 'another site cannot use the ticket')
  const traded = await of(ada).ask(app, '/auth/api/auth/profile')
  t.equal(traded.json.username, ada.username, 'at an address of Latchkey as well as at one of the app')
  t.match((await orders(app, ada)).json, { for: ada.username, orders: ['a kettle', 'tea'] })
  t.strictSame([...of(ada).cookies.keys()], ['accessToken'], 'Latchkey\'s cookie in the place of the old one')
  t.ok((traded.headers['set-cookie'] ?? []).every((line) => /; HttpOnly/.test(line)))
  t.match((await orders(app, ada)).headers['set-cookie'], undefined, 'once')
  t.equal((await of(ada).ask(app, '/auth/api/auth/sessions')).json.items.length, 2, 'it is one of her devices')
  t.equal((await orders(app, fay)).status, 200, 'who registered meanwhile is signed in, too')

  t.equal((await orders(app, dan)).status, 200)
  await signOut(app, dan, '/auth/api/auth/logout', 'step 2')
  t.equal((await orders(app, dan)).status, 401)
  stolen['step 2: the old cookie of eve, who ended it as a device'] = new Map(of(eve).cookies)
  t.equal((await orders(app, eve)).status, 200)
  t.equal((await of(eve).ask(app, '/auth/api/auth/logout-all', {})).json.revoked, 1)
  await refusesStolen(app)
})

await t.test('step 3: the old code and the old records are gone, and who was signed in is', async (t) => {
  const source = readFileSync(join(move.folder, 'from-express-session/step-3.mjs'), 'utf8')
  t.strictSame([...source.matchAll(/from '([^']+)'/g)].map(([, name]) => name), ['fastify', 'latchkey', 'mongodb'])
  await move.db.dropCollection('users')
  let app = await move.step('step-3.mjs')
  t.match((await orders(app, ada)).json, { for: ada.username, orders: ['a kettle', 'tea'] })
  t.equal((await of(fay).ask(app, '/orders', { item: 'bread' })).status, 201)
  await refusesStolen(app)

  app = await move.step('step-3.mjs', { CLOCK_AHEAD_MINUTES: String(8 * 24 * 60), NODE_OPTIONS: `--import ${new URL('../helper/movable-clock.mjs', import.meta.url).href}` })
  t.match(await orders(app, ada), { status: 401, json: { code: 'token_expired' } }, 'a ticket ends when the old session would have')
  t.equal((await of(ada).ask(app, '/auth/api/auth/login', { email: ada.email, password: ada.password, transport: 'cookie' })).status, 200)
  t.match((await orders(app, ada)).json, { for: ada.username, orders: ['a kettle', 'tea'] }, 'then she signs in once')
})
