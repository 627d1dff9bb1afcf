// For doors that take a file: the body reaches the service as the stream that it is, and what is refused is not read to its
// end. Such a door has a scope of its own, because a host may have parsers, and opinions, for the same content type.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { LatchkeyError } from '../src/errors.ts'
import type { Upload } from '../src/user/avatar-upload.ts'
import type { Doors } from './doors.ts'

/** The schema of such a door is for the document: the service judges the body while it reads it. */
export const judgedByService = (): () => true => () => true

/** Milliseconds for a client to take the answer to a body that is not read. */
const lingerMs = 1000

/** @param scope around one door */
export function takeFiles (scope: Doors): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('multipart/form-data', (_request, payload, done) => { done(null, payload) })
  scope.addContentTypeParser('*', (_request, _payload, done) => { done(new LatchkeyError('unsupported_media_type')) })
  scope.addHook('onSend', leaveUnread)
}

export const uploadOf = ({ body, raw, headers }: FastifyRequest): Upload => ({
  stream: (body as Readable | undefined) ?? raw,
  contentType: headers['content-type'],
  contentLength: headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
})

/** Node reads to nothing what is left of a body that nobody began to read, however long it is: so it is begun, and left. */
function leaveUnread ({ raw }: FastifyRequest, reply: FastifyReply, payload: unknown, done: (error: null, payload: unknown) => void): void {
  if (!raw.complete && raw.httpVersionMajor === 1 && hasBody(raw)) {
    reply.header('connection', 'close')
    raw.read()
    endSlowly(raw)
  }
  done(null, payload)
}

const hasBody = ({ headers }: IncomingMessage): boolean => headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/**
 * RFC 9112 section 9.6: a connection that is closed while bytes of the client wait unread is reset, and the reset may take
 * the answer away from the client. So the answer and our end are sent, and a while later the connection goes.
 */
function endSlowly ({ socket }: IncomingMessage): void {
  socket.destroySoon = () => {
    socket.end()
    setTimeout(() => { socket.destroy() }, lingerMs).unref()
  }
}
