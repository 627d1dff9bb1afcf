// The door of uploads before files and bodies that nobody means well with (issue 4, REQUIREMENTS H4 and H9): each is a 4xx in
// bounded time and memory, and the next good upload works.
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { deflateSync } from 'node:zlib'
import type { ErrorCode } from '../../src/errors.ts'
import type { Answer } from '../helper/http.ts'
import { register } from '../helper/people.ts'
import { avatarPath, boundary, noise, pictureOf, pngChunk, pngFile, pngSignature, slowJpeg, smallPng, upload, uploadCall, vastPng, type Part } from '../helper/pictures.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const service = await startService(t)
const { accessToken, userId } = await register(service)
const good = await pictureOf('jpeg')
const [png, jpeg, webp] = [await pictureOf('png'), await pictureOf('jpeg'), await pictureOf('webp')]
const html = '<!doctype html><script>alert(1)</script>'
const zip = Buffer.from('504b0506000000000000000000000000000000000000', 'hex')
const mark = 'PK-or-markup-that-must-not-be-served'

/** Milliseconds for a refusal; a whole suite runs beside this. */
const quickMs = 3000

async function refused (t: Test, answer: Answer, status: number, code: ErrorCode, what: string): Promise<void> {
  expectProblem(t, answer, status, code, { what })
  t.ok(answer.ms < quickMs, `${what}: in ${Math.round(answer.ms)} ms`)
  t.equal((await upload(service, accessToken, good)).status, 201, `${what}: the next one works`)
}

await t.test('H4 what is no picture is refused, whatever it is called', async (t) => {
  const files: Record<string, Buffer | string> = {
    PDF: '%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF',
    HTML: html,
    SVG: '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>',
    ELF: Buffer.concat([Buffer.from('7f454c46020101000000000000000000', 'hex'), Buffer.alloc(200)]),
    GIF: await noise(9, 9).gif().toBuffer(),
    TIFF: await noise(9, 9).tiff().toBuffer(),
    AVIF: await noise(16, 16).avif({ effort: 0 }).toBuffer(),
    BMP: Buffer.concat([Buffer.from('BM'), Buffer.alloc(100)]),
    'a ZIP': zip,
    'one byte': Buffer.from([0xff]),
    'the first bytes of a PNG': pngSignature,
    'the first bytes of a JPEG': Buffer.from([0xff, 0xd8, 0xff]),
    'a PNG in base64': png.toString('base64'),
    'a byte before a PNG': Buffer.concat([Buffer.from('\n'), png]),
    'a RIFF that is sound': Buffer.concat([Buffer.from('RIFF'), Buffer.from([36, 0, 0, 0]), Buffer.from('WAVEfmt '), Buffer.alloc(28)])
  }
  for (const [what, file] of Object.entries(files)) await refused(t, await upload(service, accessToken, file), 415, 'unsupported_media_type', what)
})

await t.test('H4 what is a picture and something else as well is refused', async (t) => {
  const files: Record<string, Buffer> = {
    'PNG magic and HTML': Buffer.concat([pngSignature, Buffer.from(html)]),
    'a JPEG that is HTML': Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from(html)]),
    'a WebP that is HTML': Buffer.concat([Buffer.from('RIFF....WEBPVP8 '), Buffer.from(html)]),
    ...Object.fromEntries(Object.entries({ PNG: png, JPEG: jpeg, WebP: webp }).flatMap(([name, file]) => [
      [`a ${name} and a ZIP`, Buffer.concat([file, zip])],
      [`a ${name} and HTML`, Buffer.concat([file, Buffer.from(html)])],
      [`a ${name} and one byte`, Buffer.concat([file, Buffer.from('x')])],
      [`a ${name} and a PNG`, Buffer.concat([file, png])]
    ])),
    'a PNG that goes on behind its end': Buffer.concat([png, pngChunk('tEXt', Buffer.from(html)), pngChunk('IEND')]),
    'a JPEG and a ZIP in a second one that never ends': Buffer.concat([jpeg, Buffer.from([0xff, 0xd8]), zip])
  }
  for (const [what, file] of Object.entries(files)) await refused(t, await upload(service, accessToken, file), 415, 'unsupported_media_type', what)
})

