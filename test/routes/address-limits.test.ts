// What counts as one address, how many registrations it may make, and the general limit on requests (REQUIREMENTS A10,
// B7; DESIGN 6). X-Forwarded-For is believed only where TRUST_PROXY says so.
import t from 'tap'
import { login, newPerson, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

await t.test('A10 an address may register a fifth of its guesses in an hour, taken names included', async (t) => {
  const service = await startService(t, { env: { LOGIN_LIMIT_PER_ADDRESS: '15' } })
  const { person } = await register(service)
  const tryRegister = async (headers = {}) => await service.post('/api/auth/register', newPerson(), { headers })
  t.equal((await service.post('/api/auth/register', { ...newPerson(), email: person.email })).status, 409)
  t.equal((await tryRegister()).status, 201)
  const refused = await tryRegister()
  expectProblem(t, refused, 429, 'rate_limited')
  const seconds = Number(refused.headers['retry-after'])
  t.ok(seconds > 3500 && seconds <= 3600, `${seconds} s`)
  expectProblem(t, await tryRegister({ 'x-forwarded-for': '198.51.100.9' }), 429, 'rate_limited', { what: 'with a header of its own' })
  t.equal((await login(service, person)).answer.status, 200, 'signing in is not concerned')
  t.equal((await service.post('/api/auth/register', newPerson(), { from: '127.0.0.3' })).status, 201, 'nor is another address')
  service.clock.advance(seconds * 1000)
  t.equal((await tryRegister()).status, 201)
})

await t.test('B7 TRUST_PROXY: behind a proxy that is named, the address is the client\'s, and an IPv6 /64 is one address', async (t) => {
  const service = await startService(t, { env: { TRUST_PROXY: 'loopback', LOGIN_LIMIT_PER_ADDRESS: '2' } })
  const guessFrom = async (address: string) => await service.post('/api/auth/login', { email: newPerson().email, password: 'wrong' }, { headers: { 'x-forwarded-for': address } })
  const groups = {
    'an IPv4 address': ['198.51.100.1', '198.51.100.1', '198.51.100.1'],
    'an IPv4 address written as IPv6': ['198.51.100.2', '::ffff:198.51.100.2', '::ffff:c633:6402'],
    'an IPv6 network': ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', '2001:0db8:0000:0001:0:0:0:3'],
    'a forged address in front': ['198.51.100.3', '203.0.113.1, 198.51.100.3', '203.0.113.2, 198.51.100.3']
  }
  for (const [what, [first, second, third]] of Object.entries(groups) as [string, [string, string, string]][]) {
    for (const address of [first, second]) t.equal((await guessFrom(address)).status, 401, what)
    expectProblem(t, await guessFrom(third), 429, 'rate_limited', { what })
  }
  t.equal((await guessFrom('2001:db8:0:2::1')).status, 401, 'the next network is another address')
  t.equal((await guessFrom('198.51.100.4')).status, 401)
})

await t.test('REQUEST_LIMIT_PER_MINUTE limits the requests of an address, whatever they ask for', async (t) => {
  const service = await startService(t, { env: { REQUEST_LIMIT_PER_MINUTE: '6' } })
  const { accessToken } = await register(service)
  const doors = ['/livez', '/api/protected', '/profile', '/api/auth/profile']
  for (const door of doors) t.equal((await service.get(door, { token: accessToken })).status, 200, door)
  t.equal((await service.post('/api/auth/login', {})).status, 400)
  for (const door of [...doors, '/readyz']) {
    const refused = await service.get(door, { token: accessToken, headers: { 'x-forwarded-for': '198.51.100.7' } })
    expectProblem(t, refused, 429, 'rate_limited', { what: door })
    t.ok(Number(refused.headers['retry-after']) <= 60)
  }
  expectProblem(t, await service.post('/api/auth/register', newPerson()), 429, 'rate_limited')
  t.equal((await service.get('/api/protected', { token: accessToken, from: '127.0.0.3' })).status, 200, 'another address is not concerned')
})

await t.test('REQUEST_LIMIT_PER_MINUTE counts what leads nowhere too', async (t) => {
  const service = await startService(t, { env: { REQUEST_LIMIT_PER_MINUTE: '3' } })
  t.equal((await service.get('/nothing')).status, 404)
  t.equal((await service.call('/livez', { method: 'DELETE' })).status, 405)
  t.equal((await service.post('/nothing', {})).status, 404)
  for (const path of ['/nothing', '/livez']) expectProblem(t, await service.get(path), 429, 'rate_limited', { what: path })
})

await t.test('without it the requests of an address are not counted', async (t) => {
  const service = await startService(t)
  for (let i = 0; i < 200; i++) t.equal((await service.get('/livez')).status, 200)
})
