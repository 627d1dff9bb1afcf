// Story: a service moves in from an older one, by files, on whatever store this run has. Old passwords and old tokens work,
// nothing is doubled, nothing secret comes along (MISSION row 38).
import bcrypt from 'bcrypt'
import t, { type Test } from 'tap'
import { rowOf, runCommand, type Ran } from '../helper/command.ts'
import { openClient } from '../helper/client-of.ts'
import { noteEvidence } from '../helper/evidence.ts'
import { exportFile, oldAccount, oldSecret, oldSession, type ExportForm, type OldAccount, type OldSession } from '../helper/old-service.ts'
import { login } from '../helper/people.ts'
import { createDeployment, startService, until, type Deployment } from '../helper/service.ts'

const legacy = { LEGACY_TOKENS: 'on', LEGACY_TOKEN_SECRET: oldSecret }

const importFiles = (t: Test, deployment: Deployment, accounts: readonly { document: object }[], sessions: readonly { document: object }[], more: string[] = [], form: ExportForm = 'lines'): Promise<Ran> =>
  runCommand(['import', '--users', exportFile(t, accounts.map(({ document }) => document), form), '--sessions', exportFile(t, sessions.map(({ document }) => document), form), ...more], deployment.env)

/** What the target holds: everything there is, as text. */
async function storedIn (t: Test, deployment: Deployment): Promise<Record<'users' | 'usersession', Record<string, unknown>[]>> {
  const client = await openClient(t, deployment)
  const db = client.db(deployment.env['MONGODB_URI'] === undefined ? 'latchkey' : deployment.database)
  const found = { users: await db.collection('users').find().toArray(), usersession: await db.collection('usersession').find().toArray() }
  await client.close()
  return found
}

/** The ways in which the original documents put a user into a token. */
const payloads: Record<string, (account: OldAccount) => object> = {
  'seed 000, by sub': ({ id }) => ({ sub: id }),
  'seed 001, by userId': ({ id, email }) => ({ userId: id, email }),
  'seed 002, by id': ({ id }) => ({ id, role: 'user' }),
  'seed 003, by _id': ({ id, email, username }) => ({ _id: id, email, username, fullName: 'Ada Lovelace' }),
  'nested under user': ({ id }) => ({ user: { id } })
}

await t.test('users sign in with their old passwords and old tokens are admitted, whatever the layout of the export', async (t) => {
  const deployment = createDeployment(t)
  const moved: { what: string, account: OldAccount, session: OldSession }[] = []
  for (const form of ['lines', 'array', 'pretty', 'canonical'] as const) {
    const these = Object.entries(payloads).map(([what, claimsOf]) => {
      const account = oldAccount()
      return { what: `${what}, ${form}`, account, session: oldSession(account, { claims: claimsOf(account) }) }
    })
    const ran = await importFiles(t, deployment, these.map(({ account }) => account), these.map(({ session }) => session), [], form)
    t.strictSame([rowOf(ran, 'users'), rowOf(ran, 'usersession'), ran.code], [[5, 5, 0, 0, 0], [5, 5, 0, 0, 0], 0], ran.out + ran.err)
    moved.push(...these)
  }

  const service = await startService(t, { deployment, env: legacy })
  for (const { what, account, session } of moved) {
    const admitted = await service.get('/api/protected', { token: session.token })
    t.equal(admitted.status, 200, what)
    t.match(admitted.json.user, { id: account.id, _id: account.id, email: account.email, username: account.username, fullName: 'Ada Lovelace', role: 'user' })
  }
  for (const { account } of [moved[0], moved[19]] as typeof moved) {
    t.equal((await login(service, account)).userId, account.id, 'the old password')
    t.equal((await service.post('/login', { username: account.username, password: account.password })).status, 200, 'by username')
    t.equal((await service.post('/login', { username: account.username, password: `${account.password}!` })).status, 401)
  }
})

await t.test('old tokens are refused when LEGACY_TOKENS is off, and admitted again when it is on', async (t) => {
  const deployment = createDeployment(t)
  const account = oldAccount()
  const session = oldSession(account)
  await importFiles(t, deployment, [account], [session])
  for (const [env, status] of [[{ LEGACY_TOKEN_SECRET: oldSecret }, 401], [legacy, 200]] as const) {
    const service = await startService(t, { deployment, env })
    const answer = await service.get('/api/protected', { token: session.token })
    t.equal(answer.status, status)
    if (status === 200) break
    t.equal(answer.json.code, 'token_invalid')
    deployment.swept = true // by the next one
    await service.close()
    deployment.swept = false
  }
})

await t.test('an old hash gets today\'s cost and form at login, whatever it was', async (t) => {
  const deployment = createDeployment(t)
  const hashes: Record<string, (password: string) => string> = {
    $2a$: (password) => bcrypt.hashSync(password, bcrypt.genSaltSync(8, 'a')),
    $2b$: (password) => bcrypt.hashSync(password, 8),
    $2y$: (password) => bcrypt.hashSync(password, 10).replace('$2b', '$2y')
  }
  const accounts = Object.values(hashes).map((hash) => oldAccount({}, hash))
  t.equal((await importFiles(t, deployment, accounts, [])).code, 0)
  const service = await startService(t, { deployment })
  const hashOf = async (id: string) => (await service.db.collection('users').findOne({ _id: id as never }))?.['passwordHash'] as string
  for (const [at, form] of Object.keys(hashes).entries()) {
    const account = accounts[at] as OldAccount
    t.equal(await hashOf(account.id), account.document['password'], `${form} came as it was`)
    await login(service, account)
    await until(async () => (await hashOf(account.id)).startsWith('$2b$10$'), 'the hash is made anew')
    t.equal((await login(service, account)).userId, account.id)
  }
})

