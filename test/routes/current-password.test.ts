// The current password, asked for by changes of the password, the address and the name: guesses are limited like those at
// login, so that whoever holds a stolen access token cannot guess on, and what was no guess costs nothing (REQUIREMENTS E7).
import t, { type Test } from 'tap'
import type { Answer } from '../helper/http.ts'
import { login, loginOf, newPerson, register, type Person } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const limit = 2
const service = await startService(t, { env: { LOGIN_LIMIT_PER_ACCOUNT: String(limit), LOGIN_LIMIT_PER_ADDRESS: '1000' } })

interface Attempt { token: string, from?: string }

const put = async (path: string, body: object, attempt: Attempt): Promise<Answer> => await service.call(path, { method: 'PUT', body, ...attempt })
const changes = {
  email: (currentPassword: string, attempt: Attempt) => put('/api/auth/profile', { email: newPerson().email, currentPassword }, attempt),
  username: (currentPassword: string, attempt: Attempt) => put('/api/auth/profile', { username: newPerson().username, currentPassword }, attempt),
  password: (currentPassword: string, attempt: Attempt) => put('/api/auth/profile/password', { currentPassword, newPassword: newPerson().password }, attempt)
}
const wrong = 'not this one'

async function exhaust (t: Test, attempt: Attempt, times = limit): Promise<void> {
  for (let i = 0; i < times; i++) expectProblem(t, await Object.values(changes)[i % 3]?.(wrong, attempt) as Answer, 403, 'current_password_invalid')
}

await t.test('E7 all changes share one limit, and after it even the right password waits', async (t) => {
  const { person, accessToken: token } = await register(service)
  await exhaust(t, { token })
  for (const change of Object.values(changes)) {
    for (const guess of [wrong, person.password]) {
      const refused = await change(guess, { token })
      expectProblem(t, refused, 429, 'rate_limited')
      t.ok(Number(refused.headers['retry-after']) <= 300)
    }
  }
  t.equal((await put('/api/auth/profile', { fullName: 'Ada' }, { token })).status, 200, 'what needs no password goes on')
  service.clock.advance(300_000)
  t.equal((await changes.password(person.password, { token })).status, 200)
})

await t.test('no login, no other session of the user and no refreshed token makes more guesses', async (t) => {
  const { person, ...first } = await register(service)
  const second = await login(service, person)
  await exhaust(t, { token: first.accessToken })
  const refreshed = loginOf(await service.post('/api/auth/refresh', { refreshToken: first.refreshToken }))
  for (const { accessToken: token } of [second, refreshed, await login(service, person)]) expectProblem(t, await changes.username(wrong, { token }), 429, 'rate_limited')
})

await t.test('the owner at another address is not locked out, nor at the login', async (t) => {
  const { person, accessToken: token } = await register(service)
  await exhaust(t, { token, from: '127.0.0.2' })
  expectProblem(t, await changes.password(wrong, { token, from: '127.0.0.2' }), 429, 'rate_limited')
  t.equal((await service.post('/api/auth/login', { email: person.email, password: person.password }, { from: '127.0.0.2' })).status, 200)
  t.equal((await changes.username(person.password, { token, from: '127.0.0.3' })).status, 200)
})

await t.test('from however many addresses, the guesses of an account end', async (t) => {
  const { accessToken: token } = await register(service)
  for (let address = 2; address < 12; address++) await exhaust(t, { token, from: `127.0.1.${address}` })
  expectProblem(t, await changes.password(wrong, { token, from: '127.0.1.99' }), 429, 'rate_limited')
})

await t.test('E7 guesses made at once are counted before one of them is hashed', async (t) => {
  const { accessToken: token } = await register(service)
  const answers = await Promise.all(Array.from({ length: 4 * limit }, () => changes.password(wrong, { token })))
  t.equal(answers.filter(({ status }) => status === 403).length, limit)
  t.equal(answers.filter(({ status }) => status === 429).length, 3 * limit)
})

await t.test('the right password costs nothing, however often', async (t) => {
  const { person, accessToken: token } = await register(service)
  for (let i = 0; i < limit + 2; i++) t.equal((await changes.username(person.password, { token })).status, 200)
  await exhaust(t, { token })
})

await t.test('a new password that is refused costs nothing, whatever the current one was', async (t) => {
  const { person, accessToken: token } = await register(service)
  for (const newPassword of ['short', 'x'.repeat(73), 'password123', 'a\0bcdefgh', person.email]) {
    for (const currentPassword of [wrong, person.password]) t.equal((await put('/api/auth/profile/password', { currentPassword, newPassword }, { token })).status, 400)
  }
  for (let i = 0; i < limit; i++) t.equal((await put('/api/auth/profile', { email: 'no address', currentPassword: wrong }, { token })).status, 400)
  for (let i = 0; i < limit; i++) expectProblem(t, await put('/api/auth/profile', { email: newPerson().email }, { token }), 403, 'current_password_invalid', { what: 'nor does a form without one' })
  await exhaust(t, { token })
})

await t.test('asking for names that are taken is limited, too: an account is no way to ask who has one', async (t) => {
  const taken = (await register(service)).person
  const { person, accessToken: token } = await register(service)
  const ask = ({ email }: Person): Promise<Answer> => put('/api/auth/profile', { email, currentPassword: person.password }, { token })
  for (let i = 0; i < limit; i++) expectProblem(t, await ask(taken), 409, 'email_taken')
  expectProblem(t, await ask(taken), 429, 'rate_limited')
})
