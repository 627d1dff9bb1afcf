// Story: a revocation meets, at the worst moment, a check that fills the tiers, a refresh in flight, a login in flight.
// Each meeting is played with gates, on one instance and (on real engines) seen from a second one. Nobody comes back to life.
import t, { type Test } from 'tap'
import type { Answer } from '../helper/http.ts'
import { checkReads, createGates, type Gates } from '../helper/gates.ts'
import { login, loginOf, newPerson, register } from '../helper/people.ts'
import { createDeployment, startService, untilHearing, type Service } from '../helper/service.ts'
import { realEngines } from '../helper/engines.ts'
import { openClient } from '../helper/client-of.ts'

interface Stage { gates: Gates, service: Service, everywhere: Service[] }

/** An instance whose database operations can be held, and on real engines a second one beside it. */
async function setStage (t: Test, env: Record<string, string> = {}): Promise<Stage> {
  const deployment = createDeployment(t)
  const gates = createGates(await openClient(t, deployment))
  const service = await startService(t, { deployment, env, mongoClient: gates.client })
  if (!realEngines) return { gates, service, everywhere: [service] }
  const other = await startService(t, { deployment, env })
  await Promise.all([service, other].map(untilHearing))
  return { gates, service, everywhere: [service, other] }
}

async function isDeadEverywhere (t: Test, { everywhere }: Stage, accessToken: string): Promise<void> {
  for (const service of everywhere) {
    const answer = await service.get('/api/protected', { token: accessToken })
    t.equal(answer.status, 401)
    t.equal(answer.json.code, 'session_revoked')
  }
}

/** A refresh that met a revocation: refused, or its tokens are dead as well. */
async function hasRevivedNothing (t: Test, stage: Stage, answer: Answer): Promise<void> {
  if (answer.status !== 200) {
    t.equal(answer.json.code, 'session_revoked')
    return
  }
  const { accessToken, refreshToken } = loginOf(answer)
  await isDeadEverywhere(t, stage, accessToken)
  t.equal((await stage.service.post('/api/auth/refresh', { refreshToken })).json.code, 'session_revoked')
}

await t.test('read, revoke, fill: a check that read before the logout does not fill the tiers after it', async (t) => {
  const stage = await setStage(t, { VERDICT_TTL_SECONDS: '60' })
  const { gates, service } = stage
  const { accessToken } = await register(service)
  service.clock.advance(61_000) // the copies of the login have run out

  const gate = gates.hold(checkReads[0], 'after')
  const check = service.get('/api/protected', { token: accessToken })
  await gate.reached
  const out = await service.post('/api/auth/logout', undefined, { token: accessToken })
  t.equal(out.json.revoked, 1)
  gate.open()
  await check // began before the logout was answered: either answer is right
  await isDeadEverywhere(t, stage, accessToken)
})

await t.test('read, revoke, ask: who asks after the logout does not get the answer of a read that began before it', async (t) => {
  const { gates, service } = await setStage(t)
  const { accessToken } = await register(service)
  service.clock.advance(61_000)
  const gate = gates.hold(checkReads[0], 'after')
  const early = service.get('/api/protected', { token: accessToken })
  await gate.reached
  await service.post('/api/auth/logout', undefined, { token: accessToken })
  const late = await service.get('/api/protected', { token: accessToken }) // while the early one still hangs
  t.equal(late.json.code, 'session_revoked')
  gate.open()
  await early
})

for (const [where, operation] of [['rotated', 'usersession.findOneAndUpdate'], ['read the user', checkReads.at(-1) as string]] as const) {
  await t.test(`refresh, revoke: a refresh that has ${where} does not bring the session back`, async (t) => {
    const stage = await setStage(t)
    const { gates, service } = stage
    const first = await register(service)
    const gate = gates.hold(operation, 'after')
    const refreshing = service.post('/api/auth/refresh', { refreshToken: first.refreshToken })
    await gate.reached
    t.equal((await service.post('/api/auth/logout', undefined, { token: first.accessToken })).json.revoked, 1)
    gate.open()
    await hasRevivedNothing(t, stage, await refreshing)
    await isDeadEverywhere(t, stage, first.accessToken)
  })

  await t.test(`refresh, logout-all: a refresh that has ${where} does not survive it`, async (t) => {
    const stage = await setStage(t)
    const { gates, service } = stage
    const { person, ...first } = await register(service)
    const second = await login(service, person)
    const gate = gates.hold(operation, 'after')
    const refreshing = service.post('/api/auth/refresh', { refreshToken: first.refreshToken })
    await gate.reached
    t.equal((await service.post('/api/auth/logout-all', undefined, { token: second.accessToken })).status, 200)
    gate.open()
    await hasRevivedNothing(t, stage, await refreshing)
    await isDeadEverywhere(t, stage, first.accessToken)
  })
}

