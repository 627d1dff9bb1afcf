// Door `register`: which passwords are taken (REQUIREMENTS A3 to A8). Whatever is taken counts to its last byte, and
// whatever is refused is refused before it is hashed, with the code of its one cause.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { passwordMark } from '../helper/evidence.ts'
import type { Flood } from '../helper/flood-worker.ts'
import type { Answer } from '../helper/http.ts'
import { newPerson, register, type Person } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectSoon } from '../helper/timing.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const unlimited = { LOGIN_LIMIT_PER_ADDRESS: '0', LOGIN_LIMIT_PER_ACCOUNT: '0' }
const service = await startService(t, { env: unlimited })

const tryRegister = async (password: unknown, person = newPerson()): Promise<Answer> => await service.post('/api/auth/register', { ...person, password })
const tryLogin = async ({ email }: Person, password: string): Promise<Answer> => await service.post('/api/auth/login', { email, password })

/** Registers with a password and shows that it alone signs in. */
async function expectExact (t: Test, password: string, others: Record<string, string>): Promise<void> {
  const { person } = await register(service, { ...newPerson(), password })
  t.equal((await tryLogin(person, password)).status, 200, 'the password itself signs in')
  for (const [what, other] of Object.entries(others)) {
    t.not(other, password)
    expectProblem(t, await tryLogin(person, other), 401, 'invalid_credentials', { what })
  }
}

await t.test('A3 the least length is 8 and counts characters, not bytes', async (t) => {
  expectProblem(t, await tryRegister('k7#qTz!'), 400, 'password_too_short')
  expectProblem(t, await tryRegister('🦩🐙🦔🪵🧩🪐🫧'), 400, 'password_too_short', { what: 'seven characters of four bytes' })
  expectProblem(t, await tryRegister(''), 400, 'password_too_short', { what: 'none' })
  t.equal((await tryRegister('k7#qTz!w')).status, 201)
  t.equal((await tryRegister('🦩🐙🦔🪵🧩🪐🫧🦭')).status, 201, 'eight characters of four bytes')
})

await t.test('A3 PASSWORD_MIN_LENGTH sets the least length, here and at a change, and the refusal names it', async (t) => {
  const strict = await startService(t, { env: { PASSWORD_MIN_LENGTH: '12' } })
  const refused = await strict.post('/api/auth/register', { ...newPerson(), password: 'k7#qTz!wk7#' })
  expectProblem(t, refused, 400, 'password_too_short')
  t.match(refused.json.detail, /\b12\b/)
  t.equal((await strict.post('/api/auth/register', { ...newPerson(), password: 'k7#qTz!wk7#q' })).status, 201)
  const { person, accessToken: token } = await register(strict)
  const change = async (newPassword: string) => await strict.call('/api/auth/profile/password', { method: 'PUT', token, body: { currentPassword: person.password, newPassword } })
  for (const short of ['k7#qTz!wk7#', '🦩🐙🦔🪵🧩🪐🫧🦩🐙🦔🪵']) expectProblem(t, await change(short), 400, 'password_too_short', { what: 'eleven characters' })
  t.equal((await change('k7#qTz!wk7#q')).status, 200)
})

await t.test('A4 64 characters are taken and each of them counts', async (t) => {
  const password = `${passwordMark}${newPerson().username}`.padEnd(64, 'k7#qTz!w')
  await expectExact(t, password, { 'one less': password.slice(0, 63), 'another end': `${password.slice(0, 63)}?`, 'one more': `${password}?` })
})

await t.test('A5 72 bytes are taken and the last of them counts', async (t) => {
  const password = `${passwordMark}${newPerson().username}`.padEnd(72, 'z')
  await expectExact(t, password, { 'one less': password.slice(0, 71), 'another end': `${password.slice(0, 71)}y`, 'the same 72 and more': `${password}X` })
})

await t.test('A5 more than 72 bytes are refused, never cut', async (t) => {
  expectProblem(t, await tryRegister(`${'a'.repeat(72)}X`), 400, 'password_too_long', { what: '73 bytes' })
  expectProblem(t, await tryRegister('ж'.repeat(37)), 400, 'password_too_long', { what: '37 characters of two bytes' })
  expectProblem(t, await tryRegister('🦩'.repeat(19)), 400, 'password_too_long', { what: '19 characters of four bytes' })
})