await t.test('a second run doubles nothing and changes nothing; what has come since comes in', async (t) => {
  const deployment = createDeployment(t)
  const accounts = [oldAccount(), oldAccount()] as const
  const sessions = accounts.map((account) => oldSession(account))
  await importFiles(t, deployment, accounts, sessions)
  const before = await storedIn(t, deployment)
  t.strictSame([before.users.length, before.usersession.length], [2, 2])

  accounts[0].document['email'] = `changed-meanwhile-${accounts[0].email}`
  const again = await importFiles(t, deployment, accounts, sessions)
  t.strictSame([rowOf(again, 'users'), rowOf(again, 'usersession'), again.code], [[2, 0, 2, 0, 0], [2, 0, 2, 0, 0], 0])
  t.strictSame(await storedIn(t, deployment), before)

  const late = oldSession(accounts[1])
  const third = await importFiles(t, deployment, [...accounts, oldAccount()], [...sessions, late, late])
  t.strictSame([rowOf(third, 'users'), rowOf(third, 'usersession')], [[3, 1, 2, 0, 0], [4, 1, 3, 0, 0]], 'the same document twice is one')
})

await t.test('a session that was ended here does not come back by a later import, nor does one that had not arrived when its user signed out everywhere', async (t) => {
  const deployment = createDeployment(t)
  const [account, other] = [oldAccount({ tokenVersion: 3 }), oldAccount()]
  const [out, stays, late] = [oldSession(account), oldSession(other), oldSession(account)]
  t.equal((await importFiles(t, deployment, [account, other], [out, stays])).code, 0)
  const first = await startService(t, { deployment, env: legacy })
  t.equal((await first.post('/api/auth/logout-all', undefined, { token: out.token })).json.revoked, 1)
  t.equal((await first.post('/api/auth/logout', undefined, { token: stays.token })).json.revoked, 1)
  deployment.swept = true
  await first.close()

  const ran = await importFiles(t, deployment, [account, other], [out, stays, late])
  t.strictSame([rowOf(ran, 'usersession'), ran.code], [[3, 0, 2, 0, 1], 3])
  t.match(ran.out, `skipped  usersession ${String(late.document['_id'])}: all sessions of its user were ended since`)
  deployment.swept = false
  const second = await startService(t, { deployment, env: legacy })
  for (const { token } of [out, stays, late]) t.equal((await second.get('/api/protected', { token })).json.code, 'session_revoked')
})

await t.test('a dry run says the same and writes nothing', async (t) => {
  const deployment = createDeployment(t)
  const account = oldAccount()
  const twin = oldAccount({ email: account.email.toUpperCase() })
  const session = oldSession(account)
  const documents = [[account, twin, oldAccount({ password: 'plain' })], [session, session, oldSession(twin), oldSession(account, { livesSeconds: -5 })]] as const
  const dry = await importFiles(t, deployment, ...documents, ['--dry-run'])
  t.match(dry.out, 'A dry run: nothing was written.')
  t.match(dry.err, /^Into: (embedded, in|MongoDB at 127\.0\.0\.1:\d+, database) /)
  const nothing = await storedIn(t, deployment)
  t.strictSame(nothing, { users: [], usersession: [] })
  const real = await importFiles(t, deployment, ...documents)
  t.equal(dry.out, `${real.out}A dry run: nothing was written.\n`)
  t.equal(dry.code, real.code)
  t.strictSame([rowOf(real, 'users'), rowOf(real, 'usersession')], [[3, 1, 0, 0, 2], [4, 1, 1, 1, 1]])
  t.equal((await importFiles(t, deployment, ...documents, ['--dry-run'])).out, `${(await importFiles(t, deployment, ...documents)).out}A dry run: nothing was written.\n`, 'beside what is there, too')
})

await t.test('neither the report nor a store holds a token, a password or, in the report, an address', async (t) => {
  const deployment = createDeployment(t)
  const account = oldAccount({ refreshToken: 'set below', refreshTokens: [] })
  const session = oldSession(account)
  account.document['refreshToken'] = session.token
  account.document['refreshTokens'] = [{ token: session.token, deviceInfo: 'x' }]
  const strange = { document: { _id: session.token, token: 'no.jwt.at-all', jti: 'j' } }
  const ran = await importFiles(t, deployment, [account, oldAccount({ _id: account.email }), oldAccount({ _id: session.token })], [session, strange, { document: { ...session.document, _id: account.email, userId: 'other' } }])
  t.equal(ran.code, 3)
  const stored = await storedIn(t, deployment)
  t.strictSame([stored.users.length, stored.usersession.length], [1, 1])
  t.equal(stored.usersession[0]?.['_id'], session.sid, 'the session is there, by the hash of its token')
  for (const text of [ran.out, ran.err, JSON.stringify(stored)]) {
    noteEvidence('log', text.replaceAll(account.email, '').replaceAll(String(account.document['password']), ''))
    for (const secret of [session.token, session.token.split('.')[2] as string, account.password, oldSecret]) t.notOk(text.includes(secret))
  }
  t.notOk((ran.out + ran.err).includes(account.email))
  t.notOk((ran.out + ran.err).includes(String(account.document['password'])))
})
