// Door `register`: what opens an account, what cannot be set with it, and who is first when many want one name
// (REQUIREMENTS A1, A2, A9, A10).
import t, { type Test } from 'tap'
import { realEngines } from '../helper/engines.ts'
import { emailMark } from '../helper/evidence.ts'
import { login, newPerson, patiently, register } from '../helper/people.ts'
import { startPair, startService, type Service } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const path = '/api/auth/register'
const unlimited = { LOGIN_LIMIT_PER_ADDRESS: '0', BCRYPT_CONCURRENCY: '4' } // four are decided at a time
const service = await startService(t, { env: unlimited })

await t.test('A1 registering opens an account and its first session', async (t) => {
  const person = newPerson()
  const { answer, accessToken, userId, sid } = await register(service, { ...person, fullName: 'Ada Lovelace' } as typeof person)
  t.strictSame(Object.keys(answer.json).sort(), ['accessToken', 'expiresIn', 'message', 'refreshExpiresIn', 'refreshToken', 'session', 'token', 'tokenType', 'user'])
  t.strictSame(answer.json.user, { id: userId, _id: userId, username: person.username, email: person.email, fullName: 'Ada Lovelace', role: 'user', avatarUrl: null })
  t.equal(answer.json.token, accessToken)
  t.equal(answer.headers['cache-control'], 'no-store')

  const { id, createdAt, expiresAt, absoluteExpiresAt } = answer.json.session
  t.equal(id, sid)
  t.equal(Date.parse(expiresAt) - Date.parse(createdAt), 7 * 86_400_000, 'idle for seven days ends it')
  t.equal(Date.parse(absoluteExpiresAt) - Date.parse(createdAt), 30 * 86_400_000, 'thirty days end it in any case')

  const profile = await service.get('/api/auth/profile', { token: accessToken })
  t.equal(profile.status, 200)
  t.match(profile.json, { id: userId, preferences: { theme: 'system', notifications: true, language: 'en' } })
  t.equal((await login(service, person)).userId, userId, 'the account can be signed in to')
})

await t.test('C9 the access token says what was agreed and nothing personal', async (t) => {
  const { accessToken, userId, sid } = await register(service)
  const [header, claims] = accessToken.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
  t.strictSame(Object.keys(header).sort(), ['alg', 'kid', 'typ'])
  t.strictSame(Object.keys(claims).sort(), ['aud', 'exp', 'iat', 'iss', 'jti', 'role', 'sid', 'sub'])
  t.match(claims, { sub: userId, sid, role: 'user' })
  t.equal(claims.exp - claims.iat, 900)
})

for (const [name, extra] of Object.entries({
  role: { role: 'admin' },
  isAdmin: { isAdmin: true },
  _id: { _id: 'mine' },
  tokenVersion: { tokenVersion: 9 },
  passwordHash: { passwordHash: 'x' },
  preferences: { preferences: { theme: 'dark' } },
  'transport of another kind': { transport: 'header' }
})) {
  await t.test(`A1 nobody sets with a registration: ${name}`, async (t) => {
    const person = newPerson()
    const refused = await service.post(path, { ...person, ...extra })
    expectProblem(t, refused, 400, 'validation_failed')
    t.match(refused.json.errors, [{ path: /^\/body/, message: String }])
    t.equal((await service.post('/api/auth/login', { email: person.email, password: person.password })).status, 401, 'no account was made')
  })
}

