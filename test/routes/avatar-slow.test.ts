// Clients that stall (issue 4; REQUIREMENTS F-N3): an upload that stops coming is answered 408, a reader that takes nothing of
// a picture is cut off, and neither takes much memory or anybody else's time. Both at once, so that this waits once.
import type { Socket } from 'node:net'
import t from 'tap'
import { register } from '../helper/people.ts'
import { avatarPath, boundary, noise, pictureOf, upload } from '../helper/pictures.ts'
import { startService, until } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'
import { answerOf, dial } from '../plugins/raw-http.ts'

const service = await startService(t)
const ends = new Map<number | undefined, Socket>()
service.app.server.on('connection', (socket: Socket) => { ends.set(socket.remotePort, socket) })

const stalled = (token: string, framing: string): string => [
  `POST ${avatarPath} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${token}`, `Content-Type: multipart/form-data; boundary=${boundary}`, framing, '',
  ...(framing.startsWith('T') ? ['5', '--a-l', ''] : [`--${boundary}`, 'content-disp'])
].join('\r\n')

await t.test('uploads that stall get a 408, readers that stall are cut off, and the others are served as ever', async (t) => {
  const { accessToken } = await register(service)
  const { json: { avatarUrl } } = await upload(service, accessToken, await noise(512, 512, 4).png().toBuffer())
  t.ok((await service.get(avatarUrl)).bytes.length > 900_000)
  const before = process.memoryUsage().rss

  const uploads = await Promise.all(['Content-Length: 5000', 'Transfer-Encoding: chunked'].map(async (framing) => {
    const user = await register(service)
    const socket = dial(service)
    socket.write(stalled(user.accessToken, framing))
    return { user, answer: answerOf(socket, 14_500) }
  }))
  const readers = Array.from({ length: 10 }, () => {
    const socket = dial(service).pause()
    socket.write(`GET ${avatarUrl as string} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(100)) // a gigabyte for all of them
    return socket
  })

  const begin = performance.now()
  const [{ user }] = uploads as [typeof uploads[number]]
  expectProblem(t, await upload(service, user.accessToken, await pictureOf('png')), 503, 'unavailable', { what: 'whose upload still runs' })
  for (let i = 0; i < 20; i++) t.equal((await service.get(avatarUrl)).status, 200)
  t.equal((await upload(service, (await register(service)).accessToken, await pictureOf('png'))).status, 201)
  t.ok(performance.now() - begin < 5000, 'the others do not wait')

  for (const { answer: coming } of uploads) {
    const answer = await coming
    expectProblem(t, answer, 408, 'request_timeout')
    t.ok(answer.closed && answer.ms > 9000, `after ${Math.round(answer.ms)} ms`)
  }
  await until(() => readers.every(({ localPort }) => ends.get(localPort)?.destroyed), 'the service has hung up on its readers', 20_000)
  for (const socket of readers) socket.destroy()
  const grown = (process.memoryUsage().rss - before) / 1024 / 1024
  t.ok(grown < 200, `memory grew by ${Math.round(grown)} MB`)
  await until(async () => (await upload(service, user.accessToken, await pictureOf('png'))).status === 201, 'the user\'s place is free again')
  t.strictSame(service.logs.filter(({ level }) => Number(level) >= 50), [])
})
