// Room `user`: the form of a JPEG file, read marker by marker without decoding (ITU-T T.81, annex B). Tells its size, where
// the image ends, and whether what follows belongs to a picture: cameras append further images and notes of their own.

export interface JpegForm {
  width: number
  height: number
  /** Where the first image ends; a decoder needs no more. */
  end: number
}

// Each scan of a progressive image touches all of it, and libvips can neither limit nor stop that: 60,000 scans in 2 MB
// took 70 s. Encoders make about ten.
const mostScans = 100

const soi = 0xd8
const eoi = 0xd9
const sos = 0xda

/** Baseline, extended and progressive by Huffman: what browsers show. */
const isKnownFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xc2

/** The others: lossless, hierarchical, arithmetic. Between them are tables: C4, C8, CC. */
const isOtherFrame = (marker: number): boolean => marker > 0xc2 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc

/** @returns undefined if the file is no JPEG from its first byte to its last */
export function jpegForm (file: Buffer): JpegForm | undefined {
  const first = imageAt(file, 0)
  if (first === undefined) return undefined
  let { end } = first
  for (let next = imageAt(file, afterZeros(file, end)); next !== undefined; next = imageAt(file, afterZeros(file, end))) ({ end } = next) // MPF, Ultra HDR
  return afterZeros(file, end) === file.length || isSamsungTrailer(file, end) ? first : undefined
}

function imageAt (file: Buffer, from: number): JpegForm | undefined {
  if (file[from] !== 0xff || file[from + 1] !== soi) return undefined
  let at = from + 2
  let size: { width: number, height: number } | undefined
  let scans = 0
  while (file[at] === 0xff) {
    while (file[at] === 0xff) at++ // any number of fill bytes
    const marker = file[at++] ?? 0
    if (marker === eoi) return size === undefined || scans === 0 ? undefined : { ...size, end: at }
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= soi) || at + 2 > file.length) return undefined // none that opens a segment
    const length = file.readUInt16BE(at)
    if (length < 2 || isOtherFrame(marker)) return undefined
    if (isKnownFrame(marker)) {
      if (size !== undefined || length < 8 || at + 7 > file.length) return undefined
      size = { height: file.readUInt16BE(at + 3), width: file.readUInt16BE(at + 5) }
    }
    at += length
    if (marker !== sos) continue
    if (size === undefined || ++scans > mostScans) return undefined
    at = afterScan(file, at)
  }
  return undefined
}

/** Skips coded data: a marker in it is a restart, or has a zero after its FF. */
function afterScan (file: Buffer, from: number): number {
  let at = from
  for (; at < file.length; at++) {
    if (file[at] !== 0xff) continue
    const next = file[at + 1] ?? 0
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next >= soi)) break
  }
  return at
}

function afterZeros (file: Buffer, from: number): number {
  let at = from
  while (file[at] === 0) at++
  return at
}

/** Blocks, then `SEFH` with a list of where they begin counted backwards, its length, `SEFT`: it begins where the image ended. */
function isSamsungTrailer (file: Buffer, from: number): boolean {
  const tail = file.length - 8
  if (tail < from || file.toString('latin1', tail + 4) !== 'SEFT') return false
  const head = tail - file.readUInt32LE(tail)
  if (head < from || tail - head < 12 || file.toString('latin1', head, head + 4) !== 'SEFH') return false
  const blocks = file.readUInt32LE(head + 8)
  if (head + 12 + blocks * 12 > tail) return false
  let begin = head
  for (let i = 0; i < blocks; i++) begin = Math.min(begin, head - file.readUInt32LE(head + 12 + i * 12 + 4))
  return begin === from
}