await t.test('A5 a NUL does not end a password: it is refused', async (t) => {
  expectProblem(t, await tryRegister('abcdefgh12\u0000one'), 400, 'validation_failed')
  await expectExact(t, 'qzhkvbtm12', { 'the same and a NUL behind it': 'qzhkvbtm12\u0000two' })
})

for (const [what, password, others] of [
  ['spaces between words', 'correct horse battery', { 'without spaces': 'correcthorsebattery' }],
  ['another alphabet', 'ж'.repeat(20), { 'in capitals': 'Ж'.repeat(20) }],
  ['spaces around it', ' lead and trail ', { trimmed: 'lead and trail' }],
  ['one kind of character', 'kwzzvrtq', { 'in capitals': 'KWZZVRTQ' }],
  ['digits only', '8203175496', { 'another digit': '8203175497' }]
] as const) {
  await t.test(`A6 no rule of composition: ${what}`, async (t) => { await expectExact(t, password, others) })
}

await t.test('it does not matter how a keyboard composes a letter', async (t) => {
  const { person } = await register(service, { ...newPerson(), password: 'cr\u00e8me br\u00fbl\u00e9e' })
  t.equal((await tryLogin(person, 'cre\u0300me bru\u0302le\u0301e')).status, 200)
})

await t.test('A7 common passwords and what is known of the account are refused with the reason', async (t) => {
  const person = { ...newPerson(), fullName: 'Augusta Lovelace' }
  const guesses = [
    'password123', 'qwertyuiop', '12345678', 'PASSWORD123', 'Password1',
    person.email, person.email.toUpperCase(), person.email.split('@')[0] as string, person.username, `${person.username}!`,
    'Augusta Lovelace', 'augusta lovelace-2024!', 'latchkey', 'Latchkey2026!'
  ]
  for (const guess of guesses) expectProblem(t, await tryRegister(guess, person), 400, 'password_common', { what: guess })
})

await t.test('A8 an absurd length is refused before it is hashed', async (t) => {
  const { person, accessToken: token } = await register(service)
  const change = async (body: object): Promise<Answer> => await service.call('/api/auth/profile/password', { method: 'PUT', token, body })
  const doors = [
    { door: 'register', send: async (password: string) => await tryRegister(password) },
    { door: 'login', send: async (password: string) => await tryLogin(person, password) },
    { door: 'change, as the current one', send: async (password: string) => await change({ currentPassword: password, newPassword: newPerson().password }) },
    { door: 'change, as the new one', send: async (password: string) => await change({ currentPassword: person.password, newPassword: password }) }
  ]
  for (const { door, send } of doors) {
    const tries = [await send('a'.repeat(100_000)), await send('a'.repeat(100_000)), await send('a'.repeat(100_000))]
    for (const answer of tries) expectProblem(t, answer, 413, 'payload_too_large', { what: door })
    t.ok(Math.min(...tries.map(({ ms }) => ms)) < 50, `${door}: in less than 50 ms`)
    expectProblem(t, await send('a'.repeat(5000)), 400, 'validation_failed', { what: `${door}, 5 KB` })
  }
})

await t.test('A8 a hundred absurd ones at a time do not slow others', async (t) => {
  const { person, accessToken: token } = await register(service)
  const password = 'a'.repeat(100_000)
  const made = (path: string, body: object) => ({ path, method: 'POST', raw: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  const both = [made('/api/auth/register', { ...newPerson(), password }), made('/api/auth/login', { email: person.email, password })] as const
  const flood: Flood = { origin: service.origin, calls: Array.from({ length: 100 }, (_, i) => both[i % 2 === 0 ? 0 : 1]) }
  const worker = new Worker(new URL('../helper/flood-worker.ts', import.meta.url))
  t.teardown(async () => { await worker.terminate() })
  const answersTo = async (calls: Flood): Promise<number[]> => {
    worker.postMessage(calls)
    return (await once(worker, 'message') as [number[]])[0]
  }
  t.strictSame(await answersTo({ ...flood, calls: [] }), [], 'it is there')
  await expectSoon(t, 'a profile beside a hundred of 100 KB', 200, async () => {
    const flooding = { isOver: false }
    const done = answersTo(flood).finally(() => { flooding.isOver = true })
    const times: number[] = []
    while (!flooding.isOver || times.length < 100) times.push((await service.get('/api/auth/profile', { token })).ms)
    for (const status of await done) t.ok(status === 413 || status === 400, String(status))
    return times
  })
})
