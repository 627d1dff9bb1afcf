// Story: a password changes while something else goes on with the account: another change, a login, an upgrade of the
// hash, a MongoDB that dies at any write. Exactly one password works afterwards, nothing that the old one opened lives
// on, on either instance, and nobody sees a 500 (REQUIREMENTS E7, I8).
import t, { type Test } from 'tap'
import bcrypt from 'bcrypt'
import { startGatedPair } from '../helper/gated-pair.ts'
import type { Answer } from '../helper/http.ts'
import { login, loginOf, newPerson, register, type Login, type Person } from '../helper/people.ts'
import { until, type Service } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

/** Each story has people of its own. */
const { gates, service, other } = await startGatedPair(t, { LOGIN_LIMIT_PER_ADDRESS: '10000' })

const change = async (service: Service, token: string, currentPassword: string, newPassword: string): Promise<Answer> =>
  await service.call('/api/auth/profile/password', { method: 'PUT', body: { currentPassword, newPassword }, token })

/** Which of the passwords sign in. */
async function working (service: Service, { email }: Person, passwords: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(passwords.map((password) => service.post('/api/auth/login', { email, password })))
  return passwords.filter((_, i) => answers[i]?.status === 200)
}

async function isDead (t: Test, logins: readonly Login[]): Promise<void> {
  for (const { accessToken: token, refreshToken } of logins) {
    for (const instance of [service, other]) {
      await until(async () => (await instance.get('/api/protected', { token })).status === 401, 'the message has come', 1000)
      t.equal((await instance.post('/api/auth/refresh', { refreshToken })).json.code, 'session_revoked')
    }
  }
}

await t.test('E7 a change ends every session on both instances, whose copies are warm', async (t) => {
  const { person, ...first } = await register(service)
  const logins = [first, await login(other, person), await login(service, person)]
  for (const { accessToken: token } of logins) for (const instance of [service, other, service, other]) await instance.get('/api/protected', { token })
  const answer = await change(service, first.accessToken, person.password, newPerson().password)
  t.equal(answer.json.revoked, 3)
  await isDead(t, logins)
  for (const instance of [service, other]) t.equal((await instance.get('/api/protected', { token: answer.json.accessToken })).status, 200)
})

await t.test('of changes from several devices at once exactly one wins, and its password alone works', async (t) => {
  for (let round = 0; round < 4; round++) {
    const { person, ...first } = await register(service)
    const logins = [first, await login(other, person), await login(service, person)]
    const wanted = logins.map(() => newPerson().password)
    const answers = await Promise.all(logins.map(({ accessToken }, i) => change([service, other][i % 2] as Service, accessToken, person.password, wanted[i] as string)))
    const won = answers.findIndex(({ status }) => status === 200)
    t.equal(answers.filter(({ status }) => status === 200).length, 1)
    for (const { status, json } of answers.filter(({ status }) => status !== 200)) t.ok(['403 current_password_invalid', '401 session_revoked'].includes(`${status} ${json.code}`), `${status} ${json.code}`)
    t.strictSame(await working(other, person, [person.password, ...wanted]), [wanted[won]])
    await isDead(t, logins)
  }
})

await t.test('a change that is overtaken between its write and its new session opens none', async (t) => {
  const { person, ...first } = await register(service)
  const second = await login(other, person)
  const [one, two] = [newPerson().password, newPerson().password]
  const gate = gates.hold('usersession.updateMany', 'before')
  const overtaken = change(service, first.accessToken, person.password, one)
  await gate.reached // the hash is the first one's by now, and the second device does not know
  const third = other === service ? second : loginOf(await other.post('/api/auth/login', { email: person.email, password: one }))
  if (other !== service) t.equal((await change(other, third.accessToken, one, two)).status, 200)
  gate.open()
  const answer = await overtaken
  if (other === service) t.equal(answer.status, 200)
  else expectProblem(t, answer, 401, 'session_revoked')
})

for (const [operation, when] of [['users.findOne', 'after'], ['usersession.insertOne', 'before'], ['usersession.insertOne', 'after']] as const) {
  await t.test(`a login with the old password that hangs ${when} ${operation} while it changes leaves no session`, async (t) => {
    const { person, ...first } = await register(service)
    if (operation === 'users.findOne') await service.get('/api/protected', { token: first.accessToken })
    const gate = gates.hold(operation, when)
    const signingIn = service.post('/api/auth/login', { email: person.email, password: person.password })
    await gate.reached
    const password = newPerson().password
    const changed = await change(other, first.accessToken, person.password, password)
    t.equal(changed.status, 200)
    gate.open()
    expectProblem(t, await signingIn, 401, 'invalid_credentials')
    const live = await service.db.collection('usersession').find({ userId: first.userId, revokedAt: null }).toArray()
    t.strictSame(live.map(({ _id }) => String(_id)), [loginOf(changed).sid])
    t.strictSame(await working(other, person, [person.password, password]), [password])
  })
}

