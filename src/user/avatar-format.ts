// Room `user`: what an uploaded file is, judged by its bytes before any decoder sees them: a PNG, JPEG or WebP from the
// first byte to the last, of a bounded size. A file that is something else as well (a polyglot) is refused, though nothing
// but its pixels would ever be kept.
import { LatchkeyError } from '../errors.ts'
import { jpegForm } from './jpeg-format.ts'

export type PictureType = 'image/png' | 'image/jpeg' | 'image/webp'

export interface Picture {
  type: PictureType
  /** Pixels, as the file says; a decoder may say otherwise. */
  width: number
  height: number
  /** What a decoder is given: the first image, nothing that follows it. */
  bytes: Buffer
}

/** Pixels of a side. */
export const mostSide = 4096

/**
 * @param file as it was uploaded
 * @throws LatchkeyError `unsupported_media_type`, or `validation_failed` for a picture that is too large
 */
export function judgePicture (file: Buffer): Picture {
  const picture = pngOf(file) ?? webpOf(file) ?? jpegOf(file)
  if (picture === undefined || picture.width === 0 || picture.height === 0) throw notAPicture()
  if (Math.max(picture.width, picture.height) > mostSide) {
    throw new LatchkeyError('validation_failed', { errors: [{ path: '/body/avatar', message: `has a side of more than ${mostSide} pixels` }] })
  }
  return picture
}

/** @param cause what a decoder said */
export const notAPicture = (cause?: unknown): LatchkeyError =>
  new LatchkeyError('unsupported_media_type', { detail: 'The file is not a whole PNG, JPEG or WebP picture and nothing else.', cause })

function jpegOf (file: Buffer): Picture | undefined {
  const form = jpegForm(file)
  return form && { type: 'image/jpeg', width: form.width, height: form.height, bytes: file.subarray(0, form.end) }
}

const pngSignature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
const ihdr = 0x49484452
const iend = 0x49454e44

/** PNG, section 5: a signature and chunks (length, name, data, checksum), from IHDR to IEND. */
function pngOf (file: Buffer): Picture | undefined {
  if (file.length < 33 || !file.subarray(0, 8).equals(pngSignature) || file.readUInt32BE(12) !== ihdr) return undefined
  for (let at = 8; at + 12 <= file.length;) {
    const name = file.readUInt32BE(at + 4)
    at += 12 + file.readUInt32BE(at)
    if (name !== iend) continue
    return at === file.length ? { type: 'image/png', width: file.readUInt32BE(16), height: file.readUInt32BE(20), bytes: file } : undefined
  }
  return undefined
}

/** RFC 9649: a RIFF container that says its length; the first chunk says the size. */
function webpOf (file: Buffer): Picture | undefined {
  if (file.length < 25 || file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WEBP') return undefined
  if (file.readUInt32LE(4) + 8 !== file.length) return undefined
  const size = webpSize(Buffer.concat([file], 30))
  return size && { type: 'image/webp', ...size, bytes: file }
}

function webpSize (head: Buffer): { width: number, height: number } | undefined {
  switch (head.toString('latin1', 12, 16)) {
    case 'VP8X': return { width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 }
    case 'VP8 ': return { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff }
    case 'VP8L': {
      const bits = head.readUInt32LE(21)
      return { width: (bits & 0x3fff) + 1, height: (bits >>> 14 & 0x3fff) + 1 }
    }
    default: return undefined
  }
}
