// Pictures of the tests and the bodies that carry them: lawful ones by sharp, odd ones written by hand.
import { randomBytes } from 'node:crypto'
import { constants, crc32, deflateRawSync, deflateSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import type { Answer, Call } from './http.ts'
import type { Service } from './service.ts'

export type Format = 'png' | 'jpeg' | 'webp'

/** A picture of noise, so that no two are alike. */
export function noise (width: number, height: number, channels: 3 | 4 = 3): Sharp {
  return sharp(randomBytes(width * height * channels), { raw: { width, height, channels } })
}

export const pictureOf = (format: Format, width = 64, height = 48): Promise<Buffer> => noise(width, height).toFormat(format).toBuffer()

/** A JPEG and, behind it, the image that makes it brighter where a screen can. */
export async function ultraHdr (width: number, height: number): Promise<Buffer> {
  const light = Float32Array.from({ length: width * height * 3 }, (_, i) => i % 5)
  const image = sharp(light, { raw: { width, height, channels: 3 } }).pipelineColourspace('scrgb').toColourspace('scrgb')
  return await (image as Sharp & { withGainMap: () => Sharp }).withGainMap().jpeg().toBuffer() // not in its types yet
}

/** A chunk of a PNG file, with its checksum. */
export function pngChunk (name: string, data: Uint8Array = new Uint8Array()): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

export interface PngForm { width: number, height: number, depth?: number, colour?: number, interlaced?: boolean, before?: Buffer[], data: Buffer }

export const pngSignature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

/** A PNG file from its parts. @param data what the IDAT chunk holds */
export function pngFile ({ width, height, depth = 8, colour = 2, interlaced = false, before = [], data }: PngForm): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width)
  head.writeUInt32BE(height, 4)
  head.set([depth, colour, 0, 0, interlaced ? 1 : 0], 8)
  return Buffer.concat([pngSignature, pngChunk('IHDR', head), ...before, pngChunk('IDAT', data), pngChunk('IEND')])
}

/** A lawful PNG of one colour and any size, as small as it can be: one bit a pixel, the same megabyte again and again. */
export function vastPng (side: number): Buffer {
  const bytes = side * (1 + Math.ceil(side / 8))
  const megabyte = deflateRawSync(Buffer.alloc(1 << 20), { level: 9, finishFlush: constants.Z_FULL_FLUSH })
  const rest = deflateRawSync(Buffer.alloc(bytes % (1 << 20)), { level: 9 })
  const adler = Buffer.alloc(4)
  adler.writeUInt32BE(((bytes % 65521) << 16 | 1) >>> 0)
  const data = Buffer.concat([Buffer.from([0x78, 0xda]), ...Array.from({ length: bytes >>> 20 }, () => megabyte), rest, adler])
  return pngFile({ width: side, height: side, depth: 1, colour: 0, data })
}

/** A small whole PNG with chunks of the test's before its pixels. */
export const smallPng = (before: Buffer[] = []): Buffer =>
  pngFile({ width: 8, height: 8, before, data: deflateSync(Buffer.alloc(8 * (1 + 8 * 3))) })

/** A lawful grey progressive JPEG of 4096 pixels a side in which every scan touches all of it, in 29 bytes. */
export function slowJpeg (scans: number): Buffer {
  const segment = (marker: number, body: readonly number[]): number[] => [0xff, marker, 0, body.length + 2, ...body]
  const oneCode = (table: number, symbol: number): number[] => segment(0xc4, [table, 1, ...Array.from({ length: 15 }, () => 0), symbol])
  const blocks = (4096 / 8) ** 2
  const scan = (first: number, last: number): number[] => segment(0xda, [1, 1, 0, first, last, 0])
  // nine times: end of band for 16384 + 16383 blocks, as a code of one bit and fourteen more
  const nothing = Buffer.from('0'.padEnd(15, '1').repeat(9).padEnd(136, '1').match(/.{8}/g)?.map((bits) => parseInt(bits, 2)) ?? [])
  const stuffed = Buffer.from([...nothing].flatMap((byte) => byte === 0xff ? [0xff, 0] : [byte]))
  return Buffer.concat([
    Buffer.from([0xff, 0xd8, ...segment(0xdb, [0, ...Array.from({ length: 64 }, () => 1)]), ...segment(0xc2, [8, 16, 0, 16, 0, 1, 1, 0x11, 0]), ...oneCode(0x00, 0), ...oneCode(0x10, 0xe0), ...scan(0, 0)]),
    Buffer.alloc(blocks / 8),
    ...Array.from({ length: scans }, () => Buffer.concat([Buffer.from(scan(1, 63)), stuffed])),
    Buffer.from([0xff, 0xd9])
  ])
}

export interface Part { name?: string, filename?: string, type?: string, content: string | Buffer, disposition?: string }

export const boundary = 'a-line-between-parts'

/** A multipart body as a browser writes it. */
export function multipart (parts: readonly Part[]): Buffer {
  const written = parts.flatMap(({ name = 'avatar', filename, type, content, disposition }) => [
    `--${boundary}\r\n`,
    `content-disposition: ${disposition ?? `form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}`}\r\n`,
    ...(type === undefined ? [] : [`content-type: ${type}\r\n`]),
    '\r\n', content, '\r\n'
  ])
  return Buffer.concat([...written, `--${boundary}--\r\n`].map((text) => Buffer.from(text)))
}

export const avatarPath = '/api/auth/profile/avatar'

/** A call that uploads parts. */
export const uploadCall = (parts: readonly Part[], token?: string): Call => ({
  method: 'POST',
  raw: multipart(parts),
  headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  ...(token !== undefined && { token })
})

/** Uploads one file as a browser does, whatever it is. */
export const upload = async ({ call }: Pick<Service, 'call'>, token: string, content: Buffer | string, filename = 'me.png', type = 'image/png'): Promise<Answer> =>
  await call(avatarPath, uploadCall([{ filename, type, content }], token))
