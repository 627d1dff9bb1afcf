// Files judged by their bytes: the three formats with their sizes, from the first byte to the last; what cameras append to a
// JPEG is theirs, anything else behind an end is foreign.
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { judgePicture } from '../../../src/user/avatar-format.ts'
import { noise, pictureOf, pngChunk, slowJpeg, smallPng, type Format } from '../../helper/pictures.ts'

const isRefused = (t: Test, file: Buffer, what: string): void => { t.throws(() => judgePicture(file), { code: 'unsupported_media_type' }, what) }
const jpeg = await pictureOf('jpeg', 20, 10)
const foreign = Buffer.from('<html>')

await t.test('each format is known by its first bytes, with its size', async (t) => {
  for (const [width, height] of [[1, 1], [1, 300], [257, 3], [4096, 16], [16, 4096]] as const) {
    const files: Record<string, [Format, Buffer]> = {
      png: ['png', await pictureOf('png', width, height)],
      jpeg: ['jpeg', await pictureOf('jpeg', width, height)],
      'progressive jpeg': ['jpeg', await noise(width, height).jpeg({ progressive: true }).toBuffer()],
      'jpeg with a thumbnail of another size': ['jpeg', await noise(width, height).withExif({ IFD0: { Artist: 'x'.repeat(3000) } }).jpeg().toBuffer()],
      'webp (VP8)': ['webp', await noise(width, height).webp().toBuffer()],
      'webp (VP8L)': ['webp', await noise(width, height).webp({ lossless: true }).toBuffer()],
      'webp (VP8X)': ['webp', await noise(width, height, 4).webp().withMetadata().toBuffer()]
    }
    for (const [what, [format, file]] of Object.entries(files)) t.strictSame(judgePicture(file), { type: `image/${format}`, width, height, bytes: file }, `${what} of ${width} x ${height}`)
  }
})

await t.test('a side has at most 4096 pixels and at least one', async (t) => {
  for (const format of ['png', 'jpeg', 'webp'] as const) {
    for (const [width, height] of [[4097, 1], [1, 4097]] as const) {
      const large = await sharp({ create: { width, height, channels: 3, background: '#000' } }).toFormat(format).toBuffer()
      t.throws(() => judgePicture(large), { code: 'validation_failed', extras: { errors: [{ path: '/body/avatar' }] } }, `${format} of ${width} x ${height}`)
    }
  }
  const flat = Buffer.from(jpeg)
  flat.writeUInt16BE(0, jpeg.indexOf(Buffer.from([0xff, 0xc0])) + 5)
  isRefused(t, flat, 'a JPEG that tells its height later')
})

await t.test('a file ends where its picture ends', async (t) => {
  for (const format of ['png', 'jpeg', 'webp'] as const) {
    const file = await pictureOf(format)
    for (let length = 0; length < file.length; length += Math.max(1, Math.floor(file.length / 200))) isRefused(t, file.subarray(0, length), `${length} bytes of a ${format}`)
    isRefused(t, file.subarray(0, -1), `a ${format} without its last byte`)
    for (const tail of ['x', '<html>', 'PK\u0005\u0006', '\u0000x']) isRefused(t, Buffer.concat([file, Buffer.from(tail)]), `a ${format} and ${JSON.stringify(tail)}`)
    isRefused(t, Buffer.concat([foreign, file]), `a ${format} behind something`)
  }
})

await t.test('a PNG begins with its head and ends once', async (t) => {
  const whole = smallPng()
  t.equal(judgePicture(smallPng([pngChunk('tEXt', foreign)])).width, 8)
  isRefused(t, Buffer.concat([whole.subarray(0, 8), pngChunk('tEXt', foreign), whole.subarray(8)]), 'a chunk before the head')
  isRefused(t, Buffer.concat([whole, pngChunk('IEND')]), 'two ends')
  isRefused(t, whole.subarray(0, -12), 'no end')
  isRefused(t, Buffer.concat([whole.subarray(0, -12), Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.from('IDAT')]), 'a chunk longer than the file')
})

await t.test('a WebP says its length, and what it is made of', async (t) => {
  const whole = await pictureOf('webp')
  for (const [at, value] of [[4, whole.length], [4, whole.length - 7], [4, 0], [4, 0xffffffff]] as const) {
    const other = Buffer.from(whole)
    other.writeUInt32LE(value, at)
    isRefused(t, other, `a length of ${value}`)
  }
  isRefused(t, Buffer.concat([whole.subarray(0, 12), Buffer.from('ALPH'), whole.subarray(16)]), 'another first chunk')
})