await t.test('what hides inside a picture is not served', async (t) => {
  const hidden = [smallPng([pngChunk('tEXt', Buffer.from(`Comment\0${mark}`)), pngChunk('abCd', Buffer.from(mark))]), Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xfe, 0, mark.length + 2]), Buffer.from(mark), jpeg.subarray(2)])]
  for (const file of hidden) {
    const answer = await upload(service, accessToken, file)
    t.equal(answer.status, 201, answer.text)
    t.notOk((await service.get(answer.json.avatarUrl)).bytes.includes(mark))
  }
})

await t.test('a damaged picture is refused', async (t) => {
  const cut = (file: Buffer, share: number) => file.subarray(0, Math.floor(file.length * share))
  const jpegEnd = Buffer.from([0xff, 0xd9])
  const riff = Buffer.from(cut(webp, 0.5))
  riff.writeUInt32LE(riff.length - 8, 4)
  const badSum = Buffer.from(png)
  badSum.writeUInt32BE(1, png.length - 12 - 4)
  const files: Record<string, Buffer> = {
    'a truncated JPEG': cut(jpeg, 0.5),
    'a truncated JPEG with an end put on': Buffer.concat([cut(jpeg, 0.5), jpegEnd]),
    'a truncated PNG': cut(png, 0.5),
    'a truncated WebP': cut(webp, 0.5),
    'a truncated WebP that says its length': riff,
    'a PNG with a wrong checksum': badSum,
    'a PNG with too few pixels': pngFile({ width: 100, height: 100, data: deflateSync(Buffer.alloc(50)) }),
    'a PNG whose pixels are no deflate': pngFile({ width: 100, height: 100, data: Buffer.from(html) }),
    'a PNG of no width': pngFile({ width: 0, height: 10, data: deflateSync(Buffer.alloc(10)) }),
    'a PNG of an unknown colour': pngFile({ width: 10, height: 10, colour: 5, data: deflateSync(Buffer.alloc(1000)) })
  }
  for (const [what, file] of Object.entries(files)) await refused(t, await upload(service, accessToken, file), 415, 'unsupported_media_type', what)
})

await t.test('a picture that is larger inside than it looks is refused before it is decoded', async (t) => {
  const vast = vastPng(50_000)
  t.ok(vast.length < 400_000, `${vast.length} bytes`)
  t.strictSame(await sharp(vast, { limitInputPixels: false }).metadata().then(({ width, height }) => [width, height]), [50_000, 50_000], 'it is lawful')
  const wide = await sharp({ create: { width: 4097, height: 1, channels: 3, background: '#000' } }).png().toBuffer()
  const before = process.memoryUsage().rss
  for (const [what, file] of Object.entries({
    'a PNG of 50,000 x 50,000': vast,
    'a PNG of 4097 x 1': wide,
    'a JPEG of 4097 x 1': await sharp(wide).jpeg().toBuffer(),
    'a WebP of 1 x 4097': await sharp(wide).rotate(90).webp().toBuffer(),
    'a PNG of 2^31 - 1 pixels a side': pngFile({ width: 0x7fffffff, height: 0x7fffffff, data: deflateSync(Buffer.alloc(10)) })
  })) {
    const answer = await upload(service, accessToken, file)
    await refused(t, answer, 400, 'validation_failed', what)
    t.strictSame(answer.json.errors, [{ path: '/body/avatar', message: 'has a side of more than 4096 pixels' }])
  }
  for (let i = 0; i < 20; i++) await upload(service, accessToken, vast)
  const grown = (process.memoryUsage().rss - before) / 1024 / 1024
  t.ok(grown < 150, `memory grew by ${Math.round(grown)} MB`)
})

