// For doors whose body may be absent: no body is an empty one, and is then judged by the schema like any other.
import type { FastifyReply, FastifyRequest } from 'fastify'

export function noBodyIsEmpty (request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  request.body ??= {}
  done()
}
