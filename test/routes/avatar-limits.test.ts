// The door of uploads and bodies that are too large, too slow or too many (REQUIREMENTS H3, H8): what is refused is not read
// to its end, the client hears why, and the connection ends.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { register } from '../helper/people.ts'
import { avatarPath, boundary, multipart, pictureOf, pngChunk, smallPng, upload, uploadCall } from '../helper/pictures.ts'
import { startService, until } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'
import { answerOf, dial } from '../plugins/raw-http.ts'

const mebibyte = 1024 * 1024
const service = await startService(t, { env: { LOGIN_LIMIT_PER_ADDRESS: '0' } })
const good = await pictureOf('png')

/** The service's ends of its connections, by the port of the client's. */
const ends = new Map<number | undefined, Socket>()
service.app.server.on('connection', (socket: Socket) => { ends.set(socket.remotePort, socket) })

const head = (token: string, framing: string): string => [
  `POST ${avatarPath} HTTP/1.1`, 'Host: x', ...(token === '' ? [] : [`Authorization: Bearer ${token}`]),
  `Content-Type: multipart/form-data; boundary=${boundary}`, framing, '', ''
].join('\r\n')
const begin = `--${boundary}\r\ncontent-disposition: form-data; name="avatar"; filename="x"\r\n\r\n`
const chunk = (bytes: Buffer | string): Buffer => Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), Buffer.from(bytes), Buffer.from('\r\n')])

/** A lawful PNG of exactly so many bytes. */
const pngOfSize = (bytes: number): Buffer => smallPng([pngChunk('abCd', Buffer.alloc(bytes - smallPng().length - 12))])

/** Sends a body for as long as the service takes it. */
async function pour (t: Test, start: string | Buffer, piece: Buffer) {
  const socket = dial(service)
  socket.write(start)
  await once(socket, 'connect')
  const { localPort } = socket
  const pouring = setInterval(() => { while (socket.writable && socket.writableLength < mebibyte) socket.write(piece) }, 5)
  const answer = await answerOf(socket, 8000).finally(() => { clearInterval(pouring) })
  const end = ends.get(localPort) as Socket
  await until(() => end.destroyed, 'the service\'s end of the connection is gone')
  t.ok(answer.closed, 'the connection ends')
  return { answer, taken: end.bytesRead }
}

async function tokens (count: number): Promise<string[]> {
  const all: string[] = []
  while (all.length < count) all.push((await register(service)).accessToken)
  return all
}

await t.test('H3 a file of 2 MiB is taken, of one byte more is not', async (t) => {
  const { accessToken } = await register(service)
  t.equal((await upload(service, accessToken, pngOfSize(2 * mebibyte))).status, 201)
  expectProblem(t, await upload(service, accessToken, pngOfSize(2 * mebibyte + 1)), 413, 'payload_too_large')
  t.equal((await upload(service, accessToken, good)).status, 201)
})

await t.test('H3 a body that says it is too large is refused unread, though it comes', async (t) => {
  const { accessToken } = await register(service)
  const { answer, taken } = await pour(t, head(accessToken, `Content-Length: ${500 * mebibyte}`) + begin, Buffer.alloc(65_536))
  expectProblem(t, answer, 413, 'payload_too_large')
  t.equal(answer.headers['connection'], 'close')
  t.ok(taken < 512 * 1024, `${taken} bytes were taken`)
  expectProblem(t, await upload(service, accessToken, Buffer.alloc(8 * mebibyte)), 413, 'payload_too_large', { what: 'a client that sends everything before it listens' })
})

await t.test('H3 a body that does not say how large it is is refused as soon as it is too large', async (t) => {
  const bodies: Record<string, [Buffer, Buffer]> = {
    'in the file': [Buffer.from(begin), chunk(Buffer.alloc(65_536))],
    'before the first part': [Buffer.from('x'), chunk(Buffer.alloc(65_536))],
    'in the headers of the part': [Buffer.from(begin.slice(0, -4)), chunk(Buffer.from('\r\nx: y'.repeat(1000)))],
    'behind the last boundary': [multipart([{ filename: 'x', content: good }]), chunk(Buffer.alloc(65_536))]
  }
  await Promise.all(Object.entries(bodies).map(async ([where, [start, piece]]) => {
    const { accessToken } = await register(service)
    const { answer, taken } = await pour(t, Buffer.concat([Buffer.from(head(accessToken, 'Transfer-Encoding: chunked')), chunk(start)]), piece)
    expectProblem(t, answer, 413, 'payload_too_large', { what: where })
    t.ok(taken > 2 * mebibyte && taken < 3 * mebibyte, `${where}: ${taken} bytes were taken`)
    t.equal((await upload(service, accessToken, good)).status, 201, `${where}: the next one works`)
  }))
})

