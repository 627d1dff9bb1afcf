// How many guesses are let through: per account and address, per account, per address. No header keys the limit away, and
// nobody locks the owner out who sits elsewhere (REQUIREMENTS B5, B7, B8). Addresses are those of this machine, 127.0.0.x.
import t from 'tap'
import type { Answer } from '../helper/http.ts'
import { newPerson, register, type Person } from '../helper/people.ts'
import { startService, type Service } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const path = '/api/auth/login'

interface Attempt { from?: string, headers?: Record<string, string> }

const guess = async (service: Service, { email, password }: Person, attempt: Attempt = {}): Promise<Answer> => await service.post(path, { email, password: `${password}?` }, attempt)
const enter = async (service: Service, { email, password }: Person, attempt: Attempt = {}): Promise<Answer> => await service.post(path, { email, password }, attempt)

/** Guesses until the limit is used up, and not once more. */
async function exhaust (service: Service, person: Person, times: number, attempt: Attempt = {}): Promise<number[]> {
  const statuses: number[] = []
  for (let i = 0; i < times; i++) statuses.push((await guess(service, person, attempt)).status)
  return statuses
}

const limit = 3
const window = 5 * 60_000
const service = await startService(t, { env: { LOGIN_LIMIT_PER_ACCOUNT: String(limit), LOGIN_LIMIT_PER_ADDRESS: '1000' } })
const all401 = Array<number>(limit).fill(401)

await t.test('B5 after the limit even the right password waits, and Retry-After says how long', async (t) => {
  const { person } = await register(service)
  t.strictSame(await exhaust(service, person, limit), all401)
  for (const refused of [await guess(service, person), await enter(service, person)]) {
    expectProblem(t, refused, 429, 'rate_limited')
    const seconds = Number(refused.headers['retry-after'])
    t.ok(seconds > 0 && seconds <= window / 1000, `${seconds} s`)
  }
  t.equal((await enter(service, (await register(service)).person)).status, 200, 'another account is not concerned')
})

await t.test('B5 the window ends when Retry-After said so', async (t) => {
  const { person } = await register(service)
  await exhaust(service, person, limit)
  const seconds = Number((await guess(service, person)).headers['retry-after'])
  service.clock.advance((seconds - 20) * 1000)
  t.equal((await enter(service, person)).status, 429, 'not before')
  service.clock.advance(20_000)
  t.equal((await enter(service, person)).status, 200)
  t.strictSame(await exhaust(service, person, limit + 1), [...all401, 429], 'and the next window counts anew')
})

await t.test('a login that succeeds costs nothing', async (t) => {
  const { person } = await register(service)
  for (let i = 0; i < limit + 2; i++) t.equal((await enter(service, person)).status, 200)
  t.strictSame(await exhaust(service, person, limit + 1), [...all401, 429])
})

await t.test('one name is one limit, however it is written', async (t) => {
  const { person } = await register(service)
  for (const name of ['email', 'username'] as const) {
    for (const text of [person[name], person[name].toUpperCase(), person[name]].slice(0, limit)) t.equal((await service.post(path, { [name]: text, password: 'wrong' })).status, 401)
    for (const text of [person[name], person[name].toUpperCase()]) expectProblem(t, await service.post(path, { [name]: text, password: 'wrong' }), 429, 'rate_limited', { what: name })
  }
})

await t.test('the limit does not tell who exists, nor that an address and a username are of one account', async (t) => {
  const { person } = await register(service)
  const wrong = async (who: object): Promise<number> => (await service.post(path, { ...who, password: 'wrong' })).status
  const stranger = newPerson()
  for (const { email, username } of [person, stranger]) {
    // each name sent as the other kind first: a count that were kept by account would differ for the one who exists
    for (let i = 0; i < limit; i++) for (const who of [{ username: email }, { email: username }]) t.equal(await wrong(who), 401)
    t.equal(await wrong({ username: email }), 429)
    t.equal(await wrong({ email }), 401)
    t.equal(await wrong({ username }), 401)
  }
})

