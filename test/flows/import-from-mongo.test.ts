// Story: a service moves in from the MongoDB of an older one while two instances run. Their databases must be two.
import t from 'tap'
import { realEngines } from '../helper/engines.ts'
import { rowOf, runCommand } from '../helper/command.ts'
import { openOldDatabase, withoutMongo } from '../helper/old-database.ts'
import { oldAccount, oldSecret, oldSession } from '../helper/old-service.ts'
import { login, loginOf, register } from '../helper/people.ts'
import { createDeployment, startPair, startService, until } from '../helper/service.ts'

const legacy = { LEGACY_TOKENS: 'on', LEGACY_TOKEN_SECRET: oldSecret }

await t.test('instances that run admit what is imported at once, and the end of an old session is felt by both', { skip: !realEngines && withoutMongo }, async (t) => {
  const old = await openOldDatabase(t)
  const account = oldAccount({ role: 'admin', preferences: { theme: 'dark', notifications: false, language: 'de' } })
  const [one, two, late] = [oldSession(account), oldSession(account), oldSession(account)]
  await old.db.collection('users').insertOne(account.document)
  await old.db.collection('usersession').insertMany([one.document, two.document])

  const deployment = createDeployment(t)
  const pair = await startPair(t, { deployment, env: legacy })
  const [a, b] = pair
  t.equal((await b.get('/api/protected', { token: one.token })).json.code, 'session_revoked', 'well signed, and not in usersession')
  const ran = await runCommand(['import', '--from', old.uri], { ...deployment.env, ...legacy })
  t.strictSame([rowOf(ran, 'users'), rowOf(ran, 'usersession'), ran.code], [[1, 1, 0, 0, 0], [2, 2, 0, 0, 0], 0], ran.err)

  for (const { token } of [one, two]) {
    for (const service of pair) {
      for (const path of ['/api/protected', '/protected', '/api/auth/profile', '/profile']) t.equal((await service.get(path, { token })).status, 200)
      t.equal((await service.get('/api/protected', { headers: { 'x-access-token': token } })).status, 200)
      t.equal((await service.get('/api/protected', { headers: { cookie: `accessToken=${token}` } })).status, 200)
    }
  }
  t.match((await a.get('/api/auth/profile', { token: one.token })).json, { role: 'admin', preferences: { theme: 'dark', notifications: false, language: 'de' }, createdAt: '2024-03-01T10:00:00.000Z' })

  const begin = performance.now()
  t.equal((await a.post('/api/auth/logout', undefined, { token: one.token })).json.revoked, 1)
  await until(async () => (await b.get('/api/protected', { token: one.token })).json.code === 'session_revoked', 'the other instance feels it', 3000)
  t.ok(performance.now() - begin < 3000)
  t.equal((await a.get('/api/protected', { token: one.token })).json.code, 'session_revoked')
  t.equal((await a.post('/api/auth/logout', undefined, { token: one.token })).json.revoked, 0, 'once')

  await old.db.collection('usersession').insertOne(late.document)
  t.strictSame(rowOf(await runCommand(['import', '--from', old.uri], { ...deployment.env, ...legacy }), 'usersession'), [3, 1, 2, 0, 0])
  for (const service of pair) t.equal((await service.get('/api/protected', { token: late.token })).status, 200)
  const { accessToken } = await login(a, account)
  t.equal((await b.post('/api/auth/logout-all', undefined, { token: two.token })).json.revoked, 3)
  for (const service of pair) for (const token of [two.token, late.token, accessToken]) await until(async () => (await service.get('/api/protected', { token })).json?.code === 'session_revoked', 'all are over', 3000)
})