await t.test('A2 no answer repeats the password', async (t) => {
  const person = newPerson()
  const secrets = { short: 'Zq9#x7', wrongType: 'Zq9#wrong-type', long: 'Zq9#long'.repeat(600), known: person.email }
  const answers = [
    await service.post(path, { ...person, password: secrets.short }),
    await service.post(path, { ...person, password: { [secrets.wrongType]: secrets.wrongType } }),
    await service.post(path, { ...person, password: secrets.long }),
    await service.post(path, { ...person, email: 'no-address', password: secrets.wrongType }),
    await service.post(path, { ...person, password: secrets.wrongType, role: 'admin' }),
    await service.post(path, person)
  ]
  t.equal(answers.at(-1)?.status, 201)
  answers.push(await service.get('/api/auth/profile', { token: answers.at(-1)?.json.accessToken }))
  for (const { status, text, headers } of answers) {
    const all = `${JSON.stringify(headers)} ${text}`
    t.notMatch(all, /Zq9#|\$2[aby]\$|hash/i, `${status}`)
    t.notOk(all.includes(person.password), `${status}`)
  }
})

await t.test('a text that is no e-mail address is refused by the name of the field', async (t) => {
  for (const email of ['', 'ada', 'ada@', '@example.com', 'ada@localhost', 'ada@example.', 'a da@example.com', 'ada@exa mple.com', 'ada@@example.com', 'ada@example.com,eve@example.com', 'ada@example.com\u0000', '<ada@example.com>', `${'a'.repeat(65)}@example.com`]) {
    const refused = await service.post(path, { ...newPerson(), email })
    expectProblem(t, refused, 400, 'validation_failed', { what: JSON.stringify(email) })
    t.match(refused.json.errors, [{ path: '/body/email' }], JSON.stringify(email))
  }
})

await t.test('a username has 3 to 32 of the named characters', async (t) => {
  const name = newPerson().username
  for (const username of ['ab', 'a'.repeat(33), `${name} `, `${name}/`, `${name}@x`, `${name}é`, `${name}\n`, '']) {
    const refused = await service.post(path, { ...newPerson(), username })
    expectProblem(t, refused, 400, 'validation_failed', { what: JSON.stringify(username) })
    t.match(refused.json.errors, [{ path: '/body/username' }], JSON.stringify(username))
  }
  for (const username of [name.slice(-3), `${name}.A_9-`.padEnd(32, 'x')]) {
    t.equal((await register(service, { ...newPerson(), username })).answer.json.user.username, username, 'kept as it was written')
  }
})

await t.test('A9 A10 a name that is taken is taken in every spelling, and the refusal says which and nothing of its owner', async (t) => {
  const { person, userId } = await register(service, { ...newPerson(), email: `${newPerson().username}@Bücher.${emailMark}` })
  const taken = { email: person.email.toUpperCase(), ascii: person.email.replace('Bücher', 'xn--bcher-kva'), wide: person.email.replace('@', '＠') }
  for (const [what, email] of Object.entries(taken)) {
    const refused = await service.post(path, { ...newPerson(), email })
    expectProblem(t, refused, 409, 'email_taken', { what })
    t.notOk([userId, person.username].some((known) => refused.text.includes(known)), what)
  }
  const refused = await service.post(path, { ...newPerson(), username: person.username.toUpperCase() })
  expectProblem(t, refused, 409, 'username_taken')
  t.notOk([userId, person.email].some((known) => refused.text.includes(known)))
  t.equal((await login(service, { ...person, email: taken.ascii })).userId, userId, 'every spelling signs in to the one account')
})

/** Twenty at once who want one address or one username, in two spellings: exactly one becomes the account. */
async function race (t: Test, services: Service[]): Promise<void> {
  await Promise.all(services.flatMap((service) => [1, 2, 3, 4].map(() => register(service)))) // every hashing thread has started
  for (const field of ['email', 'username'] as const) {
    const person = newPerson()
    const [name, domain] = person.email.split('@') as [string, string]
    const spellings = field === 'email' ? [`${name.toUpperCase()}@${domain}`, `${name}@${domain.toUpperCase()}`] : [person.username.toUpperCase(), person.username]
    const answers = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const rival = { ...newPerson(), [field]: spellings[i % 2], password: person.password }
      return await patiently(() => (services[i % services.length] as Service).post(path, rival))
    }))
    t.strictSame(answers.map(({ status }) => status).sort(), [201, ...Array<number>(19).fill(409)], field)
    for (const answer of answers.filter(({ status }) => status === 409)) t.equal(answer.json.code, `${field}_taken`)
    for (const service of services) {
      for (const spelling of spellings) t.equal((await service.post('/api/auth/login', { [field]: spelling, password: person.password })).status, 200, 'either spelling signs in')
    }
  }
}

await t.test('A9 twenty at once get one account', async (t) => { await race(t, [service]) })

await t.test('A9 twenty at once get one account, over two instances', { skip: realEngines ? false : 'needs two instances' }, async (t) => {
  await race(t, await startPair(t, { env: unlimited }))
})