await t.test('H8 the upload of nobody, of another site or of another type is refused unread', async (t) => {
  const { accessToken } = await register(service)
  const length = `Content-Length: ${100 * mebibyte}`
  const piece = Buffer.alloc(65_536)
  const [nobody, elsewhere, json] = await Promise.all([
    pour(t, head('', length), piece),
    pour(t, head('', `${length}\r\nCookie: accessToken=${accessToken}\r\nSec-Fetch-Site: cross-site`), piece),
    pour(t, head(accessToken, length).replace('multipart/form-data', 'application/json'), piece)
  ])
  expectProblem(t, nobody.answer, 401, 'token_missing')
  expectProblem(t, elsewhere.answer, 403, 'csrf_rejected')
  expectProblem(t, json.answer, 415, 'unsupported_media_type')
  for (const { taken } of [nobody, elsewhere, json]) t.ok(taken < 512 * 1024, `${taken} bytes were taken`)
})

await t.test('H9 a body of many parts is left at the second one', async (t) => {
  const { accessToken } = await register(service)
  const part = Buffer.from(`${begin}x\r\n`)
  const { answer, taken } = await pour(t, head(accessToken, 'Transfer-Encoding: chunked'), chunk(Buffer.concat(Array.from({ length: 1000 }, () => part))))
  expectProblem(t, answer, 400, 'validation_failed')
  t.ok(taken < mebibyte, `${taken} bytes were taken`)
})

await t.test('an upload that was taken leaves the connection open, also when it came in chunks', async (t) => {
  const { accessToken } = await register(service)
  const body = multipart([{ filename: 'x', content: good }])
  for (const bytes of [Buffer.concat([Buffer.from(head(accessToken, `Content-Length: ${body.length}`)), body]), Buffer.concat([Buffer.from(head(accessToken, 'Transfer-Encoding: chunked')), chunk(body), Buffer.from('0\r\n\r\n')])]) {
    const socket = dial(service)
    socket.write(bytes)
    const answer = await answerOf(socket, 500)
    t.equal(answer.status, 201)
    t.notOk(answer.closed)
  }
})

await t.test('an upload that breaks off keeps nothing, blocks nobody and is no error of ours', async (t) => {
  const { accessToken, userId } = await register(service)
  const lines = service.logs.length
  for (const framing of ['Content-Length: 100000', 'Transfer-Encoding: chunked']) {
    for (const how of ['destroy', 'resetAndDestroy'] as const) {
      const socket = dial(service)
      socket.write(head(accessToken, framing) + (framing.startsWith('T') ? chunk(begin).toString('latin1') : begin))
      await until(() => (ends.get(socket.localPort)?.bytesRead ?? 0) > 200, 'it has begun')
      socket[how]()
      await until(async () => (await upload(service, accessToken, good)).status === 201, 'the user\'s place is free again')
    }
  }
  t.equal(await service.db.collection('avatars').countDocuments({ userId }), 1)
  t.strictSame(service.logs.slice(lines).filter(({ level, code }) => Number(level) >= 40 && code !== 'unavailable'), [])
})

await t.test('a user has one upload at a time and a process thirty-two: more are put off', async (t) => {
  const users = await tokens(33)
  const sockets = users.slice(0, 32).map((token) => {
    const socket = dial(service)
    socket.write(head(token, 'Content-Length: 100000') + begin)
    return socket
  })
  await until(() => sockets.every(({ localPort }) => (ends.get(localPort)?.bytesRead ?? 0) > 200), 'they have begun')
  const [first = '', last = ''] = [users[0], users[32]]
  for (const token of [first, last]) {
    const answer = await upload(service, token, good)
    expectProblem(t, answer, 503, 'unavailable')
    t.equal(answer.headers['retry-after'], '1')
  }
  sockets[0]?.destroy()
  await until(async () => (await upload(service, last, good)).status === 201, 'a place is free again')
  expectProblem(t, await service.call(avatarPath, uploadCall([{ filename: 'x', content: good }], users[1] as string)), 503, 'unavailable', { what: 'whose own upload still runs' })
  for (const socket of sockets) socket.destroy()
  await until(async () => (await upload(service, first, good)).status === 201, 'all places are free again')
})

await t.test('large uploads side by side take memory by their number, and it comes back', async (t) => {
  const users = await tokens(8)
  const file = await sharp({ create: { width: 4096, height: 4096, channels: 3, background: '#123' } }).jpeg({ progressive: true }).toBuffer()
  const rounds = async (count: number): Promise<number> => {
    for (let i = 0; i < count; i++) for (const { status } of await Promise.all(users.map((token) => upload(service, token, file)))) t.equal(status, 201)
    return process.memoryUsage().rss / mebibyte
  }
  const once = await rounds(1)
  const often = await rounds(2)
  t.ok(often - once < 100, `${Math.round(once)} MB after one round, ${Math.round(often)} MB after three`)
})
