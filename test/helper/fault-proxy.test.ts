// The broken network of the stories breaks as it says: bytes come late, in part or not at all, but never wrong.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts'
import { until } from './service.ts'

interface Client { socket: Socket, text: () => string, error: () => string | undefined }

/** @param serve what the server does with a connection */
async function startBehindProxy (t: Test, serve: (socket: Socket) => void): Promise<FaultProxy> {
  const server = createServer((socket) => {
    socket.on('error', () => { /* it is being mistreated */ })
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  t.teardown(async () => {
    await proxy.close()
    server.close()
  })
  return proxy
}

/** A server that tells what it hears and says it back. */
async function startEcho (t: Test): Promise<{ proxy: FaultProxy, heard: () => string, open: () => Promise<Client> }> {
  let heard = ''
  const proxy = await startBehindProxy(t, (socket) => {
    socket.on('data', (chunk) => {
      heard += chunk.toString()
      socket.write(chunk)
    })
  })
  return { proxy, heard: () => heard, open: () => openAt(t, proxy.port) }
}

async function openAt (t: Test, port: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1')
  const seen: { text: string, error?: string } = { text: '' }
  socket.on('data', (chunk) => { seen.text += chunk.toString() })
  socket.on('error', (error: NodeJS.ErrnoException) => { seen.error = String(error.code) })
  t.teardown(() => { socket.destroy() })
  await Promise.race([once(socket, 'connect'), new Promise((resolve) => { socket.once('close', resolve) })]).catch(() => { /* refused */ })
  return { socket, text: () => seen.text, error: () => seen.error }
}

await t.test('what is late arrives in its order, and the other direction is prompt', async (t) => {
  const { proxy, heard, open } = await startEcho(t)
  const client = await open()
  proxy.set('delay', { ms: 100 })
  const begin = performance.now()
  for (const word of ['one ', 'two ', 'three ']) client.socket.write(word)
  await until(() => heard() === 'one two three ', 'the server has it')
  t.equal(client.text(), '')
  await until(() => client.text() === 'one two three ', 'the client has it')
  t.ok(performance.now() - begin >= 99)
})

for (const [mode, options] of [['mute', {}], ['mute', { dir: 'c2s' }], ['blackhole', {}]] as const) {
  await t.test(`${mode} ${JSON.stringify(options)} holds bytes, keeps the connection, and lets them go when it is over`, async (t) => {
    const { proxy, heard, open } = await startEcho(t)
    const client = await open()
    client.socket.write('before ')
    await until(() => client.text() === 'before ', 'it passes')
    proxy.set(mode, options)
    client.socket.write('held ')
    if (mode === 'mute' && !('dir' in options)) await until(() => heard() === 'before held ', 'the server has it')
    await open() // a round trip later
    t.equal(client.text(), 'before ')
    proxy.set('pass')
    client.socket.write('after')
    await until(() => client.text() === 'before held after', 'all of it, in order')
  })
}

await t.test('an end that happens behind a silent network is told when it speaks again', async (t) => {
  const sockets: Socket[] = []
  const proxy = await startBehindProxy(t, (socket) => { sockets.push(socket) })
  const { socket } = await openAt(t, proxy.port)
  await until(() => sockets.length === 1, 'it is connected')
  proxy.set('blackhole')
  sockets[0]?.destroy()
  await openAt(t, proxy.port)
  t.notOk(socket.closed)
  proxy.set('pass')
  await until(() => socket.closed, 'it is told')
})

await t.test('a cut lets exactly so many bytes through, then each connection is over', async (t) => {
  const { proxy, open } = await startEcho(t)
  const client = await open()
  client.socket.write('before ')
  await until(() => client.text() === 'before ', 'it passes')
  proxy.set('cut', { bytes: 3 })
  client.socket.write('abcdef')
  await until(() => client.socket.closed, 'it is over')
  t.equal(client.text(), 'before abc')
  t.equal(proxy.live(), 0)
})

await t.test('refuse ends new connections and no open one; reset ends all at their next byte; drop at once', async (t) => {
  const { proxy, open } = await startEcho(t)
  const [first, second] = [await open(), await open()]
  await until(() => proxy.live() === 2, 'both are open')
  proxy.set('refuse')
  const refused = await open()
  await until(() => refused.socket.closed, 'it is refused')
  first.socket.write('still here')
  await until(() => first.text() === 'still here', 'open ones go on')
  proxy.set('reset')
  first.socket.write('x')
  await until(() => first.socket.closed, 'it is reset')
  t.equal(first.error(), 'ECONNRESET')
  t.notOk(second.socket.closed)
  proxy.drop()
  await until(() => second.socket.closed, 'it is dropped')
  await until(() => proxy.live() === 0, 'none is left')
})

await t.test('a server that is not there ends the connections that would reach it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => { server.close(resolve) })
  const proxy = await startFaultProxy({ host: '127.0.0.1', port })
  t.teardown(() => proxy.close())
  const { socket } = await openAt(t, proxy.port)
  await until(() => socket.closed, 'it is over')
})

await t.test('a client that does not read stops the server from writing, and gets everything once it reads', async (t) => {
  const whole = 64 * 1024 * 1024
  let sent = 0
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const server = createServer((socket) => {
    const more = (): void => {
      for (let goesOn = true; goesOn && sent < whole;) {
        sent += chunk.length
        goesOn = socket.write(chunk)
      }
      if (sent >= whole) socket.end()
    }
    socket.on('error', () => { /* it is being mistreated */ })
    socket.on('drain', more)
    more()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  t.teardown(async () => {
    await proxy.close()
    server.close()
  })
  const socket = connect(proxy.port, '127.0.0.1').pause()
  t.teardown(() => { socket.destroy() })
  let before = -1
  await until(async () => {
    const isStill = before === sent
    before = sent
    for (let n = 0; n < 20; n++) await new Promise((resolve) => { setImmediate(resolve) })
    return isStill && sent > 0
  }, 'it has stopped')
  t.ok(sent < whole / 2, `after ${sent} bytes`)
  let read = 0
  socket.on('data', (bytes) => { read += bytes.length }).resume()
  await until(() => read === whole, 'all has arrived')
})
