// Multipart bodies read from a stream, as they come: in pieces of any size, in time or not at all.
import { PassThrough } from 'node:stream'
import t from 'tap'
import { createAvatarUploads, mostBodyBytes, mostFileBytes, readAvatar, type Upload } from '../../../src/user/avatar-upload.ts'
import { boundary, multipart } from '../../helper/pictures.ts'

const contentType = `multipart/form-data; boundary=${boundary}`
const file = Buffer.from(Array.from({ length: 3000 }, (_, i) => i % 256)) // with line ends and dashes in it
const body = multipart([{ filename: 'x', content: Buffer.concat([file, Buffer.from(`\r\n--${boundary.slice(0, -1)}\r\n`)]) }])
const expected = body.subarray(body.indexOf('\r\n\r\n') + 4, body.length - boundary.length - 8)

const uploadOf = (stream: PassThrough, more: Partial<Upload> = {}): Upload => ({ stream, contentType, contentLength: undefined, ...more })
const begun = (): PassThrough => {
  const stream = new PassThrough()
  stream.write(body.subarray(0, 200))
  return stream
}

await t.test('the file is what was sent, however it is cut into pieces', async (t) => {
  for (const size of [1, 2, 3, 7, 64, 1000, body.length]) {
    const stream = new PassThrough()
    const reading = readAvatar(uploadOf(stream), 5000)
    for (let at = 0; at < body.length; at += size) stream.write(body.subarray(at, at + size))
    stream.end()
    t.same(await reading, expected, `pieces of ${size}`)
  }
})

await t.test('a file may be 2 MiB and a body a little more', async (t) => {
  for (const [bytes, isTaken] of [[mostFileBytes, true], [mostFileBytes + 1, false]] as const) {
    const stream = new PassThrough()
    stream.end(multipart([{ filename: 'x', content: Buffer.alloc(bytes) }]))
    const reading = readAvatar(uploadOf(stream), 5000)
    if (isTaken) t.equal((await reading).length, bytes)
    else await t.rejects(reading, { code: 'payload_too_large' })
  }
  const stream = new PassThrough()
  await t.rejects(readAvatar(uploadOf(stream, { contentLength: mostBodyBytes + 1 }), 5000), { code: 'payload_too_large' })
  t.notOk(stream.readableDidRead, 'nothing of it was read')
})

await t.test('what does not come in time is given up', async (t) => {
  const stream = begun()
  await t.rejects(readAvatar(uploadOf(stream), 30), { code: 'request_timeout' })
  t.ok(stream.isPaused(), 'and not read any more')
  stream.end(body.subarray(200))
  stream.destroy(new Error('the line is gone'))
})

await t.test('what breaks off is refused, however it ends', async (t) => {
  for (const how of [new Error('reset'), undefined]) {
    const stream = begun()
    const reading = readAvatar(uploadOf(stream), 5000)
    stream.destroy(how)
    await t.rejects(reading, { code: 'validation_failed' })
  }
})

await t.test('a type without a boundary that can be used is refused', async (t) => {
  for (const type of ['multipart/form-data', `multipart/form-data; boundary=${'x'.repeat(300)}`, 'MULTIPART/FORM-DATA ;x=y']) {
    await t.rejects(readAvatar(uploadOf(new PassThrough(), { contentType: type }), 5000), { code: 'validation_failed' }, type)
  }
  for (const type of ['application/x-www-form-urlencoded', 'multipart/mixed; boundary=x', 'multipart/form-data-x; boundary=x', '']) {
    await t.rejects(readAvatar(uploadOf(new PassThrough(), { contentType: type }), 5000), { code: 'unsupported_media_type' }, type)
  }
  await t.rejects(readAvatar({ stream: new PassThrough(), contentType: undefined, contentLength: undefined }, 5000), { code: 'validation_failed' })
})

await t.test('a place is held until the work is done, and comes back however it ends', async (t) => {
  const uploads = createAvatarUploads({ places: 2, deadlineMs: 20 })
  const whole = (): Upload => {
    const stream = new PassThrough()
    stream.end(body)
    return uploadOf(stream)
  }
  let finish = (_error?: Error): void => { /* set below */ }
  const working = uploads.take('a', whole(), (read) => new Promise((resolve, reject) => { finish = (error) => { if (error) reject(error); else resolve(read.length) } }))
  await t.rejects(uploads.take('a', whole(), async () => true), { code: 'unavailable' }, 'one for each user')
  t.equal(await uploads.take('b', whole(), async () => 'done'), 'done')
  const stalled = uploads.take('b', uploadOf(begun()), async () => true)
  await t.rejects(uploads.take('c', whole(), async () => true), { code: 'unavailable' }, 'two in all')
  await t.rejects(stalled, { code: 'request_timeout' })
  t.equal(await uploads.take('c', whole(), async () => 'done'), 'done')
  finish()
  t.equal(await working, expected.length)
  await t.rejects(uploads.take('a', whole(), async () => { throw new Error('no') }), { message: 'no' })
  t.equal(await uploads.take('a', whole(), async () => 'done'), 'done')
})