await t.test('an account that does not exist is limited alike', async (t) => {
  t.strictSame(await exhaust(service, newPerson(), limit + 1), [...all401, 429])
  const nobody = { ...newPerson(), email: 'no address at all' }
  t.strictSame(await exhaust(service, nobody, limit + 1), [...all401, 429])
})

await t.test('B7 no header of the client keys the limit away', async (t) => {
  const { person } = await register(service)
  await exhaust(service, person, limit)
  for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'client-ip', 'true-client-ip', 'cf-connecting-ip', 'x-client-ip', 'x-originating-ip', 'user-agent', 'origin-agent', 'via', 'x-forwarded-host']) {
    const value = name === 'forwarded' ? 'for=198.51.100.7' : '198.51.100.7'
    expectProblem(t, await guess(service, person, { headers: { [name]: value } }), 429, 'rate_limited', { what: name })
  }
  expectProblem(t, await guess(service, person, { headers: { 'x-access-token': 'x' } }), 429, 'rate_limited', { what: 'a token' })
  expectProblem(t, await service.post('/login', { email: person.email, password: 'wrong' }), 429, 'rate_limited', { what: 'the other address of the door' })
  expectProblem(t, await service.post(`${path}?x=1`, { email: person.email, password: 'wrong' }), 429, 'rate_limited', { what: 'a query' })
})

await t.test('B8 a stranger who has used up his guesses does not lock the owner out elsewhere', async (t) => {
  const { person } = await register(service)
  const stranger = { from: '127.0.0.2' }
  const statuses = await exhaust(service, person, limit * 12, stranger)
  t.strictSame(statuses, [...all401, ...Array<number>(limit * 11).fill(429)])
  t.equal((await enter(service, person, stranger)).status, 429)
  t.equal((await enter(service, person, { from: '127.0.0.3' })).status, 200)
})

await t.test('guesses from many addresses are limited at ten times as many, and only for the window', async (t) => {
  const service = await startService(t, { env: { LOGIN_LIMIT_PER_ACCOUNT: '1', LOGIN_LIMIT_PER_ADDRESS: '1000' } })
  const { person } = await register(service)
  for (let i = 2; i <= 11; i++) t.equal((await guess(service, person, { from: `127.0.0.${i}` })).status, 401)
  expectProblem(t, await guess(service, person, { from: '127.0.0.12' }), 429, 'rate_limited')
  t.equal((await enter(service, (await register(service)).person, { from: '127.0.0.12' })).status, 200, 'another account is not concerned')
  service.clock.advance(window)
  t.equal((await enter(service, person, { from: '127.0.0.12' })).status, 200)
})

await t.test('B5 guesses of one address are limited over all accounts', async (t) => {
  const service = await startService(t, { env: { LOGIN_LIMIT_PER_ADDRESS: '5' } })
  const { person } = await register(service)
  for (let i = 0; i < 5; i++) t.equal((await guess(service, newPerson(), { from: '127.0.0.4' })).status, 401)
  expectProblem(t, await guess(service, newPerson(), { from: '127.0.0.4' }), 429, 'rate_limited')
  expectProblem(t, await enter(service, person, { from: '127.0.0.4' }), 429, 'rate_limited', { what: 'the right password of an untouched account' })
  t.equal((await enter(service, person, { from: '127.0.0.5' })).status, 200)
  service.clock.advance(window)
  t.equal((await enter(service, person, { from: '127.0.0.4' })).status, 200)
})

await t.test('0 switches a limit off', async (t) => {
  const service = await startService(t, { env: { LOGIN_LIMIT_PER_ACCOUNT: '0', LOGIN_LIMIT_PER_ADDRESS: '0' } })
  const { person } = await register(service)
  t.strictSame(await exhaust(service, person, 12), Array<number>(12).fill(401))
})

await t.test('the defaults are ten a pair', async (t) => {
  const service = await startService(t)
  t.strictSame(await exhaust(service, newPerson(), 11), [...Array<number>(10).fill(401), 429])
})
