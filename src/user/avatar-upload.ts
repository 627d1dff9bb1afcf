// Room `user`: reads an uploaded picture out of a multipart body: one file in the field `avatar` and nothing else, bounded
// in bytes, in time and in how many there are at once. What the client calls the file, and what type, is not looked at. Of
// a body that is refused nothing more is read.
import { Busboy, type BusboyInstance } from '@fastify/busboy'
import type { Readable } from 'node:stream'
import { LatchkeyError, unavailable } from '../errors.ts'

/** A request as far as it has come. */
export interface Upload {
  stream: Readable
  contentType: string | undefined
  /** Bytes, undefined if they are not told before. */
  contentLength: number | undefined
}

export interface AvatarUploads {
  /**
   * @param work what is done with the file; it holds the place until it ends. @returns its result
   * @throws LatchkeyError `unavailable` (no place), and as `readAvatar`
   */
  take: <T>(userId: string, upload: Upload, work: (file: Buffer) => Promise<T>) => Promise<T>
}

export interface AvatarUploadOptions {
  /** Uploads at once in this process, one for each user: what memory they may take. */
  places: number
  /** Milliseconds that a body may take to come. */
  deadlineMs: number
}

/** Bytes of a file. */
export const mostFileBytes = 2 * 1024 * 1024

/** Bytes of a body: the file, and what multipart writes around it. */
export const mostBodyBytes = mostFileBytes + 16 * 1024

/** Milliseconds that the parser gets for its own turns of the event loop once the whole body is there: it needs no clock. */
const stuckMs = 500

export function createAvatarUploads ({ places, deadlineMs }: AvatarUploadOptions): AvatarUploads {
  const taken = new Set<string>()
  return {
    async take (userId, upload, work) {
      if (taken.has(userId) || taken.size >= places) throw unavailable(new Error('no place for another upload'))
      taken.add(userId)
      try {
        return await work(await readAvatar(upload, deadlineMs))
      } finally {
        taken.delete(userId)
      }
    }
  }
}

/**
 * @param deadlineMs milliseconds that the body may take to come
 * @throws LatchkeyError `validation_failed`, `unsupported_media_type`, `payload_too_large`, `request_timeout`; the rest of
 * the stream is then left unread
 */
export async function readAvatar ({ stream, contentType, contentLength }: Upload, deadlineMs: number): Promise<Buffer> {
  const parser = parserOf(contentType)
  if ((contentLength ?? 0) > mostBodyBytes) throw new LatchkeyError('payload_too_large')
  return await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = []
    let bodyBytes = 0
    const late = setTimeout(() => { fail(new LatchkeyError('request_timeout')) }, deadlineMs)
    let stuck: NodeJS.Timeout | undefined

    function fail (error: LatchkeyError): void {
      settle()
      stream.off('data', take).off('end', end).pause()
      reject(error)
    }

    function settle (): void {
      clearTimeout(late)
      clearTimeout(stuck)
    }

    function take (chunk: Buffer): void {
      bodyBytes += chunk.length
      if (bodyBytes > mostBodyBytes) fail(new LatchkeyError('payload_too_large'))
      else parser.write(chunk) // never asked to wait, or a part that it forgets would stop the body (seen: one without headers)
    }

    function end (): void {
      parser.end()
      stuck = setTimeout(() => { fail(refusal('is not well formed')) }, stuckMs)
    }

    parser.on('file', (field, file) => {
      if (field !== 'avatar') fail(refusal('is required'))
      file.on('data', (chunk: Buffer) => { chunks.push(chunk) })
      file.on('limit', () => { fail(new LatchkeyError('payload_too_large')) })
      file.on('error', () => { /* the parser says it too */ })
    })
    for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) parser.on(limit, () => { fail(refusal('must be a file and the only part')) })
    parser.on('error', () => { fail(refusal('is cut off or not well formed')) })
    parser.on('finish', () => {
      settle()
      if (chunks.length === 0) fail(refusal('is required'))
      else resolve(Buffer.concat(chunks))
    })
    // whoever breaks off hears no answer, but it is no fault of ours, and the log is not to say so
    stream.on('error', () => { fail(refusal('broke off')) })
    stream.on('close', () => { if (!stream.readableEnded) fail(refusal('broke off')) })
    if (stream.destroyed) fail(refusal('broke off')) // while the session was asked for, before anybody listened
    else stream.on('data', take).on('end', end)
  })
}

const refusal = (message: string): LatchkeyError => new LatchkeyError('validation_failed', { errors: [{ path: '/body/avatar', message }] })

function parserOf (contentType: string | undefined): BusboyInstance {
  if (contentType === undefined) throw refusal('is required')
  if (!/^multipart\/form-data *(;|$)/i.test(contentType)) throw new LatchkeyError('unsupported_media_type')
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: { parts: 1, files: 1, fields: 0, fileSize: mostFileBytes, headerPairs: 16, headerSize: 8192 }
    })
  } catch { // no boundary, or none that it can look for
    throw new LatchkeyError('validation_failed', { detail: 'The content type names no boundary that can be used.' })
  }
}