await t.test('a login that was answered just before the change ends with the others', async (t) => {
  const { person, ...first } = await register(service)
  const gate = gates.hold('usersession.find', 'before') // the login has looked at the version; it asks how many sessions there are
  const signingIn = service.post('/api/auth/login', { email: person.email, password: person.password })
  await gate.reached
  await change(other, first.accessToken, person.password, newPerson().password)
  gate.open()
  const late = await signingIn
  t.equal(late.status, 200)
  await isDead(t, [loginOf(late)])
})

for (const when of ['before', 'after'] as const) {
  await t.test(`an upgrade of the hash at login that hangs ${when} its write does not bring the old password back, nor stop the change`, async (t) => {
    const { person, ...first } = await register(service)
    await service.db.collection('users').updateOne({ _id: first.userId as never }, { $set: { passwordHash: await bcrypt.hash(person.password, 4) } })
    const gate = gates.hold('users.updateOne', when)
    await login(service, person)
    await gate.reached
    const password = newPerson().password
    t.equal((await change(other, first.accessToken, person.password, password)).status, 200)
    gate.open()
    t.strictSame(await working(other, person, [person.password, password]), [password])
  })
}

await t.test('an upgrade of the hash while a change has looked at it costs the change a second look', async (t) => {
  const { person, ...first } = await register(service)
  const gate = gates.hold('users.findOneAndUpdate', 'before')
  const password = newPerson().password
  const changing = change(service, first.accessToken, person.password, password)
  await gate.reached
  await service.db.collection('users').updateOne({ _id: first.userId as never }, { $set: { passwordHash: await bcrypt.hash(person.password, 10) } })
  gate.open()
  t.equal((await changing).status, 200)
  t.strictSame(await working(other, person, [person.password, password]), [password])
})

await t.test('another address and another password at once: each is made on an account whose password was the one typed', async (t) => {
  const { person, ...first } = await register(service)
  const second = await login(other, person)
  const gate = gates.hold('users.findOneAndUpdate', 'before')
  const moving = service.call('/api/auth/profile', { method: 'PUT', body: { email: newPerson().email, currentPassword: person.password }, token: second.accessToken })
  await gate.reached
  await change(other, first.accessToken, person.password, newPerson().password)
  gate.open()
  expectProblem(t, await moving, 403, 'current_password_invalid')
  t.equal((await service.db.collection('users').findOne({ _id: first.userId as never }))?.['email'], person.email)
})

const writes = [
  { operation: 'users.findOneAndUpdate', world: { before: 'old', after: 'new' } },
  { operation: 'usersession.find', world: { before: 'new', after: 'new' } },
  { operation: 'usersession.updateMany', world: { before: 'new', after: 'new' } },
  { operation: 'usersession.insertOne', world: { before: 'new', after: 'new' } }
] as const

for (const { operation, world } of writes) {
  for (const when of ['before', 'after'] as const) {
    await t.test(`a connection that breaks ${when} ${operation} leaves the ${world[when]} world whole, and 503`, async (t) => {
      const { person, ...first } = await register(service)
      const logins = [first, await login(other, person)]
      await service.get('/api/protected', { token: first.accessToken })
      const password = newPerson().password
      const gate = gates.hold(operation, when)
      const changing = change(service, first.accessToken, person.password, password)
      await gate.reached
      gate.fail(Object.assign(new Error('connection reset'), { code: 'ECONNRESET' }))
      expectProblem(t, await changing, 503, 'unavailable')
      if (world[when] === 'old') {
        for (const { accessToken: token } of logins) for (const instance of [service, other]) t.equal((await instance.get('/api/protected', { token })).status, 200)
        t.strictSame(await working(other, person, [person.password, password]), [person.password])
        t.equal((await change(service, first.accessToken, person.password, password)).status, 200, 'and can be asked again')
      } else {
        t.strictSame(await working(other, person, [person.password, password]), [password])
        for (const { refreshToken } of logins) t.equal((await other.post('/api/auth/refresh', { refreshToken })).json.code, 'session_revoked')
        for (const { clock } of [service, other]) clock.advance(61_000 * 1.2) // VERDICT_TTL_SECONDS: what could not be told
        await isDead(t, logins)
      }
    })
  }
}