await t.test('a picture that is dear to decode is refused, or done in bounded time and memory', async (t) => {
  const rows = deflateSync(Buffer.alloc(7_900_000), { level: 9 })
  await refused(t, await upload(service, accessToken, slowJpeg(50_000)), 415, 'unsupported_media_type', 'a JPEG of 50,000 scans')
  const bombs = smallPng(Array.from({ length: 200 }, (_, i) => pngChunk('zTXt', Buffer.concat([Buffer.from(`k${i}\0\0`), rows]))))
  const frames = await sharp(Array.from({ length: 2 }, () => Buffer.from(png)), { join: { animated: true } }).webp({ loop: 0, delay: [100, 100] }).toBuffer()
  const lastFrame = frames.subarray(frames.lastIndexOf('ANMF'))
  const many = Buffer.concat([frames, ...Array.from({ length: Math.floor(1_900_000 / lastFrame.length) }, () => lastFrame)])
  many.writeUInt32LE(many.length - 8, 4)
  for (const [what, file] of Object.entries({ 'a JPEG of 99 scans': slowJpeg(98), 'a PNG with 200 texts of 8 MB': bombs, 'a WebP of very many frames': many })) {
    const answer = await upload(service, accessToken, file)
    t.ok([201, 415].includes(answer.status), `${what}: ${answer.status}`)
    t.ok(answer.ms < 5000, `${what}: in ${Math.round(answer.ms)} ms`)
  }
  t.equal((await upload(service, accessToken, good)).status, 201)
})

await t.test('H9 the body is one file in the field `avatar` and nothing else', async (t) => {
  const file = { filename: 'me.png', type: 'image/png', content: png }
  const bodies: Record<string, Part[]> = {
    'no part': [],
    'two files': [file, file],
    'a file and a field': [file, { name: 'x', content: 'y' }],
    'a field and a file': [{ name: 'x', content: 'y' }, file],
    'the file as a field': [{ content: png }],
    'a file of another name': [{ ...file, name: 'picture' }],
    'a file of no name': [{ ...file, disposition: 'form-data; filename="me.png"' }],
    'a file of a name like it': [{ ...file, name: 'avatar[]' }],
    'no form-data': [{ ...file, disposition: 'attachment; name="avatar"; filename="me.png"' }],
    'an empty file': [{ ...file, content: '' }],
    'a prototype': [{ ...file, name: '__proto__' }],
    '1,000 fields': Array.from({ length: 1000 }, (_, i) => ({ name: `f${i}`, content: 'x' })),
    '10,000 parts': Array.from({ length: 10_000 }, () => ({ ...file, content: 'x' })),
    'a file behind 10,000 empty parts': [...Array.from({ length: 10_000 }, () => ({ name: '', content: '' })), file]
  }
  for (const [what, parts] of Object.entries(bodies)) {
    const answer = await service.call(avatarPath, uploadCall(parts, accessToken))
    t.ok(answer.ms < 1000, `${what}: in ${Math.round(answer.ms)} ms`)
    await refused(t, answer, 400, 'validation_failed', what)
  }
})

await t.test('a body that is not well formed is refused', async (t) => {
  const whole = uploadCall([{ filename: 'me.png', content: png }], accessToken)
  const raw = whole.raw as Buffer
  const bodies: Record<string, Buffer | string> = {
    nothing: '',
    'no boundary in it': 'x'.repeat(1000),
    'no last boundary': raw.subarray(0, raw.length - boundary.length - 6),
    'half a file': raw.subarray(0, raw.length / 2),
    'headers without end': `--${boundary}\r\ncontent-disposition: form-data; name="avatar"; filename="x`,
    'very many headers': Buffer.concat([Buffer.from(`--${boundary}\r\n${'a: b\r\n'.repeat(100_000)}`), raw.subarray(boundary.length + 4)]),
    'a long part without headers': `--${boundary}\r\n\r\n${'x'.repeat(100_000)}\r\n--${boundary}--\r\n`,
    'only boundaries': `--${boundary}\r\n`.repeat(50_000)
  }
  for (const [what, body] of Object.entries(bodies)) await refused(t, await service.call(avatarPath, { ...whole, raw: body }), 400, 'validation_failed', what)
})

await t.test('after all that one picture is stored, and no error is in the log', async (t) => {
  t.equal(await service.db.collection('avatars').countDocuments({ userId }), 1)
  t.strictSame(service.logs.filter(({ level }) => Number(level) >= 50), [])
})
