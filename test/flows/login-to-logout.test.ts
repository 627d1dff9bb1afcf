// Story: a newcomer registers, signs in, is let in, refreshes, signs out, and every token of the session is dead at once.
import t from 'tap'
import { createDeployment, startService } from '../helper/service.ts'
import { login, loginOf, newPerson, register, tierOf } from '../helper/people.ts'

await t.test('a session lives from its login to its logout', async (t) => {
  const service = await startService(t)
  const person = newPerson()

  const registered = await register(service, person)
  t.match(registered.answer.json, {
    message: 'Registration successful',
    tokenType: 'Bearer',
    expiresIn: 900,
    refreshExpiresIn: 7 * 86_400,
    user: { username: person.username, email: person.email, fullName: null, role: 'user', avatarUrl: null }
  })
  t.equal(registered.answer.json.token, registered.accessToken, '`token` is the access token, for older clients')
  t.equal(registered.answer.json.user._id, registered.userId, '`_id` is the id, for older clients')
  t.equal(registered.answer.headers['cache-control'], 'no-store')

  const signedIn = await login(service, person)
  t.not(signedIn.sid, registered.sid, 'each login is a session of its own')

  const greeted = await service.get('/api/protected', { token: signedIn.accessToken })
  t.equal(greeted.status, 200)
  t.match(greeted.json, { message: `Hello, ${person.username}`, user: { id: registered.userId } })
  t.equal((await service.get('/protected', { headers: { 'x-access-token': signedIn.accessToken } })).status, 200)

  const refreshed = loginOf(await service.post('/api/auth/refresh', { refreshToken: signedIn.refreshToken }))
  t.equal(refreshed.answer.status, 200)
  t.equal(refreshed.sid, signedIn.sid)
  t.not(refreshed.refreshToken, signedIn.refreshToken)
  t.equal((await service.get('/api/protected', { token: signedIn.accessToken })).status, 200, 'the older access token lives until its own end')

  const out = await service.post('/api/auth/logout', undefined, { token: refreshed.accessToken })
  t.equal(out.status, 200)
  t.strictSame(out.json, { message: 'Logout successful', revoked: 1 })

  for (const token of [signedIn.accessToken, refreshed.accessToken]) {
    const refused = await service.get('/api/protected', { token })
    t.equal(refused.status, 401)
    t.equal(refused.json.code, 'session_revoked')
  }
  for (const refreshToken of [signedIn.refreshToken, refreshed.refreshToken]) {
    const refused = await service.post('/api/auth/refresh', { refreshToken })
    t.equal(refused.status, 401)
    t.equal(refused.json.code, 'session_revoked')
  }
  t.equal((await service.get('/api/protected', { token: registered.accessToken })).status, 200, 'the other device stays signed in')
  t.strictSame((await service.post('/api/auth/logout', undefined, { token: refreshed.accessToken })).json.revoked, 0, 'signing out again ends nothing')
})

await t.test('after a restart live sessions live, dead ones are dead, accounts stand', async (t) => {
  const deployment = createDeployment(t)
  const before = await startService(t, { deployment })
  const { person, ...first } = await register(before)
  const second = await login(before, person)
  await before.post('/api/auth/logout', undefined, { token: first.accessToken })
  await before.close()

  const after = await startService(t, { deployment })
  t.equal((await after.get('/api/protected', { token: second.accessToken })).status, 200)
  t.equal((await after.get('/api/protected', { token: first.accessToken })).json.code, 'session_revoked')
  t.equal((await after.post('/api/auth/refresh', { refreshToken: first.refreshToken })).json.code, 'session_revoked')
  t.equal((await login(after, person)).answer.status, 200)
})

await t.test('logout-all ends every session of this user and of nobody else', async (t) => {
  const service = await startService(t)
  const { person, ...first } = await register(service)
  const others = [await login(service, person), await login(service, person)]
  const stranger = await register(service)

  const out = await service.post('/api/auth/logout-all', undefined, { token: first.accessToken })
  t.strictSame(out.json, { message: 'Logout from all devices successful', revoked: 3 })
  for (const { accessToken, refreshToken } of [first, ...others]) {
    t.equal((await service.get('/api/protected', { token: accessToken })).json.code, 'session_revoked')
    t.equal((await service.post('/api/auth/refresh', { refreshToken })).json.code, 'session_revoked')
  }
  t.equal((await service.get('/api/protected', { token: stranger.accessToken })).status, 200)
  const again = await login(service, person)
  t.equal((await service.get('/api/protected', { token: again.accessToken })).status, 200, 'a login afterwards lives')
})

await t.test('the second check of a token is answered from memory', async (t) => {
  const service = await startService(t)
  const { accessToken } = await register(service)
  await service.get('/api/protected', { token: accessToken })
  t.equal(tierOf(await service.get('/api/protected', { token: accessToken })), 'memory')
})