await t.test('what cameras append to a JPEG is taken, and no decoder sees it', async (t) => {
  const block = Buffer.from('\0\0\x30\x0a\x0e\0\0\0MotionPhoto and what else a camera says', 'latin1')
  const sefh = (offset: number, blocks = 1): Buffer => {
    const head = Buffer.alloc(12 + 12 * blocks + 8)
    head.write('SEFH', 'latin1')
    head.writeUInt32LE(106, 4)
    head.writeUInt32LE(blocks, 8)
    for (let i = 0; i < blocks; i++) head.writeUInt32LE(offset, 12 + i * 12 + 4)
    head.writeUInt32LE(head.length - 8, head.length - 8)
    head.write('SEFT', head.length - 4, 'latin1')
    return head
  }
  const zeros = Buffer.alloc(50)
  const taken: Record<string, Buffer[]> = {
    'a further image (MPF, Ultra HDR)': [jpeg],
    'further images with room between them': [zeros, jpeg, zeros, jpeg, zeros],
    'zeros to fill up': [zeros],
    'a Samsung trailer': [block, sefh(block.length)],
    'a further image and a Samsung trailer': [jpeg, block, sefh(block.length)]
  }
  for (const [what, tail] of Object.entries(taken)) t.strictSame(judgePicture(Buffer.concat([jpeg, ...tail])), { type: 'image/jpeg', width: 20, height: 10, bytes: jpeg }, what)
  const refused: Record<string, Buffer[]> = {
    'a further image that is cut off': [jpeg.subarray(0, -2)],
    'a further image and something': [jpeg, foreign],
    'the beginning of an image and something': [Buffer.from([0xff, 0xd8, 0xff]), foreign],
    'the last letters of a trailer': [foreign, Buffer.from('SEFT')],
    'a trailer without its list': [foreign, Buffer.from('\x04\0\0\0SEFT', 'latin1')],
    'something before a trailer': [foreign, block, sefh(block.length)],
    'a trailer that begins inside the image': [block, sefh(block.length + 5)],
    'a trailer of more blocks than it has': [block, (() => { const head = sefh(block.length); head.writeUInt32LE(9, 8); return head })()],
    'a trailer of no blocks before something': [foreign, sefh(0, 0)],
    'a trailer longer than the file': [block, (() => { const head = sefh(block.length); head.writeUInt32LE(0xffffffff, head.length - 8); return head })()]
  }
  for (const [what, tail] of Object.entries(refused)) isRefused(t, Buffer.concat([jpeg, ...tail]), what)
})

await t.test('a JPEG is of a kind that browsers show, made of lawful parts, and not dear to decode', async (t) => {
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
  for (const kind of [0xc3, 0xc5, 0xc7, 0xc9, 0xcb, 0xcf]) {
    const other = Buffer.from(jpeg)
    other[frame + 1] = kind
    isRefused(t, other, `a frame of kind ${kind.toString(16)}`)
  }
  const insert = (...bytes: number[]) => Buffer.concat([jpeg.subarray(0, 2), Buffer.from(bytes), jpeg.subarray(2)])
  t.equal(judgePicture(insert(0xff, 0xff, 0xff, 0xe5, 0, 2)).width, 20, 'fill bytes and an empty segment')
  t.equal(judgePicture(insert(0xff, 0xfe, 0, 4, 0xff, 0xd9)).width, 20, 'an end inside a comment')
  for (const [what, file] of Object.entries({
    'something between the parts': insert(1, 2, 3),
    'a segment of no length': insert(0xff, 0xe5, 0, 0),
    'an image inside': insert(0xff, 0xd8),
    'a restart outside a scan': insert(0xff, 0xd0),
    'a zero marker': insert(0xff, 0x00),
    'two frames': Buffer.concat([jpeg.subarray(0, frame + 19), jpeg.subarray(frame)]),
    'a frame that is too short': Buffer.from([0xff, 0xd8, 0xff, 0xc0, 0, 4, 8, 0]),
    'no frame': Buffer.from([0xff, 0xd8, 0xff, 0xd9]),
    'no scan': Buffer.concat([jpeg.subarray(0, frame + 19), Buffer.from([0xff, 0xd9])]),
    'a scan without a frame': Buffer.from([0xff, 0xd8, 0xff, 0xda, 0, 2, 0, 0xff, 0xd9]),
    'more than a hundred scans': slowJpeg(100)
  })) isRefused(t, file, what)
  t.equal(judgePicture(slowJpeg(99)).width, 4096, 'a hundred')
})