await t.test('login, logout-all: a session opened under the old tokenVersion is withdrawn, the login gets a new one', async (t) => {
  const { gates, service } = await setStage(t)
  const { person, accessToken, userId } = await register(service)
  const gate = gates.hold('usersession.insertOne', 'after')
  const signingIn = service.post('/api/auth/login', { email: person.email, password: person.password })
  await gate.reached
  await service.post('/api/auth/logout-all', undefined, { token: accessToken })
  gate.open()
  const late = loginOf(await signingIn)
  t.equal(late.answer.status, 200)
  t.equal((await service.get('/api/protected', { token: late.accessToken })).status, 200)
  const live = await service.db.collection('usersession').find({ userId, revokedAt: null }).toArray()
  t.strictSame(live.map((session) => String(session._id)), [late.sid], 'nothing else of the user lives')
})

await t.test('login, password change: a login that checked the old password gets no session', async (t) => {
  const { gates, service } = await setStage(t)
  const { person, userId } = await register(service)
  const gate = gates.hold('usersession.insertOne', 'after')
  const signingIn = service.post('/api/auth/login', { email: person.email, password: person.password })
  await gate.reached
  const other = await register(service, newPerson())
  const { passwordHash } = await service.db.collection('users').findOne({ _id: other.userId as never }) as unknown as { passwordHash: string }
  await service.db.collection('users').updateOne({ _id: userId as never }, { $set: { passwordHash }, $inc: { tokenVersion: 1 } })
  gate.open()
  const refused = await signingIn
  t.equal(refused.status, 401)
  t.equal(refused.json.code, 'invalid_credentials')
  const sessions = await service.db.collection('usersession').find({ userId }).sort({ createdAt: 1 }).toArray()
  t.equal(sessions.at(-1)?.['revokedReason'], 'token_version_moved')
})

for (const when of ['before', 'after'] as const) {
  await t.test(`logout-all whose second write fails ${when} it is applied answers 503, and this instance believes no copy meanwhile`, async (t) => {
    const { gates, service } = await setStage(t)
    const { person, ...first } = await register(service)
    const second = await login(service, person)
    for (const { accessToken } of [first, second]) t.equal((await service.get('/api/protected', { token: accessToken })).status, 200)
    const gate = gates.hold('usersession.updateMany', when)
    const asking = service.post('/api/auth/logout-all', undefined, { token: first.accessToken })
    await gate.reached
    gate.fail(Object.assign(new Error('connection reset'), { code: 'ECONNRESET' }))
    t.equal((await asking).status, 503)
    for (const { accessToken } of [first, second]) t.equal((await service.get('/api/protected', { token: accessToken })).status, 401)
    t.equal((await service.post('/api/auth/logout-all', undefined, { token: first.accessToken })).json.revoked, when === 'before' ? 2 : 0, 'asked again it is done')
    for (const { accessToken } of [first, second]) t.equal((await service.get('/api/protected', { token: accessToken })).status, 401)
  })
}

await t.test('logout-all that died half-way is finished by the next one', async (t) => {
  const { service } = await setStage(t)
  const { person, userId, ...first } = await register(service)
  const second = await login(service, person)
  // what a crash between the two writes leaves: the version has moved, the sessions stand
  await service.db.collection('users').updateOne({ _id: userId as never }, { $inc: { tokenVersion: 1 } })
  const out = await service.post('/api/auth/logout-all', undefined, { token: first.accessToken })
  t.equal(out.json.revoked, 2)
  for (const { accessToken } of [first, second]) t.equal((await service.get('/api/protected', { token: accessToken })).json.code, 'session_revoked')
  t.equal((await service.db.collection('usersession').countDocuments({ userId, revokedAt: null })), 0)
})

await t.test('logout-all that died half-way has ended everything already: no refresh and no renewal goes through', async (t) => {
  const { service } = await setStage(t)
  const { userId, accessToken, refreshToken } = await register(service)
  await service.db.collection('users').updateOne({ _id: userId as never }, { $inc: { tokenVersion: 1 } })
  t.equal((await service.post('/api/auth/refresh', undefined, { token: accessToken })).json.code, 'session_revoked')
  t.equal((await service.post('/api/auth/refresh', { refreshToken })).json.code, 'session_revoked')
  t.equal((await service.get('/api/protected', { token: accessToken })).json.code, 'session_revoked', 'and the refused refresh has told the tiers')
})