await t.test('an old token renews itself into one of today\'s, which ends with the old session', { skip: withoutMongo }, async (t) => {
  const old = await openOldDatabase(t)
  const account = oldAccount()
  const session = oldSession(account, { livesSeconds: 7200 })
  await old.db.collection('members').insertOne(account.document)
  await old.db.collection('logins').insertOne(session.document)
  const deployment = createDeployment(t)
  t.equal((await runCommand(['import', '--from', old.uri, '--users-collection', 'members', '--sessions-collection=logins'], deployment.env)).code, 0)
  const service = await startService(t, { deployment, env: legacy })
  const renewed = loginOf(await service.post('/refresh_token', undefined, { token: session.token }))
  t.match(renewed.answer, { status: 200, json: { session: { id: session.sid }, expiresIn: 900, user: { id: account.id } } })
  t.equal(renewed.refreshToken, undefined)
  t.match(JSON.parse(Buffer.from(renewed.accessToken.split('.')[0] as string, 'base64url').toString()), { typ: 'at+jwt', kid: /./ })
  t.equal((await service.get('/api/protected', { token: renewed.accessToken })).status, 200)
  t.equal((await service.post('/api/session/page', { pageId: '/x' }, { token: renewed.accessToken })).status, 201, 'a sid of 43 characters is one everywhere')
  t.equal((await service.post('/api/session/page', { pageId: '/y' }, { token: session.token })).json.pageCount, 2, 'of the same login')
  service.clock.advance(7_201_000)
  t.equal((await service.get('/api/protected', { token: session.token })).json.code, 'token_expired')
  t.equal((await service.post('/refresh_token', undefined, { token: session.token })).json.code, 'token_expired')
})

await t.test('the old database is refused as the target, however it is spelled, and nothing in it changes', { skip: withoutMongo }, async (t) => {
  const old = await openOldDatabase(t)
  const account = oldAccount()
  await old.db.collection('users').insertOne(account.document)
  await old.db.collection('usersession').insertOne(oldSession(account).document)
  const deployment = createDeployment(t)
  const spellings = [old.uri, old.uri.replace('127.0.0.1', 'localhost')]
  for (const uri of spellings) {
    for (const more of [[], ['--dry-run']]) {
      const ran = await runCommand(['import', '--from', uri, ...more], { ...deployment.env, MONGODB_URI: old.uri })
      t.equal(ran.code, 1)
      t.match(ran.err, /same database.*database of its own/s)
      t.notOk(ran.err.includes(old.db.databaseName), 'no address is repeated')
    }
  }
  const lost = await openOldDatabase(t)
  const ran = await runCommand(['import', '--from', lost.uri], { ...deployment.env, MONGODB_URI: old.uri })
  t.equal(ran.code, 1)
  t.match(ran.err, /`users`.*records of another service.*database of its own/s)
  t.strictSame((await old.db.collection('users').indexes()).map(({ name }) => name), ['_id_'])
  t.strictSame(await old.db.collection('users').find().toArray(), [account.document])
})

await t.test('a source or a target that does not answer is said in a sentence, without its address', { skip: withoutMongo }, async (t) => {
  const deployment = createDeployment(t)
  const nowhere = 'mongodb://someone:PaSSword@127.0.0.1:9/old?serverSelectionTimeoutMS=300'
  const noSource = await runCommand(['import', '--from', nowhere], deployment.env)
  t.equal(noSource.code, 1)
  t.match(noSource.err, /^The database of --from does not answer/)
  t.notMatch(noSource.err + noSource.out, /PaSSword|\n\s+at /)
})

await t.test('accounts that were here first keep their names', { skip: withoutMongo }, async (t) => {
  const old = await openOldDatabase(t)
  const deployment = createDeployment(t)
  const service = await startService(t, { deployment })
  const { person, userId } = await register(service)
  const [byEmail, byName] = [oldAccount({ email: person.email.toUpperCase() }), oldAccount({ username: person.username.toUpperCase() })]
  const orphan = oldSession(byEmail)
  await old.db.collection('users').insertMany([byEmail.document, byName.document])
  await old.db.collection('usersession').insertOne(orphan.document)
  const ran = await runCommand(['import', '--from', old.uri], deployment.env)
  t.equal(ran.code, 3)
  for (const line of [`users ${byEmail.id}: another account has its e-mail address`, `users ${byName.id}: another account has its username`, `usersession ${String(orphan.document['_id'])}: its user is not here`]) t.match(ran.out, `skipped  ${line}`)
  t.equal((await login(service, person)).userId, userId)
  t.equal(await service.db.collection('users').countDocuments(), 1)
})
