// Uploads that are put together from the pieces of multipart in any order, under any content type, with a length that is
// right or not (REQUIREMENTS H4, H9): each is answered as the document declares, and the next good upload works.
import fc from 'fast-check'
import t from 'tap'
import type { Answer } from '../helper/http.ts'
import { register } from '../helper/people.ts'
import { avatarPath, boundary, smallPng, upload } from '../helper/pictures.ts'
import { startService, until } from '../helper/service.ts'
import { faultsOfProblem } from '../plugins/expect-problem.ts'
import { readDocument, type Operation } from '../plugins/openapi-document.ts'
import { answerOf, dial, exchange } from '../plugins/raw-http.ts'
import { expectNone, holds, promptly } from './fuzz-kit.ts'

const service = await startService(t)
const { accessToken, userId } = await register(service)
const document = await readDocument(service)
const operation = document.operations.find(({ is }) => is.operationId === 'uploadAvatar') as Operation
const png = smallPng()

const line = fc.constantFrom(
  'content-disposition: form-data; name="avatar"; filename="me.png"', 'content-disposition: form-data; name="avatar"', 'content-disposition: form-data', 'content-disposition:', 'content-disposition: attachment; filename=x',
  "content-disposition: form-data; name=avatar; filename*=utf-8''%E0%A4%A", 'content-disposition: form-data; name="avatar"; filename="../../../etc/passwd\0.png"', 'content-disposition: form-data; name="__proto__"; filename="x"', 'content-disposition: form-data; name="avatar"; filename="x', 'content-disposition: form-data; name="\\"; filename="\\\\"',
  'content-type: image/png', 'content-type: multipart/mixed; boundary=inner', 'content-type: text/plain; charset=utf-7', 'content-type: ;;;', 'content-transfer-encoding: base64', 'content-transfer-encoding: quoted-printable', 'no colon', ' folded: x', ': x', '__proto__: x', 'a\0b: c'
)
const piece: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(`--${boundary}\r\n`, `\r\n--${boundary}\r\n`, `--${boundary}--\r\n`, `\r\n--${boundary}--`, `--${boundary}`, `--${boundary}--x`, `--${boundary}\n`, '--inner\r\n', '--inner--\r\n', '--', '-').map((text) => Buffer.from(text)) },
  { weight: 4, arbitrary: line.map((text) => Buffer.from(`${text}\r\n`, 'latin1')) },
  { weight: 2, arbitrary: fc.constantFrom('\r\n', '\r\n\r\n', '\n', '\r').map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 120_000 }).map((length) => Buffer.from(`x-long: ${'a'.repeat(length)}\r\n`)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3000 }).map((count) => Buffer.from('a: b\r\n'.repeat(count))) },
  { weight: 1, arbitrary: fc.constantFrom(png, png.subarray(0, 40), Buffer.concat([png, png])) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) }
)
/** A good part and its end, somewhere among the pieces or not at all. */
const good = Buffer.concat([Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="avatar"; filename="me.png"\r\n\r\n`), png, Buffer.from(`\r\n--${boundary}--\r\n`)])
const bodies = fc.oneof(
  { weight: 3, arbitrary: fc.array(piece, { maxLength: 12 }) },
  { weight: 2, arbitrary: fc.tuple(fc.array(piece, { maxLength: 3 }), fc.array(piece, { maxLength: 3 })).map(([before, after]) => [...before, good, ...after]) },
  { weight: 1, arbitrary: fc.nat(good.length).map((at) => [good.subarray(0, at)]) }
).map((pieces) => Buffer.concat(pieces))

const types = fc.oneof(
  { weight: 8, arbitrary: fc.constant(`multipart/form-data; boundary=${boundary}`) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      `multipart/form-data; boundary="${boundary}"`, `Multipart/Form-Data;BOUNDARY=${boundary}`, `multipart/form-data; charset=utf-8; boundary=${boundary}`, `multipart/form-data; boundary=${boundary}; boundary=other`, 'multipart/form-data', 'multipart/form-data;', 'multipart/form-data; boundary=', 'multipart/form-data; boundary=""',
      'multipart/form-data; boundary="', `multipart/form-data; boundary=${'b'.repeat(200)}`, `multipart/form-data; boundary=${'b'.repeat(9000)}`, 'multipart/form-data; boundary=\xff\xfe', 'multipart/form-data; boundary=-', 'multipart/form-data; boundary=a b', "multipart/form-data; boundary*=utf-8''a%20b", 'multipart/form-data; boundary=%00',
      `multipart/mixed; boundary=${boundary}`, `multipart/form-datax; boundary=${boundary}`, 'application/octet-stream', 'image/png'
    )
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 60 }).map((text) => `multipart/form-data; boundary=${text}`) }
)

const head = (type: string, ...more: string[]): Buffer =>
  Buffer.from([`POST ${avatarPath} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${accessToken}`, `Content-Type: ${type}`, ...more, 'Connection: close', '', ''].join('\r\n'), 'latin1')

const faultsOf = (answer: Answer): string[] =>
  [...(answer.status >= 500 ? [`${answer.status} ${answer.text.slice(0, 200)}`] : document.undeclared(operation, answer)), ...(answer.status >= 400 ? faultsOfProblem(answer) : [])]

const uploadGood = async (): Promise<Answer> => await promptly(upload(service, accessToken, png))

await t.test('a body of any structure is answered as declared, and the next upload works', async (t) => {
  await holds(t, 100, fc.tuple(types, bodies, fc.boolean()), async ([type, body, isChunked]) => {
    const chunked = Buffer.concat([...(body.length === 0 ? [] : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]), Buffer.from('0\r\n\r\n')])
    const bytes = isChunked ? [head(type, 'Transfer-Encoding: chunked'), chunked] : [head(type, `Content-Length: ${body.length}`), body]
    expectNone(faultsOf(await promptly(exchange(service, Buffer.concat(bytes), 5000))))
    expectNone((await uploadGood()).status === 201 ? [] : ['the next upload is refused'])
  })
})

await t.test('a body that is longer or shorter than it says is answered as declared or not at all, and its place is free again', async (t) => {
  await holds(t, 40, fc.tuple(bodies, fc.integer({ min: -200, max: 200 }).filter((off) => off !== 0)), async ([body, off]) => {
    const socket = dial(service)
    socket.end(Buffer.concat([head(`multipart/form-data; boundary=${boundary}`, `Content-Length: ${Math.max(0, body.length + off)}`), body]))
    const answer = await answerOf(socket, 5000)
    expectNone(!answer.closed ? ['the connection hangs'] : answer.status === 0 ? [] : faultsOf(answer))
    await until(async () => (await uploadGood()).status === 201, 'the next upload works', 5000)
  })
})

await t.test('after all that one picture is stored, and no error is in the log', async (t) => {
  t.equal((await service.get('/livez')).status, 200)
  t.equal(await service.db.collection('avatars').countDocuments({ userId }), 1)
  t.strictSame(service.logs.filter(({ level }) => Number(level) >= 50), [])
})
