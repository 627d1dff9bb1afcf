// Room `user`: a picture is decoded as a whole and made anew: one frame, upright, a bounded square, the same format, and
// nothing of what else the file said (places, cameras, names). One at a time in a process, so that memory is bounded and
// libuv's threads are left to others (measured, 4096 pixels a side: 0.8 s and 200 MB at most).
import sharp, { type Sharp } from 'sharp'
import type { Clock } from '../clock.ts'
import { unavailable } from '../errors.ts'
import { judgePicture, mostSide, notAPicture, type Picture, type PictureType } from './avatar-format.ts'

/** A picture as it is kept. */
export interface AvatarImage { type: PictureType, bytes: Buffer }

/** Pixels of a side of what is kept. */
export const avatarSide = 512

/** Seconds that one may take. */
const timeoutSeconds = 3

/** Milliseconds that one may wait for those before it. */
const mostWaitMs = 5000

/** The end of those before: of the whole process, as libvips and its settings are. */
let before: Promise<unknown> = Promise.resolve()

/**
 * @param file as it was uploaded
 * @throws LatchkeyError `unsupported_media_type`, `validation_failed` (too large), `unavailable` (too many before it, too slow)
 */
export async function makeAvatar (file: Buffer, clock: Clock): Promise<AvatarImage> {
  const picture = judgePicture(file)
  const since = clock.mono()
  const made = before.then(async () => {
    if (clock.mono() - since > mostWaitMs) throw unavailable(new Error('too many pictures wait to be converted'))
    return { type: picture.type, bytes: await withoutCache(() => convert(picture)) }
  })
  before = made.catch(() => { /* is the caller's */ })
  return await made
}

const formats: Record<PictureType, (image: Sharp) => Sharp> = {
  'image/png': (image) => image.png(),
  'image/jpeg': (image) => image.jpeg({ quality: 85 }),
  'image/webp': (image) => image.webp({ quality: 85 })
}

async function convert ({ type, width, height, bytes }: Picture): Promise<Buffer> {
  const side = Math.min(avatarSide, width, height)
  const image = sharp(bytes, { failOn: 'warning', limitInputPixels: mostSide * mostSide })
    .timeout({ seconds: timeoutSeconds })
    .autoOrient()
    .resize(side, side, { fit: 'cover' })
    .toColourspace('srgb')
  try {
    return await formats[type](image).toBuffer()
  } catch (error) {
    throw (error as Error).message.startsWith('timeout') ? unavailable(error) : notAPicture(error)
  }
}

/**
 * libvips keeps the decoders of past pictures: forty progressive JPEGs took 550 MB with its cache and 190 MB without. What
 * a host has set comes back afterwards.
 */
async function withoutCache<T> (work: () => Promise<T>): Promise<T> {
  const { memory, files, items } = sharp.cache()
  sharp.cache(false)
  try {
    return await work()
  } finally {
    sharp.cache({ memory: memory.max, files: files.max, items: items.max })
  }
}
