// The client on a bad line: answers that are lost or come too late, a service that says when to come back, calls that are given
// up while others go on.
import t from 'tap'
import { createLatchkeyClient } from '../../client/index.ts'
import { minutes, problem, refreshes, signedIn } from './client-kit.ts'

const dead = (message = 'the line went dead') => (): never => { throw new TypeError(message) }

await t.test('where no answer comes a call rejects as fetch does, and the session stays', async (t) => {
  const { client, service, network, ends } = await signedIn()
  network.answer(/profile/, dead())
  await t.rejects(client.api.GET('/api/auth/profile'), { name: 'TypeError', message: 'the line went dead' })
  t.equal(network.sent.length, 1, 'a call is not asked for again behind its back')
  service.clock.advance(minutes(16))
  network.answer(/refresh/, dead('1'), dead('2'), dead('3'), dead('4'))
  await t.rejects(client.api.GET('/api/auth/profile'), { message: '4' }, 'the last one, after as many as may be tried')
  t.strictSame(ends, [])
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
})

await t.test('a lost answer of a refresh is asked for at once, while the service still gives the same successor', async (t) => {
  const { client, service, network, ends } = await signedIn()
  service.clock.advance(minutes(16))
  network.answer(/refresh/, async (request) => {
    await fetch(request)
    throw new TypeError('the line went dead')
  })
  const answers = await Promise.all([1, 2, 3].map(() => client.api.GET('/api/auth/profile')))
  t.strictSame(answers.map(({ response }) => response.status), [200, 200, 200])
  t.equal(refreshes(network.sent), 2)
  service.clock.advance(minutes(16))
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200, 'and the successor is a whole one')
  t.strictSame(ends, [])
})

await t.test('a refresh that is never answered is given up after 8 s, inside the grace of the service, and asked for again', async (t) => {
  const { client, service, network } = await signedIn()
  const patience: number[] = []
  t.intercept(AbortSignal, 'timeout', {
    value (ms: number) {
      patience.push(ms)
      const controller = new AbortController()
      setImmediate(() => { controller.abort(new DOMException('too late', 'TimeoutError')) })
      return controller.signal
    }
  })
  service.clock.advance(minutes(16))
  network.answer(/refresh/, async ({ signal }) => await new Promise((_resolve, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }) }), async (request) => await fetch(request.url, { method: 'POST', headers: request.headers, body: await request.text() }))
  t.equal((await client.api.GET('/api/auth/profile')).response.status, 200)
  t.strictSame(patience, [8000, 8000])
})

await t.test('a call that is given up during a shared refresh is given up at once; the refresh and the others go on', async (t) => {
  const { client, service, network } = await signedIn()
  service.clock.advance(minutes(16))
  let open: () => void = () => { /* below */ }
  const gate = new Promise<void>((resolve) => { open = resolve })
  const controller = new AbortController()
  network.answer(/refresh/, async (request) => {
    controller.abort(new Error('the user left'))
    await gate
    return await fetch(request)
  })
  const leaving = client.fetch(`${service.origin}/api/protected`, { signal: controller.signal })
  const staying = client.fetch(`${service.origin}/api/protected`)
  await t.rejects(leaving, { message: 'the user left' }, 'before the refresh is answered')
  open()
  t.equal((await staying).status, 200)
  t.equal(refreshes(network.sent), 1)
})

await t.test('a refresh that fails while nobody waits any more ends nothing and takes no process with it', async (t) => {
  const { client, service, network, ends } = await signedIn({ retries: 0 })
  service.clock.advance(minutes(16))
  const controller = new AbortController()
  let failed: () => void = () => { /* below */ }
  const over = new Promise<void>((resolve) => { failed = resolve })
  network.answer(/refresh/, async () => {
    controller.abort(new Error('the user left'))
    await new Promise((resolve) => { setImmediate(resolve) })
    setImmediate(failed)
    throw new TypeError('the line went dead')
  })
  await t.rejects(client.fetch(`${service.origin}/api/protected`, { signal: controller.signal }), { message: 'the user left' })
  await over
  t.strictSame(ends, [])
  t.equal((await client.fetch(`${service.origin}/api/protected`)).status, 200)
})

await t.test('a call that is given up while it waits for the service is given up', async (t) => {
  const { client, network, service } = await signedIn({ mostWaitSeconds: 30 })
  network.answer(/protected/, problem(503, 'unavailable', { 'retry-after': '20' }))
  const controller = new AbortController()
  const call = client.fetch(`${service.origin}/api/protected`, { signal: controller.signal })
  setImmediate(() => { controller.abort(new Error('the user left')) })
  await t.rejects(call, { message: 'the user left' })
})

await t.test('Retry-After is read in seconds and as a date, which is compared with the clock that wrote it', async (t) => {
  const waited: number[] = []
  t.intercept(globalThis, 'setTimeout', { value: (done: () => void, ms: number) => { waited.push(Math.round(ms / 1000)); setImmediate(done) } })
  const date = (seconds: number): string => new Date(Date.UTC(2031, 0, 1, 0, 0, seconds)).toUTCString()
  const now = new Date(Date.now() + 5000).toUTCString()
  const asked: [Record<string, string>, number][] = [
    [{ 'retry-after': '7' }, 7],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': date(9), date: date(0) }, 9], // its clock is years ahead of ours
    [{ 'retry-after': date(0), date: date(9) }, 0],
    [{ 'retry-after': now }, 5],
    [{ 'retry-after': '86400' }, 30],
    [{ 'retry-after': 'soon' }, 1],
    [{}, 1]
  ]
  for (const [headers, seconds] of asked) {
    const answers = [problem(503, 'unavailable', headers), () => new Response('{}')]
    const client = createLatchkeyClient({ baseUrl: 'https://login.example.com', fetch: async () => (answers.shift() as () => Response)() })
    waited.length = 0
    t.equal((await client.fetch('https://login.example.com/api/protected')).status, 200)
    t.ok(Math.abs((waited[0] as number) - seconds) <= 1, `${JSON.stringify(headers)}: ${String(waited[0])} s`)
  }
})

await t.test('what is answered by something else than the service is no end of the session', async (t) => {
  const { client, service, network, ends } = await signedIn()
  service.clock.advance(minutes(16))
  const gateway = (): Response => new Response('<h1>Sign in to the network</h1>', { status: 401, headers: { 'content-type': 'text/html' } })
  const portal = (body: string) => (): Response => new Response(body, { headers: { 'content-type': 'application/json' } })
  network.answer(/refresh/, gateway, portal('<h1>Welcome</h1>'), portal('{"welcome":true}'))
  t.equal((await client.fetch(`${service.origin}/api/protected`)).status, 401)
  await t.rejects(client.fetch(`${service.origin}/api/protected`), { name: 'SyntaxError' })
  await t.rejects(client.fetch(`${service.origin}/api/protected`), { name: 'TypeError' })
  t.strictSame(ends, [])
  t.equal((await client.fetch(`${service.origin}/api/protected`)).status, 200)
})

await t.test('a HEAD, which is told no code, is refreshed for as well', async (t) => {
  const { client, service, network } = await signedIn()
  service.clock.advance(minutes(16))
  t.equal((await client.fetch(`${service.origin}/api/protected`, { method: 'HEAD' })).status, 200)
  t.equal(refreshes(network.sent), 1)
})
