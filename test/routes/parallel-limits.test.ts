// Guesses that are made at the same time: they are counted before anything is hashed, so none overtakes the limit, and
// what the hashing threads cannot take is told to come again (REQUIREMENTS B6, B11; CVE-2024-4629).
import t, { type Test } from 'tap'
import { realEngines } from '../helper/engines.ts'
import { readMetrics } from '../helper/metrics.ts'
import { login, newPerson, register } from '../helper/people.ts'
import { startPair, startService, until, type Service } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

async function hundredGuesses (services: Service[], body: object): Promise<Record<number, number>> {
  const answers = await Promise.all(Array.from({ length: 100 }, async (_, i) => await (services[i % services.length] as Service).post('/api/auth/login', body)))
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Ten are tried; where Redis is asked, half as many more while this process counts for itself because it did not answer in time. */
function expectTen (t: Test, counts: Record<number, number>): void {
  const tried = counts[401] ?? 0
  t.ok(tried >= 10 && tried <= (realEngines ? 15 : 10), `${tried} are tried`)
  t.equal(tried + (counts[429] ?? 0), 100, 'the rest is told to wait')
}

await t.test('B6 of a hundred guesses at once ten are tried', async (t) => {
  const service = await startService(t)
  const { person } = await register(service)
  expectTen(t, await hundredGuesses([service], { email: person.email, password: 'wrong' }))
})

await t.test('a hundred right passwords at once are no failed login: the owner is let in afterwards', async (t) => {
  const service = await startService(t, { env: { LOGIN_LIMIT_PER_ADDRESS: '1000', SESSIONS_PER_USER: '200' } })
  const { person } = await register(service)
  const counts = await hundredGuesses([service], { email: person.email, password: person.password })
  t.ok((counts[200] ?? 0) >= 10, `${counts[200]} let in`)
  t.equal((counts[200] ?? 0) + (counts[429] ?? 0), 100)
  const afterwards = await service.post('/api/auth/login', { email: person.email, password: person.password })
  t.equal(afterwards.status, 200, 'what was refused was no failed login either')
})

await t.test('B6 of a hundred guesses at once ten are tried, over two instances', { skip: realEngines ? false : 'needs two instances' }, async (t) => {
  const pair = await startPair(t)
  const { person } = await register(pair[0])
  expectTen(t, await hundredGuesses(pair, { email: person.email, password: 'wrong' }))
})

await t.test('what the hashing threads cannot take is told to come again, and is no guess', async (t) => {
  const service = await startService(t, { env: { BCRYPT_CONCURRENCY: '1', BCRYPT_QUEUE: '1' } })
  const { person, accessToken } = await register(service)
  for (const round of ['the first ten', 'ten more']) {
    const answers = await Promise.all(Array.from({ length: 10 }, async () => await service.post('/api/auth/login', { email: person.email, password: person.password })))
    t.strictSame([...new Set(answers.map(({ status }) => status))].sort(), [200, 503], round)
    for (const refused of answers.filter(({ status }) => status === 503)) expectProblem(t, refused, 503, 'unavailable', { what: round })
  }
  t.equal((await service.get('/api/protected', { token: accessToken })).status, 200)
  expectProblem(t, await service.post('/api/auth/login', { email: person.email, password: 'wrong' }), 401, 'invalid_credentials')
  t.equal((await login(service, person)).answer.status, 200)
  t.equal((await register(service, newPerson())).answer.status, 201)
})

await t.test('while the hashing threads are full, who is told to come again has cost no store anything', async (t) => {
  const service = await startService(t, { env: { BCRYPT_CONCURRENCY: '1', BCRYPT_QUEUE: '1', BCRYPT_COST: '13' } })
  const { person } = await register(service)
  const hashes = async (): Promise<number> => (await readMetrics(service)).value('latchkey_password_hashes') ?? 0
  const asked = async (): Promise<Record<string, number>> => {
    const counts = (await readMetrics(service)).by('latchkey_store_seconds_count', 'operation')
    return Object.fromEntries(Object.entries(counts).filter(([operation]) => /^(users|sessions|limits)\b/.test(operation)))
  }
  const both = [1, 2].map(async () => await service.post('/api/auth/login', { email: person.email, password: person.password }))
  await until(async () => await hashes() === 2, 'one is hashed and one waits')
  const before = await asked()
  const answers = await Promise.all(Array.from({ length: 20 }, async (_, i) => i % 2 === 0
    ? await service.post('/api/auth/login', { email: person.email, password: person.password })
    : await service.post('/api/auth/register', newPerson())))
  const after = await asked()
  t.equal(await hashes(), 2, 'they were full all the time')
  for (const refused of answers) expectProblem(t, refused, 503, 'unavailable')
  t.strictSame(after, before)
  t.ok(Object.keys(before).length >= 3, `counted are ${Object.keys(before).join(', ')}`)
  t.strictSame((await Promise.all(both)).map(({ status }) => status), [200, 200])
})

await t.test('an address that fills the hashing threads with right passwords keeps nobody else out', async (t) => {
  const service = await startService(t, { env: { BCRYPT_CONCURRENCY: '1', BCRYPT_QUEUE: '8', BCRYPT_COST: '12', SESSIONS_PER_USER: '200' } })
  const [{ person: greedy }, { person: other }] = [await register(service), await register(service)]
  const signIn = async (person: typeof greedy, from: string) => await service.post('/api/auth/login', { email: person.email, password: person.password }, { from })
  const flood: number[] = []
  const all = Array.from({ length: 10 }, async () => { flood.push((await signIn(greedy, '127.0.0.2')).status) })
  await until(async () => ((await readMetrics(service)).by('latchkey_password_hashes', 'state')['waiting'] ?? 0) >= 8 && flood.includes(503), 'the line is full, and more are refused')
  const before = flood.length
  const [answer, registered] = await Promise.all([signIn(other, '127.0.0.3'), service.post('/api/auth/register', newPerson(), { from: '127.0.0.4' })])
  t.equal(answer.status, 200)
  t.equal(registered.status, 201)
  const served = flood.slice(before).filter((status) => status === 200).length
  t.ok(served <= 4, `${served} of the flood were served meanwhile`)
  await Promise.all(all)
  t.ok(flood.filter((status) => status === 503).length >= 2, `${flood.join(' ')}: who takes the place of whom made way`)
})
